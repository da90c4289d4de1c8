import type { PlannedFor } from "../domain/state/change.ts";

/** The values of the column `reference_pending`: what is open about a person's manager. */
export const manager = {
  /** Nothing. */
  settled: 0,
  /** The manager has no account yet. */
  awaited: 1,
  /** The manager, who was awaited, has an account: the person is planned in a later round of the same cycle. */
  found: 2,
  /** The plan presumes which account will be the manager's. */
  presumed: 3,
} as const;

/** The column of a person who was planned. */
export function referencePending({ awaitsManager, presumesManager }: PlannedFor): number {
  if (awaitsManager) return manager.awaited;
  return presumesManager === true ? manager.presumed : manager.settled;
}
