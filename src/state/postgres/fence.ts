import { LeaseHeldError } from "../../domain/errors.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { Session } from "./connection/database.ts";

// The row stays locked until the transaction ends: a take-over comes before a commit, or after it.
const holdLease = "SELECT 1 FROM lease WHERE job = $1 AND owner = $2 FOR UPDATE";

/**
 * Refuses a run that does not hold the lease any more, within the transaction in which it writes.
 * @throws LeaseHeldError
 */
export async function checkFence(session: Session, fence: Fence): Promise<void> {
  if (fence === "private" || (await session.one(holdLease, fence.owner)) !== undefined) return;
  throw new LeaseHeldError(
    "This run no longer holds the lease of the state database: another run took it over. This run stops, and nothing more of it is recorded; what it had sent is looked up by the other run.",
  );
}
