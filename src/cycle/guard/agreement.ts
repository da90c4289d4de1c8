import { createHash } from "node:crypto";
import { ConfigurationError } from "../../domain/errors.ts";
import type { OperationStatus } from "../../domain/operation.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { CycleContext } from "../context/context.ts";
import { releasedChanges } from "../operations/fingerprint.ts";
import { operationsOf } from "../operations/pages.ts";

/** The operations that would be sent, as a digest and as a number. */
export interface Agreement {
  readonly digest: string;
  readonly operations: number;
}

/** How many earlier cycles are searched for one that began with the same operations. */
const mostBetween = 20;

/**
 * Identifies the operations that a plan would send. A person who has seen them agrees to exactly these: if the plan differs later, so
 * does the digest. Held operations are not sent and do not count.
 */
async function agreementOf(store: StateStore, cycleId: number): Promise<Agreement> {
  const changes = await changesOf(store, cycleId, "planned");
  return { digest: digestOf(changes), operations: changes.length };
}

/**
 * The operations that a cycle is to send.
 * @param agreed the digest of what a person has agreed to; `undefined` if no one was asked
 * @throws ConfigurationError if the person has agreed to other operations
 */
export async function agreementWith(
  { store, cycleId, kind }: Pick<CycleContext, "store" | "cycleId" | "kind">,
  agreed: string | undefined,
): Promise<Agreement> {
  const agreement = await agreementOf(store, cycleId);
  if (agreed === undefined || agreed === agreement.digest) return agreement;
  // A run that began with these operations may have died. The person has seen the operations that it has done and those that are left, together.
  const changes = [...(await changesOf(store, cycleId, "planned"))];
  for (const earlier of await store.recentCycles(mostBetween, cycleId)) {
    if (earlier.kind !== kind || (earlier.outcome !== null && !brokeOff.has(earlier.outcome))) continue;
    changes.push(...(await changesOf(store, earlier.id, "done")));
    if (agreed === digestOf(changes)) return agreement;
  }
  throw new ConfigurationError(
    "the changes are no longer those that were shown: nothing was sent. Check them again",
  );
}

const brokeOff: ReadonlySet<string> = new Set(["interrupted", "failed"]);

async function changesOf(
  store: StateStore,
  cycleId: number,
  status: OperationStatus,
): Promise<readonly string[]> {
  const changes: string[] = [];
  for await (const operation of operationsOf(store, cycleId, { status })) {
    const { objectId, action } = operation;
    // The account did not exist when the person agreed, so they have not seen its id.
    const seen = action === "create" ? { ...operation, latticeId: null } : operation;
    changes.push(JSON.stringify([objectId, action, releasedChanges(seen)]));
  }
  return changes;
}

function digestOf(changes: readonly string[]): string {
  return createHash("sha256")
    .update([...changes].sort().join("\n"))
    .digest("hex");
}
