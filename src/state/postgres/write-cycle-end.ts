import type { LeftOver, StateChange } from "../../domain/state/change.ts";
import { keptSentence, type LogValues } from "../logged-values.ts";
import { asJson, type Session } from "./connection/database.ts";
import { replaceValues } from "./log-values.ts";

// The status is part of the text, not a parameter, so that PostgreSQL uses the index of unanswered operations and reads no others of the log.
const unanswered = (
  status: LeftOver["status"],
): string => `WHERE job = $1 AND status = '${status}' AND http_status IS NULL
  AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.job = $1 AND operation_id = operation.id)`;
const ofCycle = " AND cycle_id = $2";
const removeEqual = `DELETE FROM operation older USING operation newer
  WHERE newer.job = $1 AND newer.id = ANY($2) AND older.job = $1 AND older.object_id = newer.object_id AND older.id < newer.id
    AND older.status = newer.status AND older.changes::text = newer.changes::text`;
const end = `UPDATE cycle SET finished_at = $3, outcome = $4, error = $5, outcomes = $6::json WHERE job = $1 AND id = $2`;

/** Writes what becomes of operations that a cycle leaves, and how it ended, within a commit. */
export async function writeCycleEnd(
  session: Session,
  { leftOver = [], cycleEnd }: Pick<StateChange, "leftOver" | "cycleEnd">,
  values: LogValues,
): Promise<void> {
  for (const one of leftOver) await writeLeftOver(session, one, values);
  if (cycleEnd === undefined) return;
  const { cycleId, finishedAt, outcome, error, outcomes } = cycleEnd;
  const kept = error === null ? null : keptSentence(values, error);
  await session.run(end, cycleId, finishedAt, outcome, kept, asJson(outcomes));
}

async function writeLeftOver(
  session: Session,
  { cycleId, status, become, replacesEqual }: LeftOver,
  values: LogValues,
): Promise<void> {
  const which = unanswered(status) + (cycleId === undefined ? "" : ofCycle);
  const parameters = cycleId === undefined ? [] : [cycleId];
  if (become === "removed") {
    await session.run(`DELETE FROM operation ${which}`, ...parameters);
    return;
  }
  if (become === "kept" && values === "keep" && replacesEqual !== true) return;
  const rows = await session.all<{ id: number }>(
    become === "cancelled"
      ? `UPDATE operation SET status = 'cancelled' ${which} RETURNING id`
      : `SELECT id FROM operation ${which}`,
    ...parameters,
  );
  const ids = rows.map(({ id }) => id);
  await replaceValues(session, values, ids);
  if (replacesEqual === true && ids.length > 0) await session.run(removeEqual, ids);
}
