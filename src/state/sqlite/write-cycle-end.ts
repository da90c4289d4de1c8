import { actions } from "../../domain/plan.ts";
import type { LeftOver, StateChange } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";
import type { ValueKeeper } from "./log-values.ts";
import { operationIds } from "./operation-ids.ts";
import { given } from "./tuning.ts";

/** Writes what becomes of operations that a cycle leaves, and how it ended, within a commit. */
export function cycleEndWriter(
  db: Connection,
  values: ValueKeeper,
): (change: Pick<StateChange, "leftOver" | "cycleEnd">) => void {
  const givenIds = operationIds(db);
  // Each action is named, so that the index finds each status: what earlier cycles have reported is not looked through again.
  const anyAction = actions.map((action) => `'${action}'`).join(", ");
  const unanswered = `SELECT id FROM operation INDEXED BY operation_kind
     WHERE action IN (${anyAction}) AND status = :status AND http_status IS NULL
       AND id NOT IN (SELECT operation_id FROM intent)`;
  const ofEvery = db.prepare<{ status: string }, number>(unanswered).pluck();
  const ofCycle = db
    .prepare<{ status: string; cycleId: number }, number>(
      `${unanswered} AND cycle_id = ${given(":cycleId")}
         AND id >= (SELECT min(id) FROM operation WHERE cycle_id = ${given(":cycleId")})`,
    )
    .pluck();
  const remove = db.prepare<[number]>("DELETE FROM operation WHERE id = ?");
  const cancel = db.prepare<[number]>("UPDATE operation SET status = 'cancelled' WHERE id = ?");
  const removeEqual = db.prepare<{ id: number }>(
    `DELETE FROM operation WHERE id IN (SELECT older.id FROM operation older JOIN operation newer USING (object_id)
       WHERE newer.id = :id AND older.id < newer.id AND older.status = newer.status
         AND (SELECT changes FROM operation_changes WHERE id = older.id) = (SELECT changes FROM operation_changes WHERE id = newer.id))`,
  );
  const end = db.prepare<[number, string, string | null, string, number]>(
    "UPDATE cycle SET finished_at = ?, outcome = ?, error = ?, outcomes = ? WHERE id = ?",
  );
  const apply = ({ cycleId, status, become, replacesEqual }: LeftOver): void => {
    const ids = cycleId === undefined ? ofEvery.all({ status }) : ofCycle.all({ status, cycleId });
    if (become === "removed") givenIds.beforeRemoved(ids);
    for (const id of ids) {
      if (become === "removed") {
        remove.run(id);
        continue;
      }
      if (become === "cancelled") cancel.run(id);
      values.replace(id);
      if (replacesEqual === true) removeEqual.run({ id });
    }
  };
  return ({ leftOver = [], cycleEnd }) => {
    for (const one of leftOver) apply(one);
    if (cycleEnd === undefined) return;
    const { cycleId, finishedAt, outcome, error, outcomes } = cycleEnd;
    const kept = error === null ? null : values.sentence(error);
    end.run(finishedAt, outcome, kept, JSON.stringify(outcomes), cycleId);
  };
}
