import type { Pruned } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";
import { operationIds } from "./operation-ids.ts";

/** Removes what is old enough to go, within a commit; the operations of a cycle go with it. */
export function prunedWriter(db: Connection): (pruned: Pruned) => void {
  const ids = operationIds(db);
  const cycle = db.prepare<[number]>("DELETE FROM cycle WHERE id = ?");
  const events = db.prepare<[number, string]>(
    "DELETE FROM event WHERE at < ? AND json_extract(data, '$.kind') NOT IN (SELECT value FROM json_each(?))",
  );
  const decisions = db.prepare<[number]>(
    "DELETE FROM decision WHERE at < ? AND id NOT IN (SELECT decision_id FROM rejected_change WHERE decision_id IS NOT NULL)",
  );
  return (pruned) => {
    if (pruned.cycles !== undefined && pruned.cycles.length > 0) {
      ids.beforePruned(pruned.cycles);
      for (const id of pruned.cycles) cycle.run(id);
    }
    if (pruned.events !== undefined) events.run(pruned.events.before, JSON.stringify(pruned.events.except));
    if (pruned.decisionsBefore !== undefined) decisions.run(pruned.decisionsBefore);
  };
}
