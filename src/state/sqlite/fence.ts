import { LeaseHeldError } from "../../domain/errors.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { Connection } from "./files/database.ts";

/**
 * Refuses a run that does not hold the lease any more, within the transaction in which it writes.
 * @throws LeaseHeldError
 */
export function fenceCheck(db: Connection): (fence: Fence) => void {
  const holder = db.prepare<[], string>("SELECT owner FROM lease WHERE name = 'cycle'").pluck();
  return (fence) => {
    if (fence === "private" || holder.get() === fence.owner) return;
    throw new LeaseHeldError(
      "This run no longer holds the lease of the state database: another run took it over. This run stops, and nothing more of it is recorded; what it had sent is looked up by the other run.",
    );
  };
}
