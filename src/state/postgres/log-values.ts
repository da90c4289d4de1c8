import { randomBytes } from "node:crypto";
import type { Change } from "../../domain/plan.ts";
import type { Fence } from "../../domain/state/fence.ts";
import { isEnded, isStricter, type LogValues, placeholders } from "../logged-values.ts";
import { asJson, type Database, type Session } from "./connection/database.ts";
import { checkFence } from "./fence.ts";

interface Row {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly error: string | null;
}

const read = "SELECT id, changes, error FROM operation WHERE job = $1 AND id = ANY($2)";
const write = `UPDATE operation o SET changes = r.changes, error = r.error
  FROM json_to_recordset($2::json) AS r (id bigint, changes json, error text) WHERE o.job = $1 AND o.id = r.id`;
const older = `SELECT id FROM operation WHERE job = $1 AND id > $2 AND ${isEnded}
    AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.job = $1 AND operation_id = operation.id)
  ORDER BY id LIMIT $3`;
const readApplied = "SELECT value FROM meta WHERE job = $1 AND key = 'logValues'";
const writeApplied = `INSERT INTO meta (job, key, value) VALUES ($1, 'logValues', $2)
  ON CONFLICT (job, key) DO UPDATE SET value = excluded.value`;
const makeKey = "INSERT INTO meta (job, key, value) VALUES ($1, 'logKey', $2) ON CONFLICT DO NOTHING";
const readKey = "SELECT value FROM meta WHERE job = $1 AND key = 'logKey'";

const pageSize = 500;

/** Replaces the values of operations by placeholders, within a commit. Their outcomes must be known. */
export async function replaceValues(
  session: Session,
  values: LogValues,
  operationIds: readonly number[],
): Promise<void> {
  if (values === "keep" || operationIds.length === 0) return;
  const key = values === "hash" ? await logKey(session) : "";
  const replaced = placeholders(values, () => key);
  for (let first = 0; first < operationIds.length; first += pageSize) {
    const rows = await session.all<Row>(read, operationIds.slice(first, first + pageSize));
    const kept = rows.map(({ id, changes, error }) => ({ id, ...replaced(changes, error) }));
    await session.run(write, asJson(kept));
  }
}

/**
 * Applies a stricter setting to the entries that were written under an earlier one: once after each change of the setting, in short
 * transactions.
 * @throws LeaseHeldError
 */
export async function replaceOlderValues(db: Database, values: LogValues, fence: Fence): Promise<void> {
  const applied = (await db.one<{ value: string }>(readApplied))?.value ?? "keep";
  if (applied === values) return;
  for (let after = 0, more = isStricter(values, applied); more; ) {
    const rows = await db.transaction(async (session) => {
      await checkFence(session, fence);
      const found = await session.all<{ id: number }>(older, after, pageSize);
      await replaceValues(
        session,
        values,
        found.map(({ id }) => id),
      );
      return found;
    });
    after = rows.at(-1)?.id ?? after;
    more = rows.length === pageSize;
  }
  await db.transaction(async (session) => {
    await checkFence(session, fence);
    await session.run(writeApplied, values);
  });
}

async function logKey(session: Session): Promise<string> {
  const known = await session.one<{ value: string }>(readKey);
  if (known !== undefined) return known.value;
  await session.run(makeKey, randomBytes(32).toString("base64url"));
  const made = await session.one<{ value: string }>(readKey);
  if (made === undefined) throw new Error("the key of the log was not stored");
  return made.value;
}
