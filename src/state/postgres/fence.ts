import type { Fence } from "../../domain/state/fence.ts";
import { leaseLost, upgradedMeanwhile } from "../lease-errors.ts";
import type { Session } from "./connection/database.ts";
import { newestVersion } from "./schema/migrate.ts";

// The row stays locked until the transaction ends: a take-over comes before a commit, or after it.
const holdLease = `SELECT (SELECT version FROM schema_version) AS version FROM lease
  WHERE job = $1 AND owner = $2 FOR UPDATE OF lease`;

/**
 * Refuses a run that does not hold the lease any more, or whose tables a newer version has changed, within the transaction in which it
 * writes.
 * @throws LeaseHeldError, StateError
 */
export async function checkFence(session: Session, fence: Fence): Promise<void> {
  if (fence === "private") return;
  const held = await session.one<{ version: number }>(holdLease, fence.owner);
  if (held === undefined) {
    throw leaseLost();
  }
  if (held.version > newestVersion()) {
    throw upgradedMeanwhile("the state database");
  }
}
