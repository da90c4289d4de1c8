import type { LeavingEvent } from "../../domain/plan.ts";
import { withoutStop } from "../../domain/sentence.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { Candidate, PersonPlan } from "../../domain/state/planning.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { isProtected } from "../operations/protected-account.ts";
import { leftForNextCycle } from "../pictures/marks.ts";
import { type Due, planDue } from "./account-operation.ts";
import { activeChange, changedAttributes, createChanges } from "./changes.ts";
import { fateOf, skipStaying } from "./fate.ts";
import {
  lackingFault,
  nameFault,
  nameFaults,
  scopeUnknown,
  sharedIdFault,
  unshownIdentity,
} from "./faults.ts";
import { lostId, planLeaver, planReturned, planSecondAccount, returnedAccount } from "./leavers.ts";
import { findMatch, idHolderOf, skipHeld } from "./match.ts";
import { externalIdNotice, missingNotice, unshownNotice } from "./notices.ts";
import type { Owner } from "./owners.ts";
import {
  operation,
  type Person,
  type PlanInput,
  type PlanSettings,
  personOf,
  skip,
  unchanged,
} from "./plan-input.ts";
import { skipProtected, withoutProtected } from "./protected.ts";
import { whileWaiting } from "./retry-wait.ts";

/** Plans one person: a pure function of what is known of the person and of the settings. */
export function planPerson(input: PlanInput, settings: PlanSettings): PersonPlan {
  const person = personOf(input, settings);
  const { retry } = input.candidate;
  // A protected account is not written, and so does not wait for a retry either.
  const planned = withoutProtected(person, planNow(person, settings), settings);
  const kept = planned.kind === "skipped" && planned.skipped.code === "protectedAccount";
  const waits = retry !== null && retry.nextTryAt > input.now && !kept;
  const due = waits ? whileWaiting(person, planned, retry) : planned;
  const plan = doubtNotice(person, due) ?? due;
  const lookAgainAt = earlier(plan.lookAgainAt ?? null, input.mapped.lookAgainAt);
  return {
    ...plan,
    ...(lookAgainAt === null ? {} : { lookAgainAt }),
    events: eventsToRemember(person),
  };
}

/** The plan as it would be without the retry schedule. */
function planNow(person: Person, settings: PlanSettings): PersonPlan {
  const undecided = scopeUnknown(person);
  if (undecided !== null) return undecided;
  const { link } = person.candidate;
  return link === null ? planUnlinked(person, settings) : planLinked(person, link, settings);
}

function planLinked(person: Person, link: LinkedTarget, settings: PlanSettings): PersonPlan {
  const plan = person.inScope
    ? planMember(person, { account: link, matchedBy: null }, linkedFault(person, link, settings), settings)
    : planLeaver(person, link, settings);
  return (
    missingNotice(person, link, plan) ??
    planSecondAccount(person, link, plan, settings) ??
    doubtNotice(person, plan) ??
    unshownNotice(person, plan) ??
    externalIdNotice(person, link, plan, settings) ??
    plan
  );
}

/**
 * An earlier write may have changed the account, which could not be looked up yet. Whatever is due now was compared with the
 * account before it, and the new write would take the place of the one in doubt. Only a deactivation does not wait.
 */
function doubtNotice(person: Person, plan: PersonPlan): PersonPlan | null {
  const { unconfirmed } = person.candidate;
  const sends = plan.kind === "operation" && plan.operation.action !== "deactivate";
  if (!unconfirmed || (plan.kind !== "unchanged" && !sends)) return null;
  return waitInDoubt(person);
}

function waitInDoubt(person: Person): PersonPlan {
  return skip(
    person,
    "waitingForRetry",
    `${withoutStop(inDoubt(person.candidate))}; the next cycle tries again`,
  );
}

/** Why the attributes of a linked person cannot be sent. */
function linkedFault(person: Person, link: LinkedTarget, settings: PlanSettings): PersonPlan | null {
  const holder = idHolderOf(person, link, settings);
  if (holder !== null) return skipHeld(person, link, holder);
  return nameFault(person) ?? lackingFault(person, { creates: false });
}

/**
 * Changes to the account of a person in scope, linked or to be linked.
 * @param fault why no attribute can be sent
 */
function planMember(
  person: Person,
  found: Pick<Due, "account" | "matchedBy" | "decision">,
  fault: PersonPlan | null,
  settings: PlanSettings,
): PersonPlan {
  const { account, matchedBy } = found;
  const fate = fateOf(person, account);
  switch (fate.kind) {
    case "later":
    case "ignored":
    case "unconfirmed":
      return skipStaying(person, fate, settings);
    case "off": {
      // A fault must not keep a leaver's account alive.
      const attributes = fault === null ? attributesOf(person, found, settings) : [];
      const changes = [activeChange(account, false), ...attributes];
      return planDue(person, { ...found, changes, evidence: fate.evidence }, settings);
    }
  }
  if (fault !== null) return fault;
  if (fate.kind === "untouched" && matchedBy === null) return unchanged(person);
  const attributes = attributesOf(person, found, settings);
  if (fate.kind === "on") {
    const changes = [activeChange(account, true), ...attributes];
    return planDue(person, { ...found, changes, evidence: null }, settings);
  }
  const unsent = settings.actions.update ? [] : changedAttributes(person, account, false);
  if (unsent.length > 0 && matchedBy === null) {
    const reason = `actions.update is off, so Lattice keeps a different ${attributeList(unsent)}`;
    return skip(person, "actionOff", reason);
  }
  const due = planDue(person, { ...found, changes: attributes, evidence: null }, settings);
  // The account is linked now. The next cycle reports which values it keeps.
  return unsent.length > 0 && due.kind === "operation"
    ? { ...due, ...leftForNextCycle(due, person.now) }
    : due;
}

