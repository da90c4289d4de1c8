import type { Action, Change, Evidence, Operation } from "../domain/plan.ts";
import type { Decision, LinkedTarget } from "../domain/store.ts";
import { isEmailAddress } from "../mapping/email-address.ts";
import { activeChange, attributeList, changedAttributes, createChanges } from "./changes.ts";
import { findMatch } from "./match.ts";
import { operation, type PlanInput, type PlanSettings, skip, unchanged } from "./plan-input.ts";

/**
 * Decides what one person needs: a pure function of both pictures and the configuration. Dry run and sync share it.
 */
export function planUser(input: PlanInput, settings: PlanSettings): Decision {
  const { candidate, mapped } = input;
  const { retry, link, rejectedAt } = candidate;
  if (rejectedAt !== null) {
    return skip(
      input,
      "rejected",
      `what was held of this person was rejected on ${new Date(rejectedAt).toISOString()}; left alone until Entra says something new`,
    );
  }
  if (retry !== null && retry.nextTryAt > input.now) {
    return skip(
      input,
      "waitingForRetry",
      `${retry.message}; next try ${new Date(retry.nextTryAt).toISOString()}`,
    );
  }
  const inScope = candidate.source.presence === "present" && candidate.member && mapped.filteredOut === null;
  if (link !== null) return inScope ? planLinked(input, link, settings) : planLeaver(input, link, settings);
  return inScope ? planUnlinked(input, settings) : { kind: "ignored", objectId: candidate.source.objectId };
}

/** A linked person who is gone or out of scope: only `active` is touched. */
function planLeaver(input: PlanInput, link: LinkedTarget, settings: PlanSettings): Decision {
  if (input.mapped.active !== false || !link.active) return unchanged(input);
  return decide(input, link, settings, [activeChange(link, false)], null);
}

function planLinked(input: PlanInput, link: LinkedTarget, settings: PlanSettings): Decision {
  const blocked = nameFault(input) ?? lackingFault(input, { creates: false });
  if (blocked !== null) {
    // What cannot be sent must not keep a leaver's account alive.
    if (input.mapped.active === false && link.active) {
      return decide(input, link, settings, [activeChange(link, false)], null);
    }
    return blocked;
  }
  return planChanges(input, link, settings, null);
}

function planUnlinked(input: PlanInput, settings: PlanSettings): Decision {
  const blocked = nameFault(input) ?? lackingFault(input, { creates: false });
  if (blocked !== null) return blocked;
  const match = findMatch(input, settings);
  if ("decision" in match) return match.decision;
  if (match.account !== null) return planChanges(input, match.account, settings, match.by);
  // Whatever `active` is mapped to, or whether it is mapped at all.
  if (input.mapped.active === false || input.candidate.source.attributes.accountEnabled === false) {
    return skip(input, "disabled", "the account is disabled in Entra; a disabled person is never created");
  }
  if (!settings.actions.create) return skip(input, "actionOff", "actions.create is off");
  const lacking = lackingFault(input, { creates: true });
  if (lacking !== null) return lacking;
  const removed = input.candidate.accountRemoved;
  const creation = operation(input, {
    action: "create",
    latticeId: null,
    reason: removed ? "the account was removed in Lattice" : "new in scope",
    evidence: null,
    changes: createChanges(input),
    adopts: false,
    ...(removed ? { drift: "removed" } : {}),
  });
  if (removed && settings.drift === "report") {
    return {
      ...skip(input, "removedInLattice", "the account was removed in Lattice, and drift is only reported"),
      reported: creation,
    };
  }
  return { kind: "operation", operation: creation, referencePending: false };
}

/** Changes to an account that is linked, or (found by `matchedBy`) about to be. */
function planChanges(
  input: PlanInput,
  link: LinkedTarget,
  settings: PlanSettings,
  matchedBy: string | null,
): Decision {
  const changes = settings.actions.update ? changedAttributes(input, link, matchedBy !== null) : [];
  const { active } = input.mapped;
  if (active === false && link.active && evidenceOf(input) !== null) {
    return decide(input, link, settings, [activeChange(link, false), ...changes], matchedBy);
  }
  if (active === true && !link.active) {
    return decide(input, link, settings, [activeChange(link, true), ...changes], matchedBy);
  }
  return decide(input, link, settings, changes, matchedBy);
}

/** What becomes of the changes that are due: sent, or where they are drift perhaps only reported. */
function decide(
  input: PlanInput,
  link: LinkedTarget,
  settings: PlanSettings,
  changes: readonly Change[],
  matchedBy: string | null,
): Decision {
  const reports = settings.drift === "report" && changes.some(isDrift);
  if (!reports) return decideSending(input, link, settings, changes, matchedBy);
  const rest = changes.filter((change) => !isDrift(change));
  return {
    ...decideSending(input, link, settings, rest, matchedBy),
    reported: operationFor(input, link, changes.filter(isDrift), null),
  };
}

