import { type LinkDecision, linkDecisionText } from "../../domain/link-decision.ts";
import type { Action, Change, Evidence, Operation } from "../../domain/plan.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { doubtOf } from "./doubt.ts";
import { deactivationOff } from "./fate.ts";
import { operation, type Person, type PlanSettings, skip, unchanged } from "./plan-input.ts";

/** Changes that are due for an account, linked or to be linked. */
export interface Due {
  readonly account: LinkedTarget;
  /** The attribute that the account was found by, for the log; `null` if the account is linked. */
  readonly matchedBy: string | null;
  /** The person's decision that links the account, if it is not matching. */
  readonly decision?: LinkDecision | undefined;
  readonly changes: readonly Change[];
  /** Present if one of the changes switches the account off. */
  readonly evidence: Evidence | null;
}

/** Plans the changes that are due: they are sent, or only reported if they are drift and the settings or the mapping say so. */
export function planDue(person: Person, due: Due, settings: PlanSettings): PersonPlan {
  const { changes } = due;
  const reported = changes.filter((change) => isDrift(change) && isReported(change, settings));
  if (reported.length === 0) return planSending(person, due, settings);
  const sent = changes.filter((change) => !reported.includes(change));
  return {
    ...planSending(person, { ...due, changes: sent }, settings),
    reported: operationOn(person, { ...due, changes: reported, matchedBy: null }, settings),
  };
}

/** `true` if drift of this attribute is only reported. */
function isReported({ attribute }: Change, { drift, mapping }: PlanSettings): boolean {
  const owner = mapping.attributes.find(({ target }) => target === attribute)?.owner ?? null;
  return owner === null ? drift === "report" : owner === "report";
}

function planSending(person: Person, due: Due, settings: PlanSettings): PersonPlan {
  const { actions } = settings;
  const { changes, matchedBy, evidence } = due;
  if (changes.length === 0 && matchedBy === null) return unchanged(person);
  const action = actionOf(due);
  if (action === "deactivate" && !actions.deactivate && evidence !== null)
    return deactivationOff(person, evidence);
  if (action === "reactivate" && !actions.create) {
    return skip(person, "actionOff", "actions.create is off, which covers reactivation");
  }
  return { kind: "operation", operation: operationOn(person, due, settings), referencePending: false };
}

/** The operation that makes these changes to an existing account. */
function operationOn(person: Person, due: Due, settings: PlanSettings): Operation {
  const { account, changes, matchedBy } = due;
  const action = actionOf(due);
  const evidence = action === "deactivate" ? due.evidence : null;
  const { decision } = due;
  const doubtful = matchedBy === null || decision !== undefined ? null : doubtOf(person, account);
  const reasons = [evidence?.detail ?? reasonOf(action, due)];
  if (decision !== undefined && evidence !== null) reasons.push(linkDecisionText(decision));
  if (doubtful !== null) reasons.push(`doubtful: ${doubtful}`);
  if (waitsForManager(person, changes)) {
    reasons.push("the manager in Entra has no account in Lattice and will not get one");
  }
  return operation(person, {
    action,
    latticeId: account.latticeId,
    reason: reasons.join("; "),
    evidence,
    changes,
    adopts: matchedBy !== null,
    ...(changes.some(isDrift) ? { drift: "edited" } : {}),
    ...(doubtful === null || settings.doubtful === "link" ? {} : { doubtful }),
  });
}

function actionOf({ changes, matchedBy }: Due): Action {
  const active = changes.find(({ attribute }) => attribute === "active");
  if (active !== undefined) return active.after === true ? "reactivate" : "deactivate";
  return matchedBy === null ? "update" : "link";
}

/** Why it is sent, in words, if not for leaving. */
function reasonOf(action: Action, { changes, matchedBy, decision }: Due): string {
  if (decision !== undefined) return linkDecisionText(decision);
  if (matchedBy !== null) {
    return `existing ${action === "reactivate" ? "inactive " : ""}account with the same ${matchedBy}`;
  }
  if (action === "reactivate") {
    if (changes.some((one) => one.attribute === "active" && one.before === null)) {
      return "enabled and in scope, but Lattice does not show whether the account is active";
    }
    return changes.some((one) => one.attribute === "active" && isDrift(one))
      ? "deactivated in Lattice by hand"
      : "enabled and in scope again";
  }
  if (changes.every(({ again }) => again === true)) {
    return `tried again: Lattice has a different ${attributeList(changes)} than was sent`;
  }
  return `${attributeList(changes)} ${changes.every(isDrift) ? "edited in Lattice by hand" : "changed"}`;
}

/** The manager is cleared although the directory has one. */
function waitsForManager({ managers }: Person, changes: readonly Change[]): boolean {
  return (
    managers.clear &&
    managers.ring.length === 0 &&
    changes.some(({ reference }) => reference?.afterObjectId === null)
  );
}

function isDrift(change: Change): boolean {
  return change.drift === true;
}