/** The attributes, other than `active`, that are to be sent. */
function attributesOf(
  person: Person,
  { account, matchedBy }: Pick<Due, "account" | "matchedBy">,
  { actions }: PlanSettings,
): ReturnType<typeof changedAttributes> {
  return actions.update ? changedAttributes(person, account, matchedBy !== null) : [];
}

function planUnlinked(person: Person, settings: PlanSettings): PersonPlan {
  const { inScope, mapped, candidate } = person;
  // A person who has left is switched off whatever else is wrong with them.
  const returned = inScope && mapped.active !== false ? null : planReturned(person, settings);
  if (returned !== null) return returned;
  if (!inScope) {
    // The write may have made an account.
    return candidate.unconfirmed
      ? waitInDoubt(person)
      : { kind: "ignored", objectId: candidate.source.objectId };
  }
  const plan = planNewcomer(person, settings);
  // A fault of the name does not keep a returned account from being linked: it is reported of linked people too.
  const named = plan.kind === "skipped" && nameFaults.has(plan.skipped.code);
  return (named ? planReturned(person, settings) : null) ?? plan;
}

/** A person in scope without a link: an account is matched, or created. */
function planNewcomer(person: Person, settings: PlanSettings): PersonPlan {
  const fault =
    unshownIdentity(person) ??
    nameFault(person) ??
    lackingFault(person, { creates: false }) ??
    sharedIdFault(person);
  if (fault !== null) return fault;
  const match = findMatch(person, settings);
  if ("plan" in match) return match.plan;
  if (match.account !== null) {
    const { account, by: matchedBy, formerOwner, decision } = match;
    return handedOver(planMember(person, { account, matchedBy, decision }, null, settings), formerOwner);
  }
  // A lost account that is there again is this person's, whatever accounts are matched by.
  const returned = returnedAccount(person, settings);
  if (returned !== null) {
    return isProtected(returned, settings)
      ? skipProtected(person, returned, settings)
      : planMember(person, { account: returned, matchedBy: lostId }, null, settings);
  }
  return planCreation(person, settings);
}

/** If the account was another person's until now, the log says whose. */
function handedOver(plan: PersonPlan, owner: Owner | undefined): PersonPlan {
  if (owner === undefined || plan.kind !== "operation") return plan;
  const { operation: planned } = plan;
  const reason = `${planned.reason}, until now the account of ${owner.name} (${owner.objectId})`;
  return { ...plan, operation: { ...planned, reason, formerOwner: owner.objectId } };
}

function planCreation(person: Person, settings: PlanSettings): PersonPlan {
  const { candidate, mapped } = person;
  // `accountEnabled` counts whatever `active` is mapped to, or if it is not mapped.
  if (mapped.active === false || candidate.source.attributes.accountEnabled === false) {
    return skip(
      person,
      "disabled",
      "the account is disabled in Entra; no account is created for a disabled person",
    );
  }
  if (!settings.actions.create) return skip(person, "actionOff", "actions.create is off");
  if (candidate.unconfirmed) return skip(person, "waitingForRetry", inDoubt(candidate));
  const lacking = lackingFault(person, { creates: true });
  if (lacking !== null) return lacking;
  const removed = candidate.accountRemoved;
  const creation = operation(person, {
    action: "create",
    latticeId: null,
    reason: removed ? "the account was removed in Lattice" : "new in scope",
    evidence: null,
    changes: createChanges(person),
    adopts: false,
    ...(removed ? { drift: "removed" } : {}),
  });
  if (removed && settings.drift === "report") {
    const reason = "the account was removed in Lattice, and drift is only reported";
    return { ...skip(person, "removedInLattice", reason), reported: creation };
  }
  return { kind: "operation", operation: creation, referencePending: false };
}

/** An account may have been made already: it must not be made a second time. */
function inDoubt({ retry }: Candidate): string {
  return (
    retry?.message ?? "Lattice did not confirm an earlier write, and the account could not be looked up yet"
  );
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** When each leaving event was first seen. It is kept only for people who have an account or may match one. */
function eventsToRemember({ candidate, matches, seen }: Person): ReadonlyMap<LeavingEvent, number> {
  const found =
    matches === null ? [] : [...matches.byUserName, ...matches.byExternalId, ...matches.byLostLink];
  const matched = found.length > 0;
  if (candidate.link === null && candidate.lostLinks.length === 0 && !matched) return new Map();
  return new Map(seen.map(({ event, since }) => [event, since]));
}
