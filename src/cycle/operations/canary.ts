import { type Change, certainEvidence, type Operation } from "../../domain/plan.ts";
import { isTemporaryName } from "./temporary-name.ts";

/**
 * `true` if a canary holds the operation, or a part of it: a new configuration is tried on a few people first, and this operation
 * is of another person. Neither what a person has released waits, nor the deactivation of a person who is disabled or deleted in
 * Entra: the directory alone decides on that.
 * @param chosen object ids of the people on whom the configuration is tried
 */
export function waitsForCanary(operation: Operation, chosen: ReadonlySet<string>): boolean {
  const { objectId, action, adopts, changes } = operation;
  // The second step of a rename through a temporary name needs the other people of the ring.
  if (chosen.has(objectId) && !changes.some(({ after }) => isTemporaryName(after))) return false;
  if (leavesCertainly(operation)) return changes.some((change) => waitsOfLeaver(change));
  if (action === "create" && operation.releasedAsShown !== true) return true;
  if (adopts && operation.released !== true) return true;
  return changes.some(({ released }) => released !== true);
}

/** `true` if this change waits for the canary, of an operation that does. */
export function changeWaits(operation: Operation, change: Change): boolean {
  return !leavesCertainly(operation) || waitsOfLeaver(change);
}

/** Of a leaver, only the account is switched off: other values are those of the new configuration. */
function waitsOfLeaver({ attribute, released }: Change): boolean {
  return attribute !== "active" && released !== true;
}

/** `true` if an operation deactivates a person who is disabled or deleted in Entra, whatever the scope is. */
export function leavesCertainly({ action, evidence }: Pick<Operation, "action" | "evidence">): boolean {
  return action === "deactivate" && evidence !== null && certainEvidence.has(evidence.kind);
}
