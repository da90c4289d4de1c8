import type { Fence } from "../../domain/state/fence.ts";
import { leaseLost, upgradedMeanwhile } from "../lease-errors.ts";
import type { Session } from "./connection/database.ts";
import { newestVersion } from "./schema/migrate.ts";

// The row stays locked until the transaction ends: another run takes the lease over before this transaction or after it, never during it.
const holdLease = `SELECT (SELECT version FROM schema_version) AS version FROM lease
  WHERE job = $1 AND owner = $2 FOR UPDATE OF lease`;

/**
 * Refuses a run that no longer holds the lease, or whose tables a newer version has changed. Call it within the transaction in which the run
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
