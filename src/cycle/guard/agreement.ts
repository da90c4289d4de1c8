import { createHash } from "node:crypto";
import type { StateStore } from "../../domain/state/store.ts";
import { releasedChanges } from "../operations/fingerprint.ts";

/** More than a cycle on demand can have. */
const limit = 200;

/** What would be sent. */
export interface Agreement {
  readonly digest: string;
  readonly operations: number;
}

/**
 * Stands for what a small plan would send: whoever has seen it agrees to this, and to nothing that was planned otherwise
 * since. What the guard holds is not sent, and no part of it.
 */
export async function agreementOf(store: StateStore, cycleId: number): Promise<Agreement> {
  const planned = await store.operations(cycleId, { status: "planned", afterWave: -1, afterId: 0, limit });
  const changes = planned
    .map((operation) => JSON.stringify([operation.objectId, operation.action, releasedChanges(operation)]))
    .sort();
  const digest = createHash("sha256").update(changes.join("\n")).digest("hex");
  return { digest, operations: planned.length };
}
