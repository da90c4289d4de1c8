import { createHash } from "node:crypto";
import type { StateStore } from "../../domain/state/store.ts";
import { releasedChanges } from "../operations/fingerprint.ts";

/** A cycle on demand never has this many operations. */
const limit = 200;

/** The operations that would be sent, as a digest and as a number. */
export interface Agreement {
  readonly digest: string;
  readonly operations: number;
}

/**
 * Identifies the operations that a small plan would send. A person who has seen them agrees to exactly these: if the plan
 * differs later, so does the digest. Held operations are not sent and do not count.
 */
export async function agreementOf(store: StateStore, cycleId: number): Promise<Agreement> {
  const planned = await store.operations(cycleId, { status: "planned", afterWave: -1, afterId: 0, limit });
  const changes = planned
    .map((operation) => JSON.stringify([operation.objectId, operation.action, releasedChanges(operation)]))
    .sort();
  const digest = createHash("sha256").update(changes.join("\n")).digest("hex");
  return { digest, operations: planned.length };
}
