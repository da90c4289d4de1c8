import type { Change } from "../../domain/plan.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { isProtected } from "../operations/protected-account.ts";
import { leftForNextCycle } from "../pictures/marks.ts";
import { type Due, planDue } from "./account-operation.ts";
import { activeChange, changedAttributes } from "./changes.ts";
import { fateOf, skipStaying } from "./fate.ts";
import { nameFault } from "./faults.ts";
import { type DecidedLink, decidedLink, unlinkingDecision } from "./link-decision.ts";
import { idHolderOf } from "./match.ts";
import { type Person, type PlanSettings, unchanged } from "./plan-input.ts";
import { skipProtected } from "./protected.ts";

/** A linked person who is gone or out of scope: only `active` is sent, and a userName that another person needs. */
export function planLeaver(person: Person, link: LinkedTarget, settings: PlanSettings): PersonPlan {
  const fate = fateOf(person, link);
  const linked = { account: link, matchedBy: null };
  const name = leaversName(person, link, settings);
  switch (fate.kind) {
    case "later":
    case "ignored":
    case "unconfirmed":
      return skipStaying(person, fate, settings);
    case "off": {
      const changes = [activeChange(link, false), ...name];
      return planDue(person, { ...linked, changes, evidence: fate.evidence }, settings);
    }
    default:
      return planDue(person, { ...linked, changes: name, evidence: null }, settings);
  }
}

/**
 * If a leaver got another userName in Entra, and another person needs the old one in Lattice, the leaver's account is
 * renamed. For a person who was deleted permanently the mapping gives no name.
 */
function leaversName(person: Person, link: LinkedTarget, settings: PlanSettings): readonly Change[] {
  const silent = person.candidate.source.presence === "deleted" || !settings.actions.update;
  if (silent || !person.nameWanted || person.leaving.kind !== "due") return [];
  if (idHolderOf(person, link, settings) !== null || nameFault(person) !== null) return [];
  return changedAttributes(person, link, false).filter(({ attribute }) => attribute === "userName");
}

/** How the log names the attribute by which a lost account is matched. */
export const lostId = "id as the lost one";

/**
 * Plans a person who is not to be active and whose link was lost. If the account is there again, or one that carries the
 * person's externalId, it is linked and, if there is evidence, switched off. An account of another person is never taken.
 * @returns `null` if there is no such account
 */
export function planReturned(person: Person, settings: PlanSettings): PersonPlan | null {
  const decided = decidedAccount(person, settings);
  const account = decided?.account ?? returnedAccount(person, settings);
  if (account === null) return null;
  if (isProtected(account, settings)) return skipProtected(person, account, settings);
  const plan = planFound(person, { account, matchedBy: lostId, decision: decided?.decision }, settings);
  // Only `active` is sent with the link. The next cycle compares the rest.
  return decided === null || plan.kind !== "operation"
    ? plan
    : { ...plan, ...leftForNextCycle(plan, person.now) };
}

function planFound(
  person: Person,
  found: Pick<Due, "account" | "matchedBy" | "decision">,
  settings: PlanSettings,
): PersonPlan {
  const fate = fateOf(person, found.account);
  switch (fate.kind) {
    case "later":
    case "ignored":
    case "unconfirmed":
      return skipStaying(person, fate, settings);
    case "off": {
      const changes = [activeChange(found.account, false)];
      return planDue(person, { ...found, changes, evidence: fate.evidence }, settings);
    }
    default:
      if (fate.kind === "withoutEvidence" && found.decision === undefined) return unchanged(person);
      return planDue(person, { ...found, changes: [], evidence: null }, settings);
  }
}

/**
 * Plans a leaver whose linked account is inactive, and who has a second account: the one whose link was lost is there again,
 * and active. The link goes over to it, so that it is switched off too.
 * @returns `null` if there is no such account
 */
export function planSecondAccount(
  person: Person,
  link: LinkedTarget,
  plan: PersonPlan,
  settings: PlanSettings,
): PersonPlan | null {
  if (plan.kind !== "unchanged" || person.mapped.active !== false || link.active !== false) return null;
  return returnedAccount(person, settings)?.active === true ? planReturned(person, settings) : null;
}

/** The account that a person has linked to this one, unless the person has an account, or it is another person's. */
function decidedAccount(person: Person, settings: PlanSettings): DecidedLink | null {
  if (person.candidate.link !== null) return null;
  const decided = decidedLink(person, settings);
  return decided?.account.linkedTo === null ? decided : null;
}

/** An account whose link was lost, and that is there again, or one that carries the person's externalId. */
export function returnedAccount(
  { candidate, matches }: Person,
  settings: PlanSettings,
): MatchedTarget | null {
  if (candidate.lostLinks.length === 0 || matches === null) return null;
  const ids = new Set([
    candidate.source.objectId,
    ...candidate.lostLinks.flatMap(({ externalId }) => externalId ?? []),
  ]);
  const own = [...matches.byLostLink, ...matches.byExternalId].filter(
    (account) =>
      account.linkedTo === null &&
      account.externalId !== null &&
      ids.has(account.externalId) &&
      unlinkingDecision(candidate.source.objectId, account, settings) === null,
  );
  return own.find(({ active }) => active !== false) ?? own[0] ?? null;
}
