import type { Action, Change, Evidence, LeavingEvent, Operation, SkipCode } from "../../domain/plan.ts";
import type { Candidate, Decision, LinkedTarget, MatchedTarget } from "../../domain/store.ts";
import { isEmailAddress } from "../../mapping/rules/email-address.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import { missingReason } from "../reading/missing.ts";
import { foreignId } from "./carried-ids.ts";
import { activeChange, attributeList, changedAttributes, createChanges } from "./changes.ts";
import { doubtOf } from "./doubt.ts";
import { isInScope } from "./in-scope.ts";
import { judgeLeaving, type Leaving, leavingReason, seenEvents } from "./leaving.ts";
import { ringReason } from "./manager-ring.ts";
import { findMatch, idHolderOf, isProtected, skipHeld, skipProtected } from "./match.ts";
import { othersList } from "./others.ts";
import type { Owner } from "./owners.ts";
import { operation, type PlanInput, type PlanSettings, skip, unchanged } from "./plan-input.ts";

/**
 * Decides what one person needs: a pure function of both pictures and the configuration. Dry run and sync share it.
 */
export function planUser(input: PlanInput, settings: PlanSettings): Decision {
  const decision = withoutProtected(input, decideUser(input, settings), settings);
  const lookAgainAt = earlier(decision.lookAgainAt ?? null, input.mapped.lookAgainAt);
  const events = toRemember(input);
  return {
    ...decision,
    ...(lookAgainAt === null ? {} : { lookAgainAt }),
    ...(sameEvents(events, input.candidate.events) ? {} : { events }),
  };
}

/** The manager of somebody in a ring of managers is not sent: that is told, beside what is sent or where nothing else is due. */
export function withRing(input: PlanInput, decision: Decision): Decision {
  const { ring } = input.managers;
  const { link } = input.candidate;
  if (ring.length === 0 || !isInScope(input.candidate, input.mapped)) return decision;
  // An account that stays inactive gets no manager.
  if (input.mapped.active === false && link?.active === false) return decision;
  if (decision.kind === "unchanged") return { ...decision, ...skip(input, "managerRing", ringReason(ring)) };
  if (decision.kind !== "operation") return decision;
  const { operation: planned } = decision;
  if (planned.action === "deactivate") return decision;
  const lookAgainAt = earlier(decision.lookAgainAt ?? null, input.now) ?? input.now;
  const reason = `${planned.reason}; ${ringReason(ring)}`;
  return { ...decision, lookAgainAt, operation: { ...planned, reason } };
}

