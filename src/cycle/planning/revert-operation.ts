import type { Change, Operation } from "../../domain/plan.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { revertedFingerprint } from "../operations/fingerprint.ts";
import type { SentOperation } from "./revert-of.ts";

/** The cycle that is reverted, and the plan that reverts it. */
export interface Reverting {
  readonly cycleId: number;
  /** The plan of the revert. */
  readonly planId: string;
}

/** An operation that takes changes back. */
export type RevertingOperation = Operation & { readonly action: "update" | "deactivate" | "reactivate" };

/**
 * The operation that takes these changes back. Each of its changes names the one that is rejected when it is carried out.
 * @param original the operation of the reverted cycle
 * @param reverts of `revertOf`; at least one
 */
export function revertOperation(
  original: SentOperation,
  latticeId: string,
  reverts: readonly Change[],
  { cycleId, planId }: Reverting,
): RevertingOperation {
  const { objectId, userName } = original;
  const active = reverts.find(({ attribute }) => attribute === "active");
  const action = active === undefined ? "update" : active.after === true ? "reactivate" : "deactivate";
  const taken = `cycle ${cycleId} is taken back`;
  return {
    action,
    objectId,
    userName,
    latticeId,
    reason: `${taken}: ${attributeList(reverts)}`,
    evidence: action === "deactivate" ? { kind: "reverted", detail: taken } : null,
    changes: reverts.map((change) => {
      const sent = { ...sentBy(original, change), attribute: change.attribute };
      const evidence = sent.attribute === "active" && sent.after === false ? original.evidence : null;
      const fingerprint = revertedFingerprint({ ...original, latticeId }, sent);
      return { ...change, rejects: { fingerprint, evidence: evidence?.kind ?? null, planId } };
    }),
    adopts: false,
  };
}

/** The change that is taken back. A created account was made active, whether `active` was sent or not. */
function sentBy({ action, changes }: SentOperation, back: Change): Change {
  const sent = changes.find(({ attribute }) => attribute === back.attribute);
  if (sent !== undefined && action !== "create") return sent;
  return { attribute: back.attribute, before: back.after, after: back.before };
}
