import type { LoggedOperation } from "../../domain/operation.ts";
import type { Operation, PersonStep, SkipCode } from "../../domain/plan.ts";
import type { CycleContext } from "../context/context.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { isInScope } from "../planning/in-scope.ts";
import { planPeople } from "../planning/plan-people.ts";
import type { PlannedPerson } from "../planning/planned-person.ts";
import type { Membership } from "../reading/membership.ts";
import type { Wanted } from "../reading/person.ts";

/** Reports the steps scope and match. @returns the plans, for the last step */
export async function reportScopeAndMatch(
  context: CycleContext,
  people: readonly Wanted[],
  { through }: Membership,
): Promise<ReadonlyMap<string, PlannedPerson>> {
  const { store, settings, everyoneInScope, clock, random } = context;
  const candidates = await store.candidates({
    select: { only: people.map(({ objectId }) => objectId) },
    everyoneInScope,
    after: "",
    limit: people.length,
  });
  const environment = { now: clock.now, random };
  const decided = new Map(
    (
      await planPeople(candidates, {
        store,
        settings,
        everyoneInScope,
        environment,
        ignoreRetrySchedule: true,
        partial: true,
      })
    ).map((one) => [one.candidate.source.objectId, one]),
  );
  for (const person of people) {
    const one = decided.get(person.objectId);
    if (one === undefined) continue;
    context.onStep?.({ ...person, step: "scope", ...scopeStep(one, through.get(person.objectId)) });
    context.onStep?.({ ...person, step: "match", ...matchStep(one) });
  }
  return decided;
}

type StepOutcome = Pick<PersonStep, "outcome" | "detail">;

function scopeStep({ candidate, mapped }: PlannedPerson, parts: readonly string[] | undefined): StepOutcome {
  if (isInScope(candidate, mapped)) {
    const by = parts === undefined || parts.length === 0 ? "" : `: ${parts.join(", ")}`;
    return { outcome: "done", detail: `in scope${by}` };
  }
  const { presence } = candidate.source;
  if (presence !== "present") return { outcome: "skipped", detail: "not in scope: deleted in Entra" };
  if (!candidate.member) return { outcome: "skipped", detail: "not in scope: not assigned" };
  return { outcome: "skipped", detail: `not in scope: ${mapped.filteredOut ?? "kept out"}` };
}

const matchFaults: ReadonlySet<SkipCode> = new Set<SkipCode>([
  "ambiguousMatch",
  "externalIdConflict",
  "externalIdOfAnother",
  "linkedToAnother",
  "formerOwner",
  "protectedAccount",
  "unlinked",
]);

/** Reasons to skip that are found before accounts are searched. */
const beforeMatching: ReadonlySet<SkipCode> = new Set<SkipCode>([
  "invalidUserName",
  "duplicateUserName",
  "duplicateExternalId",
  "mappingFailed",
  "rejected",
]);

function matchStep({ candidate, plan, matches }: PlannedPerson): StepOutcome {
  const { link } = candidate;
  if (link !== null) return { outcome: "done", detail: `linked to the account ${link.latticeId}` };
  if (plan.kind === "operation" && plan.operation.adopts) {
    const { latticeId, reason } = plan.operation;
    return { outcome: "done", detail: `${reason}: ${latticeId}` };
  }
  if (plan.kind === "skipped" && matchFaults.has(plan.skipped.code)) {
    return { outcome: "failed", detail: plan.skipped.reason };
  }
  if (plan.kind === "ignored") return { outcome: "skipped", detail: "not in scope, and has no account" };
  if (plan.kind === "skipped" && beforeMatching.has(plan.skipped.code)) {
    return { outcome: "skipped", detail: `not searched for: ${plan.skipped.reason}` };
  }
  const [existing] = [...(matches?.byUserName ?? []), ...(matches?.byExternalId ?? [])];
  if (existing !== undefined) {
    return {
      outcome: "done",
      detail: `existing account, not linked now: ${existing.latticeId}`,
    };
  }
  return { outcome: "done", detail: "no account in Lattice" };
}

/** Reports what was done, or would be, for each person: the step act. */
export async function reportActs(
  context: CycleContext,
  people: readonly Wanted[],
  decided: ReadonlyMap<string, PlannedPerson>,
): Promise<void> {
  const operations = await context.store.operations(context.cycleId, {
    afterWave: -1,
    afterId: 0,
    limit: people.length * 4,
  });
  for (const person of people) {
    const own = operations.filter(({ objectId }) => objectId === person.objectId);
    for (const operation of own) context.onStep?.({ ...person, step: "act", ...actStep(operation) });
    const one = decided.get(person.objectId);
    if (own.length === 0 && one !== undefined) {
      context.onStep?.({ ...person, step: "act", ...nothingStep(one, context.unconfirmed) });
    }
  }
}

function actStep({ action, changes, status, reason, error }: LoggedOperation): StepOutcome {
  const attributes = action === "update" && changes.length > 0 ? ` ${attributeList(changes)}` : "";
  const what = `${action}${attributes}`;
  switch (status) {
    case "done":
      return { outcome: "done", detail: `${what}: ${error ?? reason}` };
    case "held":
      return { outcome: "held", detail: `${what}: held by the guard` };
    case "planned":
      return { outcome: "planned", detail: `${what}: ${reason}` };
    default:
      return { outcome: "failed", detail: `${what}: ${error ?? reason}` };
  }
}

/** @param unconfirmed people whose leaving was not confirmed, and why */
function nothingStep({ plan }: PlannedPerson, unconfirmed: ReadonlyMap<string, string>): StepOutcome {
  switch (plan.kind) {
    case "skipped":
      return { outcome: "skipped", detail: plan.skipped.reason };
    case "operation":
      return { outcome: "skipped", detail: withdrawnBecause(plan.operation, unconfirmed) };
    default:
      return { outcome: "skipped", detail: "nothing to do" };
  }
}

/** Why an operation is no longer in the plan. */
function withdrawnBecause({ action, objectId }: Operation, unconfirmed: ReadonlyMap<string, string>): string {
  const reason = unconfirmed.get(objectId);
  if (reason !== undefined) {
    return `not deactivated: Entra did not confirm by id that the person has left (${reason})`;
  }
  return action === "deactivate"
    ? "not deactivated: Entra still has the person or membership when asked by id"
    : "the manager has no account yet; the manager is set as soon as there is one";
}
