import { randomBytes } from "node:crypto";
import type { Change } from "../../domain/plan.ts";
import { type LogValues, placeholders } from "../logged-values.ts";
import { asJson, type Session } from "./connection/database.ts";

interface Row {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly error: string | null;
}

const read = "SELECT id, changes, error FROM operation WHERE job = $1 AND id = ANY($2)";
const write = `UPDATE operation o SET changes = r.changes, error = r.error
  FROM json_to_recordset($2::json) AS r (id bigint, changes json, error text) WHERE o.job = $1 AND o.id = r.id`;
const makeKey = "INSERT INTO meta (job, key, value) VALUES ($1, 'logKey', $2) ON CONFLICT DO NOTHING";
const readKey = "SELECT value FROM meta WHERE job = $1 AND key = 'logKey'";

/** Replaces the values of operations by placeholders, within a commit. Their outcomes must be known. */
export async function replaceValues(
  session: Session,
  values: LogValues,
  operationIds: readonly number[],
): Promise<void> {
  if (values === "keep" || operationIds.length === 0) return;
  const rows = await session.all<Row>(read, operationIds);
  const key = values === "hash" ? await logKey(session) : "";
  const replaced = placeholders(values, () => key);
  const kept = rows.map(({ id, changes, error }) => ({ id, ...replaced(changes, error) }));
  await session.run(write, asJson(kept));
}

async function logKey(session: Session): Promise<string> {
  const known = await session.one<{ value: string }>(readKey);
  if (known !== undefined) return known.value;
  await session.run(makeKey, randomBytes(32).toString("base64url"));
  const made = await session.one<{ value: string }>(readKey);
  if (made === undefined) throw new Error("the key of the log was not stored");
  return made.value;
}
