import type { PlannedFor } from "../domain/state/change.ts";

/**
 * The column `reference_pending` of a person who was planned. 0: nothing is open about the manager. 1: the manager has no account yet.
 * 3: the plan presumes which account will be the manager's. 2 is written when the manager has one: the person is planned in a
 * later round of the same cycle.
 */
export function managerColumn({ awaitsManager, presumesManager }: PlannedFor): 0 | 1 | 3 {
  if (awaitsManager) return 1;
  return presumesManager === true ? 3 : 0;
}
