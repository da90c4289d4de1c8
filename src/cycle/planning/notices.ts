import type { LinkedTarget } from "../../domain/state/account.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import { leftForNextCycle } from "../pictures/marks.ts";
import { missingReason } from "../reading/missing.ts";
import { foreignId } from "./carried-ids.ts";
import { isInScope } from "./in-scope.ts";
import { ringReason } from "./manager-ring.ts";
import { type Person, type PlanInput, type PlanSettings, skip } from "./plan-input.ts";

// Notices are reported only if nothing else is due for a person. They never keep an operation from being sent.

/** The linked account cannot be found in Lattice. `null` if it can, or if an operation is due. */
export function missingNotice(person: Person, link: LinkedTarget, plan: PersonPlan): PersonPlan | null {
  const { accountMissingSince } = person.candidate;
  if (accountMissingSince === null || plan.kind !== "unchanged") return null;
  return skip(person, "accountMissing", missingReason(link.latticeId, accountMissingSince, person.now));
}

/** Some attributes depend on properties that Entra did not show. `null` if none do, or if an operation is due. */
export function unshownNotice(person: Person, plan: PersonPlan): PersonPlan | null {
  const { unshown } = person.mapped;
  if (unshown.length === 0 || plan.kind !== "unchanged" || !person.inScope) return null;
  const properties = [...new Set(unshown.flatMap((one) => one.properties))].join(", ");
  const targets = unshown.map(({ target }) => shortPath(target)).join(", ");
  return skip(person, "propertyNotShown", `Entra did not show ${properties}: ${targets} is not changed`);
}

/** The account has another externalId, which is never sent to an existing account. `null` if nothing is to be reported. */
export function externalIdNotice(
  person: Person,
  link: LinkedTarget,
  plan: PersonPlan,
  settings: PlanSettings,
): PersonPlan | null {
  const foreign = foreignId(link, person.mapped);
  if (foreign === null) return null;
  const edited = Object.hasOwn(link.drifted, "externalId");
  if (!edited && !mayHaveChanged(person, settings)) return null;
  const reason = edited
    ? `the external id of the Lattice account ${link.latticeId} was changed to "${foreign}" in Lattice, which no person in scope has; change it back to "${person.mapped.externalId ?? ""}" in Lattice`
    : `the Lattice account ${link.latticeId} has the external id "${foreign}", but Entra now gives this person "${person.mapped.externalId ?? ""}". An external id is sent only with a new account; change this one in Lattice`;
  if (plan.kind === "unchanged") return skip(person, "externalIdConflict", reason);
  return plan.kind === "operation" ? toldWith(plan, reason, person.now) : null;
}

/** `true` if the externalId of a person in scope can change in Entra, and no setting lets the account keep another one. */
function mayHaveChanged(
  { candidate, inScope }: Person,
  { adoptForeignExternalId, formerOwner }: PlanSettings,
): boolean {
  const steady = candidate.externalIdKey === null;
  return !steady && !adoptForeignExternalId && formerOwner === "report" && inScope;
}

/** The person is in a ring of managers, so their manager is not sent. */
export function withRingNotice(input: PlanInput, plan: PersonPlan): PersonPlan {
  const { ring } = input.managers;
  const { link } = input.candidate;
  if (ring.length === 0 || !isInScope(input.candidate, input.mapped)) return plan;
  // An account that stays inactive gets no manager.
  if (input.mapped.active === false && link?.active === false) return plan;
  if (plan.kind === "unchanged") return { ...plan, ...skip(input, "managerRing", ringReason(ring)) };
  if (plan.kind !== "operation" || plan.operation.action === "deactivate") return plan;
  return toldWith(plan, ringReason(ring), input.now);
}

/** Adds the notice to the reason of an operation. The next cycle, when nothing else is due, reports it again. */
function toldWith(
  plan: Extract<PersonPlan, { kind: "operation" }>,
  reason: string,
  now: number,
): Extract<PersonPlan, { kind: "operation" }> {
  const { operation } = plan;
  return {
    ...plan,
    ...leftForNextCycle(plan, now),
    operation: { ...operation, reason: `${operation.reason}; ${reason}` },
  };
}
