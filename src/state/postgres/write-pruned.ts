import type { Pruned } from "../../domain/state/change.ts";
import type { Session } from "./connection/database.ts";

const cycles = "DELETE FROM cycle WHERE job = $1 AND id = ANY($2)";
const events = "DELETE FROM event WHERE job = $1 AND at < $2 AND kind <> ALL($3)";
const decisions = `DELETE FROM decision d WHERE job = $1 AND at < $2
  AND NOT EXISTS (SELECT 1 FROM rejected_change WHERE job = $1 AND decision_id = d.id)`;

/** Removes old cycles, events and decisions, within a commit. The operations of a cycle are removed with it. */
export async function writePruned(session: Session, pruned: Pruned): Promise<void> {
  if (pruned.cycles !== undefined && pruned.cycles.length > 0) await session.run(cycles, pruned.cycles);
  if (pruned.events !== undefined) await session.run(events, pruned.events.before, pruned.events.except);
  if (pruned.decisionsBefore !== undefined) await session.run(decisions, pruned.decisionsBefore);
}
