import type { Fence } from "../../domain/state/fence.ts";
import { leaseLost } from "../lease-errors.ts";
import type { Connection } from "./files/database.ts";

/**
 * Refuses a run that does not hold the lease any more, within the transaction in which it writes.
 * @throws LeaseHeldError
 */
export function fenceCheck(db: Connection): (fence: Fence) => void {
  const holder = db.prepare<[], string>("SELECT owner FROM lease WHERE name = 'cycle'").pluck();
  return (fence) => {
    if (fence === "private" || holder.get() === fence.owner) return;
    throw leaseLost();
  };
}
