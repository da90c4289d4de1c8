import { LeaseHeldError, StateError } from "../domain/errors.ts";
import { timeText } from "../domain/sentence.ts";
import type { LeaseRow } from "./records.ts";

/** A run is refused a write, because another one has its lease. */
export function leaseLost(): LeaseHeldError {
  return new LeaseHeldError(
    "This run no longer holds the lease of the state database: another run took it over. This run stops, and nothing more of it is recorded; what it had sent is looked up by the other run.",
  );
}

/** A run is refused a write, because its tables are not those that it knows. @param name of the database, in a sentence */
export function upgradedMeanwhile(name: string): StateError {
  return new StateError(
    `${name} was upgraded by a newer version of azure-lattice-sync while this one was running. This one stops; start the newer version instead. It looks up everything that was sent and not confirmed.`,
  );
}

/** Tables cannot be upgraded, because a run works with them. @param name of the database, in a sentence */
export function heldByOlderVersion(
  name: string,
  held: Pick<LeaseRow, "owner" | "expires_at">,
): LeaseHeldError {
  const [host, pid] = held.owner.split("/");
  return new LeaseHeldError(
    `${name} must be upgraded for this version, but a run of an older version holds its lease (process ${pid} on ${host}). Stop the older one or wait for it to end, then start again. The lease expires by ${timeText(held.expires_at)}.`,
  );
}
