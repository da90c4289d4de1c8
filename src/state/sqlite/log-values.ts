import { randomBytes } from "node:crypto";
import type { Change } from "../../domain/plan.ts";
import type { Fence } from "../../domain/state/fence.ts";
import { isEnded, isStricter, keptSentence, type LogValues, placeholders } from "../logged-values.ts";
import { fenceCheck } from "./fence.ts";
import type { Connection } from "./files/database.ts";
import { operationsWithChanges } from "./plan-log.ts";

/** The store's treatment of values of operations that have ended. */
export interface ValueKeeper {
  /** A sentence of a cycle as the log keeps it. Words of Entra or Lattice about single people count as values. */
  sentence(text: string): string;
  /** Replaces an operation's values by placeholders. Its outcome must be known. */
  replace(operationId: number): void;
  /**
   * Applies a stricter setting to the entries that were written under an earlier one: once after each change of the setting,
   * in short transactions.
   * @throws LeaseHeldError
   */
  replaceOlder(fence: Fence): Promise<void>;
}

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
     WHERE id > ? AND ${isEnded}
       AND id NOT IN (SELECT operation_id FROM intent) ORDER BY id LIMIT ?`,
  );
  const readApplied = db.prepare<[], string>("SELECT value FROM meta WHERE key = 'logValues'").pluck();
  const writeApplied = db.prepare<[string]>(
    "INSERT INTO meta (key, value) VALUES ('logValues', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const checkFence = fenceCheck(db);
  const replaced = placeholders(values, () => logKey(db));
  const replaceIn = (row: Row): void => {
    const { changes, error } = replaced(JSON.parse(row.changes) as Change[], row.error);
    writeChanges.run(JSON.stringify(changes), row.id);
    if (error !== null) writeError.run(error, row.id);
  };
  return {
    sentence: (text) => keptSentence(values, text),
    replace: (operationId) => {
      if (values === "keep") return;
      const row = read.get(operationId);
      if (row !== undefined) replaceIn(row);
    },
    replaceOlder: async (fence) => {
      const applied = readApplied.get() ?? "keep";
      if (applied === values) return;
      if (isStricter(values, applied)) {
        let after = 0;
        for (;;) {
          const rows = older.all(after, pageSize);
          const last = rows.at(-1);
          if (last === undefined) break;
          db.transaction(() => {
            checkFence(fence);
            rows.forEach(replaceIn);
          }).immediate();
          after = last.id;
          // The lease can be renewed between two pages.
          await new Promise(setImmediate);
        }
      }
      db.transaction(() => {
        checkFence(fence);
        writeApplied.run(values);
      }).immediate();
    },
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
