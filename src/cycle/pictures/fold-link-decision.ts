import type { StateEvent } from "../../domain/event.ts";
import type { LinkDecision } from "../../domain/link-decision.ts";
import type { AccountRow, StateChange } from "../../domain/state/change.ts";
import { accountTakenOver, linkDecided } from "./marks.ts";

/**
 * Folds a person's decision to link a user to an account: the next plan links them.
 * @param earlier decisions about the user or the account; it replaces those by which another of the two was linked
 */
export function foldLink(
  decision: LinkDecision,
  earlier: readonly LinkDecision[],
  event: StateEvent,
): StateChange {
  const replaced = earlier.filter(
    ({ what, latticeId, objectId }) =>
      what === "linked" && (latticeId !== decision.latticeId || objectId !== decision.objectId),
  );
  return {
    linkDecisions: { drop: replaced, put: [decision] },
    marks: linkDecided(decision.objectId),
    events: [{ event, at: decision.at }],
  };
}

/**
 * Folds a person's decision that the account is not the user's: the link ends at once, and matching does not make it again.
 * @param row the account, as it is stored
 */
export function foldUnlink(decision: LinkDecision, row: AccountRow, event: StateEvent): StateChange {
  const { latticeId, objectId, at } = decision;
  return {
    accounts: { losing: [latticeId], put: [{ ...row, objectId: null, acknowledged: {}, drifted: {} }] },
    linkDecisions: { put: [decision] },
    marks: [...linkDecided(objectId), ...accountTakenOver(objectId)],
    events: [{ event, at }],
  };
}
