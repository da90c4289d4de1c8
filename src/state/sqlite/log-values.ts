import { createHmac, randomBytes } from "node:crypto";
import type { Json } from "../../domain/json.ts";
import type { Change } from "../../domain/plan.ts";
import { withoutQuotations } from "../../domain/quotation.ts";
import type { Connection } from "./files/database.ts";
import { operationsWithChanges } from "./provisioning-log.ts";
import { canonicalJson } from "./rows.ts";

/** What the provisioning log keeps of values once an operation has ended. */
export type LogValues = "keep" | "hash" | "omit";

/** What the store does with values of operations that have ended. */
export interface ValueKeeper {
  /** A sentence of a cycle as the log keeps it. Words of Entra or Lattice about single people count as values. */
  sentence(text: string): string;
  /** Replaces an operation's values by placeholders. Its outcome must be known. */
  replace(operationId: number): void;
  /**
   * Applies a stricter setting to the entries that were written under an earlier one: once after each change of the setting,
   * in short transactions.
   */
  replaceOlder(): Promise<void>;
}

const strictness: { readonly [V in LogValues]: number } = { keep: 0, hash: 1, omit: 2 };
const leftOut = "[left out]";
const pageSize = 500;

interface Row {
  readonly id: number;
  readonly changes: string;
  readonly error: string | null;
}

/** Keeps, hashes or leaves out values of operations that have ended. */
export function valueKeeper(db: Connection, values: LogValues): ValueKeeper {
  const read = db.prepare<[number], Row>(
    `SELECT id, changes, error FROM ${operationsWithChanges} WHERE id = ?`,
  );
  const writeChanges = db.prepare<[string, number]>("UPDATE operation_changes SET changes = ? WHERE id = ?");
  const writeError = db.prepare<[string | null, number]>("UPDATE operation SET error = ? WHERE id = ?");
  const older = db.prepare<[number, number], Row>(
    `SELECT id, changes, error FROM ${operationsWithChanges}
     WHERE id > ? AND status IN ('done', 'failed', 'cancelled', 'reported')
       AND id NOT IN (SELECT operation_id FROM intent) ORDER BY id LIMIT ?`,
  );
  const readApplied = db.prepare<[], string>("SELECT value FROM meta WHERE key = 'logValues'").pluck();
  const writeApplied = db.prepare<[string]>(
    "INSERT INTO meta (key, value) VALUES ('logValues', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  let standIn: ((attribute: string, value: Json) => Json) | null = null;

  const replaceIn = (row: Row): void => {
    standIn ??= values === "hash" ? hashing(logKey(db)) : () => leftOut;
    const changes = JSON.parse(row.changes) as Change[];
    const kept = JSON.stringify(changes.map(withStandIns(values, standIn)));
    writeChanges.run(kept, row.id);
    if (row.error !== null) writeError.run(withoutValues(row.error, changes), row.id);
  };
  return {
    sentence: (text) => (values === "keep" ? text : withoutQuotations(text)),
    replace: (operationId) => {
      if (values === "keep") return;
      const row = read.get(operationId);
      if (row !== undefined) replaceIn(row);
    },
    replaceOlder: async () => {
      const applied = readApplied.get() ?? "keep";
      if (applied === values) return;
      if (!isLogValues(applied) || strictness[values] > strictness[applied]) {
        let after = 0;
        for (;;) {
          const rows = older.all(after, pageSize);
          const last = rows.at(-1);
          if (last === undefined) break;
          db.transaction(() => rows.forEach(replaceIn))();
          after = last.id;
          // The lease can be renewed between two pages.
          await new Promise(setImmediate);
        }
      }
      writeApplied.run(values);
    },
  };
}

function isLogValues(text: string): text is LogValues {
  return Object.hasOwn(strictness, text);
}

/**
 * The change without its values and the ids behind them. It still shows whether there was a value. `active` stays, because
 * the action shows it anyway.
 */
function withStandIns(
  values: LogValues,
  standIn: (attribute: string, value: Json) => Json,
): (change: Change) => Change {
  return (change) => {
    if (change.attribute === "active" || values === "keep") return change;
    if (change.logged === "omitted" || (change.logged === "hashed" && values === "hash")) return change;
    const { reference: _ids, before, after, ...rest } = change;
    const stands = (value: Json): Json => (value === null ? null : standIn(change.attribute, value));
    return {
      ...rest,
      before: stands(before),
      after: stands(after),
      logged: values === "hash" ? "hashed" : "omitted",
    };
  };
}

/** A shorter value occurs by chance in the words of most sentences. */
const shortestValue = 3;

/** An error without the target's words about the person, and without the person's values in our own words. */
function withoutValues(error: string, changes: readonly Change[]): string {
  return changes
    .filter(({ logged }) => logged === undefined)
    .flatMap(({ before, after }) => [before, after])
    .filter((value) => typeof value === "string" && value.length >= shortestValue)
    .map(String)
    .sort((left, right) => right.length - left.length)
    .reduce((text, value) => text.replaceAll(value, leftOut), withoutQuotations(error));
}

/** Equal values of one attribute have equal hashes. Guessing a value requires the key, which only the database contains. */
function hashing(key: string): (attribute: string, value: Json) => Json {
  return (attribute, value) => {
    const text = JSON.stringify([attribute, canonicalJson(value)]);
    return `hmac:${createHmac("sha256", key).update(text).digest("base64url").slice(0, 22)}`;
  };
}

function logKey(db: Connection): string {
  db.prepare("INSERT INTO meta (key, value) VALUES ('logKey', ?) ON CONFLICT (key) DO NOTHING").run(
    randomBytes(32).toString("base64url"),
  );
  const key = db.prepare<[], string>("SELECT value FROM meta WHERE key = 'logKey'").pluck().get();
  if (key === undefined) throw new Error("the key of the log was not stored");
  return key;
}
