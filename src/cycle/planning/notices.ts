import type { LinkedTarget } from "../../domain/state/account.ts";
import type { Decision } from "../../domain/state/planning.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import { missingReason } from "../reading/missing.ts";
import { foreignId } from "./carried-ids.ts";
import { isInScope } from "./in-scope.ts";
import { ringReason } from "./manager-ring.ts";
import { type Person, type PlanInput, type PlanSettings, skip } from "./plan-input.ts";

// What a person is skipped for if nothing else is due. It stops nothing that is.

/** The account cannot be found. `null` unless nothing is due for it. */
export function missingNotice(person: Person, link: LinkedTarget, decision: Decision): Decision | null {
  const { accountMissingSince } = person.candidate;
  if (accountMissingSince === null || decision.kind !== "unchanged") return null;
  return skip(person, "accountMissing", missingReason(link.latticeId, accountMissingSince, person.now));
}

/** Some attributes rest on what Entra did not show. `null` unless nothing else is due. */
export function unshownNotice(person: Person, decision: Decision): Decision | null {
  const { unshown } = person.mapped;
  if (unshown.length === 0 || decision.kind !== "unchanged" || !person.inScope) return null;
  const properties = [...new Set(unshown.flatMap((one) => one.properties))].join(", ");
  const targets = unshown.map(({ target }) => shortPath(target)).join(", ");
  return skip(person, "propertyNotShown", `Entra did not show ${properties}: ${targets} is not changed`);
}

/** The account has another externalId, which the mapping may not send again. `null` unless something is to be told. */
export function externalIdNotice(
  person: Person,
  link: LinkedTarget,
  decision: Decision,
  settings: PlanSettings,
): Decision | null {
  const foreign = foreignId(link, person.mapped);
  if (foreign === null) return null;
  const edited = Object.hasOwn(link.drifted, "externalId");
  if (!edited && !mayHaveChanged(person, settings)) return null;
  const reason = edited
    ? `the external id of the Lattice account ${link.latticeId} was changed to "${foreign}" in Lattice, which no person in scope has; change it back to "${person.mapped.externalId ?? ""}" in Lattice`
    : `the Lattice account ${link.latticeId} has the external id "${foreign}", but Entra now gives this person "${person.mapped.externalId ?? ""}". An external id is sent only with a new account; change this one in Lattice`;
  if (decision.kind === "unchanged") return skip(person, "externalIdConflict", reason);
  return decision.kind === "operation" ? toldWith(decision, reason, person.now) : null;
}

/** Whether Entra may give the person another externalId by now. Some settings let accounts keep those of others, too. */
function mayHaveChanged(
  { candidate, inScope }: Person,
  { adoptForeignExternalId, formerOwner }: PlanSettings,
): boolean {
  const steady = candidate.externalIdKey === null;
  return !steady && !adoptForeignExternalId && formerOwner === "report" && inScope;
}

/** The manager of a person in a ring of managers is not sent. */
export function withRingNotice(input: PlanInput, decision: Decision): Decision {
  const { ring } = input.managers;
  const { link } = input.candidate;
  if (ring.length === 0 || !isInScope(input.candidate, input.mapped)) return decision;
  // An account that stays inactive gets no manager.
  if (input.mapped.active === false && link?.active === false) return decision;
  if (decision.kind === "unchanged") return { ...decision, ...skip(input, "managerRing", ringReason(ring)) };
  if (decision.kind !== "operation" || decision.operation.action === "deactivate") return decision;
  return toldWith(decision, ringReason(ring), input.now);
}

/** It is told with what is sent, and again by the next cycle, once nothing else is due. */
function toldWith(
  decision: Extract<Decision, { kind: "operation" }>,
  reason: string,
  now: number,
): Extract<Decision, { kind: "operation" }> {
  const { operation } = decision;
  return {
    ...decision,
    lookAgainAt: earlier(decision.lookAgainAt, now),
    operation: { ...operation, reason: `${operation.reason}; ${reason}` },
  };
}

/** The earlier of a time that may not be set and one that is. */
function earlier(one: number | null | undefined, other: number): number {
  return one == null ? other : Math.min(one, other);
}