function decideSending(
  input: PlanInput,
  link: LinkedTarget,
  settings: PlanSettings,
  changes: readonly Change[],
  matchedBy: string | null,
): Decision {
  if (changes.length === 0 && matchedBy === null) return unchanged(input);
  const planned = operationFor(input, link, changes, matchedBy);
  if (planned.action === "deactivate" && planned.evidence === null) return unchanged(input);
  if (planned.action === "deactivate" && !settings.actions.deactivate) {
    return skip(input, "actionOff", `${planned.reason}, but actions.deactivate is off`);
  }
  if (planned.action === "reactivate" && !settings.actions.create) {
    return skip(input, "actionOff", "actions.create is off, which covers reactivation");
  }
  return { kind: "operation", operation: planned, referencePending: false };
}

/** The operation that makes these changes to an existing account. */
function operationFor(
  input: PlanInput,
  link: LinkedTarget,
  changes: readonly Change[],
  matchedBy: string | null,
): Operation {
  const action = actionOf(changes, matchedBy);
  const evidence = action === "deactivate" ? evidenceOf(input) : null;
  return operation(input, {
    action,
    latticeId: link.latticeId,
    reason: reasonOf(action, changes, evidence, matchedBy),
    evidence,
    changes,
    adopts: matchedBy !== null,
    ...(changes.some(isDrift) ? { drift: "edited" } : {}),
  });
}

function actionOf(changes: readonly Change[], matchedBy: string | null): Action {
  const active = changes.find(({ attribute }) => attribute === "active");
  if (active !== undefined) return active.after === true ? "reactivate" : "deactivate";
  return matchedBy === null ? "update" : "link";
}

function reasonOf(
  action: Action,
  changes: readonly Change[],
  evidence: Evidence | null,
  matchedBy: string | null,
): string {
  if (evidence !== null) return evidence.detail;
  if (matchedBy !== null) {
    return `existing ${action === "reactivate" ? "inactive " : ""}account with the same ${matchedBy}`;
  }
  if (action === "reactivate") {
    return changes.some((one) => one.attribute === "active" && isDrift(one))
      ? "deactivated in Lattice by hand"
      : "enabled and in scope again";
  }
  return `${attributeList(changes)} ${changes.every(isDrift) ? "edited in Lattice by hand" : "changed"}`;
}

function isDrift(change: Change): boolean {
  return change.drift === true;
}

/** What was seen that allows an account to be switched off; `null` where nothing was. */
function evidenceOf({ candidate, mapped }: PlanInput): Evidence | null {
  const { presence, attributes } = candidate.source;
  if (presence === "softDeleted") return { kind: "softDeleted", detail: "deleted in Entra (recycle bin)" };
  if (presence === "deleted") return { kind: "deleted", detail: "deleted in Entra for good" };
  if (!candidate.member)
    return {
      kind: "leftScope",
      detail: "no longer assigned: the scope was read to its end without this person",
    };
  if (mapped.filteredOut !== null)
    return { kind: "filteredOut", detail: `fails the scoping filter: ${mapped.filteredOut}` };
  if (attributes.accountEnabled === false)
    return { kind: "accountDisabled", detail: "account disabled in Entra" };
  return null;
}

/** A userName that no account can have: not an address, or somebody else's too. */
function nameFault(input: PlanInput): Decision | null {
  const { userName } = input.mapped;
  const problem = input.mapped.problems.find(({ target }) => target === "userName");
  if (problem !== undefined) {
    return skip(input, "mappingFailed", `the userName cannot be worked out: ${problem.reason}`);
  }
  if (userName === null)
    return skip(input, "invalidUserName", "the mapped userName is empty; Lattice needs an e-mail address");
  if (!isEmailAddress(userName)) {
    return skip(
      input,
      "invalidUserName",
      `the mapped userName "${userName}" is no valid e-mail address, which Lattice requires`,
    );
  }
  if (input.sharedWith.length > 0) {
    return skip(
      input,
      "duplicateUserName",
      `the mapped userName "${userName}" is also that of ${input.sharedWith.join(", ")}; make it unique in Entra`,
    );
  }
  return null;
}

/** An attribute that the mapping requires and that has no value, or one of the wrong type. */
function lackingFault(input: PlanInput, { creates }: { readonly creates: boolean }): Decision | null {
  const fault = input.mapped.lacking.find(({ onCreate }) => creates || !onCreate);
  return fault === undefined ? null : skip(input, "mappingFailed", fault.reason);
}
