import { timeText } from "./sentence.ts";
import type { LeaseHolder } from "./state/lease.ts";

/** Which run holds the lease, for a message that goes on with what to do. */
export function heldBy({ owner, acquiredAt }: Pick<LeaseHolder, "owner" | "acquiredAt">): string {
  const [host, pid] = owner.split("/");
  return `another run holds the lease (process ${pid} on ${host}, since ${timeText(acquiredAt)})`;
}
