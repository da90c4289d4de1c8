import { createHash } from "node:crypto";
import type { StateStore } from "../../domain/state/store.ts";
import { releasedChanges } from "../operations/fingerprint.ts";
import { operationsOf } from "../operations/pages.ts";

/** The operations that would be sent, as a digest and as a number. */
export interface Agreement {
  readonly digest: string;
  readonly operations: number;
}

/**
 * Identifies the operations that a plan would send. A person who has seen them agrees to exactly these: if the plan differs later, so
 * does the digest. Held operations are not sent and do not count.
 */
export async function agreementOf(store: StateStore, cycleId: number): Promise<Agreement> {
  const changes: string[] = [];
  for await (const operation of operationsOf(store, cycleId, { status: "planned" })) {
    changes.push(JSON.stringify([operation.objectId, operation.action, releasedChanges(operation)]));
  }
  const digest = createHash("sha256").update(changes.sort().join("\n")).digest("hex");
  return { digest, operations: changes.length };
}