/** A protected account stays as it is, linked or not, and its userName is given to no other account. */
function withoutProtected(input: PlanInput, decision: Decision, settings: PlanSettings): Decision {
  if (decision.kind !== "operation" || settings.protectedAccounts.size === 0) return decision;
  const { link } = input.candidate;
  if (link !== null && isProtected(link, settings)) return skipProtected(input, link);
  const { operation: planned } = decision;
  const name = planned.changes.find(({ attribute }) => attribute === "userName")?.after;
  if (typeof name !== "string" || !settings.protectedAccounts.has(name.toLowerCase())) return decision;
  if (planned.action === "deactivate") {
    // What cannot be sent must not keep a leaver's account alive.
    const changes = planned.changes.filter(({ attribute }) => attribute !== "userName");
    return { ...decision, operation: { ...planned, changes } };
  }
  return skip(
    input,
    "protectedAccount",
    `the userName "${name}" is protected (matching.protected): no account gets it`,
  );
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** Since when things were seen of somebody who has, or may have, an account; of others nobody asks. */
function toRemember(input: PlanInput): ReadonlyMap<LeavingEvent, number> {
  const { candidate, matches } = input;
  const matched = matches !== null && matches.byUserName.length + matches.byExternalId.length > 0;
  if (candidate.link === null && candidate.lostLinks.length === 0 && !matched) return new Map();
  return new Map(seenEvents(input).map(({ event, since }) => [event, since]));
}

function sameEvents(
  one: ReadonlyMap<LeavingEvent, number>,
  other: ReadonlyMap<LeavingEvent, number>,
): boolean {
  return one.size === other.size && [...one].every(([event, since]) => other.get(event) === since);
}

function decideUser(input: PlanInput, settings: PlanSettings): Decision {
  const { candidate } = input;
  const { retry } = candidate;
  if (retry !== null && retry.nextTryAt > input.now) {
    // What failed for another reason must not keep a leaver's account alive.
    const decision = decideNow(input, settings);
    if (switchesOff(decision)) return decision;
    const rest = retry.paths === undefined ? null : withoutPaths(decision, retry.paths);
    if (rest !== null) return rest;
    return skip(
      input,
      "waitingForRetry",
      `${retry.message}; next try ${new Date(retry.nextTryAt).toISOString()}`,
    );
  }
  return decideNow(input, settings);
}

function decideNow(input: PlanInput, settings: PlanSettings): Decision {
  const { candidate, mapped } = input;
  const { link } = candidate;
  const undecided = scopeUnknown(input);
  if (undecided !== null) return undecided;
  const inScope = isInScope(candidate, mapped);
  if (link !== null) {
    const decision = inScope ? planLinked(input, link, settings) : planLeaver(input, link, settings);
    return (
      missingFault(input, link, decision) ??
      secondAccount(input, link, decision, settings) ??
      unshownFault(input, decision) ??
      externalIdFault(input, link, decision, settings) ??
      decision
    );
  }
  // Whoever has left is switched off whatever else is wrong with them.
  const returned = inScope && mapped.active !== false ? null : planReturned(input, settings);
  if (returned !== null) return returned;
  if (!inScope) return { kind: "ignored", objectId: candidate.source.objectId };
  const decision = planUnlinked(input, settings);
  // What is wrong with the name is told of a linked account as well.
  const named = decision.kind === "skipped" && nameFaults.has(decision.skipped.code);
  return (named ? planReturned(input, settings) : null) ?? decision;
}

const nameFaults: ReadonlySet<SkipCode> = new Set(["duplicateUserName", "invalidUserName"]);

/** What is due beside the attributes that were refused and wait; `null` where it is nothing. */
function withoutPaths(decision: Decision, paths: readonly string[]): Decision | null {
  if (decision.kind !== "operation") return decision;
  const { operation: planned } = decision;
  const changes = planned.changes.filter(({ attribute }) => !paths.includes(attribute));
  if (changes.length === planned.changes.length) return decision;
  if (changes.length === 0 && !planned.adopts) return null;
  const reason = planned.action === "update" ? `${attributeList(changes)} changed` : planned.reason;
  return { ...decision, operation: { ...planned, changes, reason } };
}

/** Where the scoping filters ask about what Entra did not show, nobody can tell who is in scope. */
function scopeUnknown(input: PlanInput): Decision | null {
  const { candidate, mapped } = input;
  const { presence, attributes } = candidate.source;
  if (mapped.scopeUnshown.length === 0 || mapped.excluded) return null;
  // Who is gone, not a member, or disabled is not to be active whatever the filters say.
  if (presence !== "present" || !candidate.member || attributes.accountEnabled === false) return null;
  return skip(
    input,
    "propertyNotShown",
    `Entra did not show ${mapped.scopeUnshown.join(", ")}, which the scoping filters ask about: nothing is done until it does`,
  );
}

/** Where a linked person needs nothing else, what could not be worked out is told. */
function unshownFault(input: PlanInput, decision: Decision): Decision | null {
  const { unshown } = input.mapped;
  if (unshown.length === 0 || decision.kind !== "unchanged" || !isInScope(input.candidate, input.mapped)) {
    return null;
  }
  const properties = [...new Set(unshown.flatMap((one) => one.properties))].join(", ");
  const targets = unshown.map(({ target }) => shortPath(target)).join(", ");
  return skip(input, "propertyNotShown", `Entra did not show ${properties}: ${targets} stays as it is`);
}

/** A new account, or the search for one, must not rest on what Entra did not show. */
function unshownIdentity(input: PlanInput): Decision | null {
  const { source } = input.candidate;
  const needed = new Set(["userName", "externalId", "active"]);
  const properties = new Set([
    ...input.mapped.unshown.filter(({ target }) => needed.has(target)).flatMap((one) => one.properties),
    ...(source.unshown ?? []).filter((name) => name === "accountEnabled"),
  ]);
  if (properties.size === 0) return null;
  return skip(
    input,
    "propertyNotShown",
    `Entra did not show ${[...properties].join(", ")} of this person: no account is made or linked until it does`,
  );
}

/** If a linked person needs nothing else, an account with another externalId is told: the mapping may not send it again. */
function externalIdFault(
  input: PlanInput,
  link: LinkedTarget,
  decision: Decision,
  settings: PlanSettings,
): Decision | null {
  const foreign = foreignId(link, input.mapped);
  if (foreign === null) return null;
  const edited = Object.hasOwn(link.drifted, "externalId");
  if (!edited && !mayHaveChanged(input, settings)) return null;
  const reason = edited
    ? `the external id of the Lattice account ${link.latticeId} was changed to "${foreign}" in Lattice, which is nobody's in scope; write "${input.mapped.externalId ?? ""}" into it there`
    : `the Lattice account ${link.latticeId} has the external id "${foreign}", and Entra has "${input.mapped.externalId ?? ""}" for this person by now; it is sent only with a new account: write it into this one in Lattice`;
  if (decision.kind === "unchanged") return skip(input, "externalIdConflict", reason);
  if (decision.kind !== "operation") return null;
  // Told with what is sent, and again once nothing else is due.
  const lookAgainAt = earlier(decision.lookAgainAt ?? null, input.now) ?? input.now;
  const { operation: planned } = decision;
  return {
    ...decision,
    lookAgainAt,
    operation: { ...planned, reason: `${planned.reason}; ${reason}` },
  };
}

/** Whether Entra may give the person another externalId by now; settings let accounts keep those of others, too. */
function mayHaveChanged(
  { candidate, mapped }: PlanInput,
  { adoptForeignExternalId, formerOwner }: PlanSettings,
): boolean {
  const steady = candidate.externalIdKey === null;
  return !steady && !adoptForeignExternalId && formerOwner === "report" && isInScope(candidate, mapped);
}

function switchesOff(decision: Decision): boolean {
  return decision.kind === "operation" && decision.operation.action === "deactivate";
}

/** An account may have been made already: it must not be made a second time. */
function inDoubt({ retry }: Candidate): string {
  return retry?.message ?? "an earlier write is unconfirmed, and could not be looked up yet";
}

/** Where nothing is to be written to an account that cannot be found, that it cannot is told. */
function missingFault(input: PlanInput, link: LinkedTarget, decision: Decision): Decision | null {
  const { accountMissingSince } = input.candidate;
  if (accountMissingSince === null || decision.kind !== "unchanged") return null;
  return skip(input, "accountMissing", missingReason(link.latticeId, accountMissingSince, input.now));
}

/**
 * A person who is not to be active, and whose link was lost: where the account is there again, or one that carries the
 * person's externalId, it is linked, and switched off for what was seen of the person. Nobody else's account is touched.
 * `null` where there is no such account.
 */
function planReturned(input: PlanInput, settings: PlanSettings): Decision | null {
  const account = returnedAccount(input);
  if (account === null) return null;
  if (isProtected(account, settings)) return skipProtected(input, account);
  const switchedOff = account.active !== false && input.mapped.active === false;
  if (switchedOff) {
    const staying = stays(input, settings);
    if (staying !== null) return staying;
  }
  const changes = switchedOff ? [activeChange(account, false)] : [];
  return decide(input, account, settings, changes, lostId);
}

/**
 * A person who has left, whose account is switched off, and who has a second one: the account whose link was lost is there
 * again, and active. The link goes over to it, so that it is switched off too.
 */
function secondAccount(
  input: PlanInput,
  link: LinkedTarget,
  decision: Decision,
  settings: PlanSettings,
): Decision | null {
  if (decision.kind !== "unchanged" || input.mapped.active !== false || link.active !== false) return null;
  return returnedAccount(input)?.active === true ? planReturned(input, settings) : null;
}

/** What a lost account is matched by, in the log. */
const lostId = "id as the lost one";

function returnedAccount({ candidate, matches }: PlanInput): MatchedTarget | null {
  if (candidate.lostLinks.length === 0 || matches === null) return null;
  const ids = new Set([
    candidate.source.objectId,
    ...candidate.lostLinks.flatMap(({ externalId }) => externalId ?? []),
  ]);
  const own = [...matches.byLostLink, ...matches.byExternalId].filter(
    ({ linkedTo, externalId }) => linkedTo === null && externalId !== null && ids.has(externalId),
  );
  return own.find(({ active }) => active !== false) ?? own[0] ?? null;
}

/** The account was another person's until now: the log says whose. */
function handedOver(decision: Decision, owner: Owner | undefined): Decision {
  if (owner === undefined || decision.kind !== "operation") return decision;
  const { operation: planned } = decision;
  const reason = `${planned.reason}, until now that of ${owner.name} (${owner.objectId})`;
  return { ...decision, operation: { ...planned, reason, formerOwner: owner.objectId } };
}

/** A linked person who is gone or out of scope: only `active` is touched, and a userName that another person needs. */
function planLeaver(input: PlanInput, link: LinkedTarget, settings: PlanSettings): Decision {
  const name = idHolderOf(input, link) === null ? leaversName(input, link, settings) : [];
  if (input.mapped.active !== false || link.active === false) {
    return decide(input, link, settings, name, null);
  }
  return stays(input, settings) ?? decide(input, link, settings, [activeChange(link, false), ...name], null);
}

/**
 * A leaver who was given another userName in Entra gives the old one up in Lattice, where the next person needs it. Of a
 * person who was deleted for good nothing says a name.
 */
function leaversName(input: PlanInput, link: LinkedTarget, settings: PlanSettings): readonly Change[] {
  const silent = input.candidate.source.presence === "deleted" || !settings.actions.update;
  if (silent || !input.nameWanted || nameFault(input) !== null || leavingOf(input, settings).kind !== "due")
    return [];
  return changedAttributes(input, link, false).filter(({ attribute }) => attribute === "userName");
}

function planLinked(input: PlanInput, link: LinkedTarget, settings: PlanSettings): Decision {
  const holder = idHolderOf(input, link);
  const held = holder === null ? null : skipHeld(input, link, holder);
  const blocked = held ?? nameFault(input) ?? lackingFault(input, { creates: false });
  if (blocked !== null) {
    // What cannot be sent must not keep a leaver's account alive.
    if (input.mapped.active === false && link.active !== false && !isUnfounded(input, settings)) {
      return stays(input, settings) ?? decide(input, link, settings, [activeChange(link, false)], null);
    }
    return blocked;
  }
  return planChanges(input, link, settings, null);
}

function planUnlinked(input: PlanInput, settings: PlanSettings): Decision {
  const unshown = unshownIdentity(input);
  if (unshown !== null) return unshown;
  const blocked = nameFault(input) ?? lackingFault(input, { creates: false });
  if (blocked !== null) return blocked;
  if (input.sharedIdWith.count > 0) {
    return skip(
      input,
      "duplicateExternalId",
      `the mapped externalId "${input.mapped.externalId ?? ""}" is also that of ${othersList(input.sharedIdWith)}; make it unique in Entra`,
    );
  }
  const match = findMatch(input, settings);
  if ("decision" in match) return match.decision;
  if (match.account !== null) {
    return handedOver(planChanges(input, match.account, settings, match.by), match.formerOwner);
  }
  // A lost account that is there again is this person's, whatever accounts are matched by.
  const returned = returnedAccount(input);
  if (returned !== null) {
    return isProtected(returned, settings)
      ? skipProtected(input, returned)
      : planChanges(input, returned, settings, lostId);
  }
  // Whatever `active` is mapped to, or whether it is mapped at all.
  if (input.mapped.active === false || input.candidate.source.attributes.accountEnabled === false) {
    return skip(input, "disabled", "the account is disabled in Entra; a disabled person is never created");
  }
  if (!settings.actions.create) return skip(input, "actionOff", "actions.create is off");
  if (input.candidate.unconfirmed) return skip(input, "waitingForRetry", inDoubt(input.candidate));
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
  const { active } = input.mapped;
  if (active === false) {
    if (link.active !== false) {
      const staying = stays(input, settings);
      if (staying !== null) return staying;
    } else if (matchedBy === null && leavingOf(input, settings).kind === "ignored") {
      return unchanged(input);
    }
  }
  const changes = settings.actions.update ? changedAttributes(input, link, matchedBy !== null) : [];
  if (active === false && link.active !== false && evidenceOf(input, settings) !== null) {
    return decide(input, link, settings, [activeChange(link, false), ...changes], matchedBy);
  }
  if (active === true && link.active !== true) {
    return decide(input, link, settings, [activeChange(link, true), ...changes], matchedBy);
  }
  const unsent = settings.actions.update || matchedBy !== null ? [] : changedAttributes(input, link, false);
  if (unsent.length > 0) {
    return skip(
      input,
      "actionOff",
      `actions.update is off, so that Lattice keeps another ${attributeList(unsent)}`,
    );
  }
  return decide(input, link, settings, changes, matchedBy);
}

/** Somebody who shall not be active, and whose account is left alone, for now or for good; `null` for everybody else. */
function stays(input: PlanInput, settings: PlanSettings): Decision | null {
  const leaving = leavingOf(input, settings);
  if (leaving.kind === "none" && input.unconfirmed !== null) {
    return skip(
      input,
      "leavingUnconfirmed",
      `seems to have left, and Entra did not confirm it when asked by id (${withoutStop(input.unconfirmed)}); asked again in the next cycle`,
    );
  }
  if (leaving.kind === "ignored") return skip(input, "eventIgnored", leavingReason(leaving));
  if (leaving.kind !== "waiting") return null;
  if (!settings.actions.deactivate) return deactivationOff(input, leaving.seen.evidence.detail);
  return { ...skip(input, "deactivationDelayed", leavingReason(leaving)), lookAgainAt: leaving.until };
}

function leavingOf(input: PlanInput, settings: PlanSettings): Leaving {
  const seen = seenEvents(input, input.leftOut);
  // That an account is disabled was read as a value; that somebody is missing from a list may pass.
  const believed = input.unconfirmed === null ? seen : seen.filter(({ event }) => event === "disabled");
  return judgeLeaving(believed, settings.events, input.now);
}

/** The mapping says that the person shall not be active, and nothing was seen that allows it. */
function isUnfounded(input: PlanInput, settings: PlanSettings): boolean {
  return input.unconfirmed === null && leavingOf(input, settings).kind === "none";
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

function deactivationOff(input: PlanInput, reason: string): Decision {
  return skip(input, "actionOff", `${reason}, but actions.deactivate is off`);
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
    reported: operationFor(input, link, settings, changes.filter(isDrift), null),
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
  const planned = operationFor(input, link, settings, changes, matchedBy);
  if (planned.action === "deactivate" && planned.evidence === null) return unchanged(input);
  if (planned.action === "deactivate" && !settings.actions.deactivate) {
    return deactivationOff(input, planned.reason);
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
  settings: PlanSettings,
  changes: readonly Change[],
  matchedBy: string | null,
): Operation {
  const action = actionOf(changes, matchedBy);
  const evidence = action === "deactivate" ? evidenceOf(input, settings) : null;
  const doubtful = matchedBy === null ? null : doubtOf(input, link);
  const reason = reasonOf(action, changes, evidence, matchedBy);
  return operation(input, {
    action,
    latticeId: link.latticeId,
    reason: [
      reason,
      ...(doubtful === null ? [] : [`doubtful: ${doubtful}`]),
      ...(waitsForManager(input, changes)
        ? ["the manager in Entra has no account in Lattice and gets none"]
        : []),
    ].join("; "),
    evidence,
    changes,
    adopts: matchedBy !== null,
    ...(changes.some(isDrift) ? { drift: "edited" } : {}),
    ...(doubtful === null ? {} : { doubtful }),
  });
}

/** The manager is cleared although the directory has one. */
function waitsForManager({ managers }: PlanInput, changes: readonly Change[]): boolean {
  return (
    managers.clear &&
    managers.ring.length === 0 &&
    changes.some(({ reference }) => reference?.afterObjectId === null)
  );
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
    if (changes.some((one) => one.attribute === "active" && one.before === null)) {
      return "enabled and in scope, and Lattice does not show whether the account is active";
    }
    return changes.some((one) => one.attribute === "active" && isDrift(one))
      ? "deactivated in Lattice by hand"
      : "enabled and in scope again";
  }
  if (changes.every(({ again }) => again === true)) {
    return `tried again: Lattice keeps another ${attributeList(changes)} than it was sent`;
  }
  return `${attributeList(changes)} ${changes.every(isDrift) ? "edited in Lattice by hand" : "changed"}`;
}

function isDrift(change: Change): boolean {
  return change.drift === true;
}

/** What was seen that allows an account to be switched off now; `null` where nothing was. */
function evidenceOf(input: PlanInput, settings: PlanSettings): Evidence | null {
  const leaving = leavingOf(input, settings);
  return leaving.kind === "due" ? leaving.seen.evidence : null;
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
      `the mapped userName "${userName}" is not a valid e-mail address, which Lattice requires`,
    );
  }
  if (input.sharedWith.count > 0) {
    return skip(
      input,
      "duplicateUserName",
      `the mapped userName "${userName}" is also that of ${othersList(input.sharedWith)}; make it unique in Entra`,
    );
  }
  return null;
}

/** An attribute that the mapping requires and that has no value, or one of the wrong type. */
function lackingFault(input: PlanInput, { creates }: { readonly creates: boolean }): Decision | null {
  const fault = input.mapped.lacking.find(({ onCreate }) => creates || !onCreate);
  return fault === undefined ? null : skip(input, "mappingFailed", fault.reason);
}
