import { firstWaveOf, type LeavingEvent, type Operation, type SkipCode } from "../../domain/plan.ts";
import type { NamedChanges, NewOperation, PlannedFor, StateChange } from "../../domain/state/change.ts";
import type { Candidate, PersonPlan } from "../../domain/state/planning.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { failsNoMore } from "./failures.ts";
import { lookedAtNext, managerGetsNoAccount, stayMarked } from "./marks.ts";

/** A person's plan, with what was known when it was made. */
export interface PersonWithPlan {
  readonly known: Pick<Candidate, "link" | "retry" | "released" | "rejected" | "events" | "held">;
  readonly plan: PersonPlan;
}

/** Skipped for these reasons, a person has nothing to send, so an earlier failure is over. */
const nothingDue: ReadonlySet<SkipCode> = new Set(["managerRing", "protectedAccount"]);

/** Skipped for these reasons, a person has the same operation due later, so the held one stays. */
const heldStays: ReadonlySet<SkipCode> = new Set(["waitingForRetry", "rejected"]);

/**
 * Folds the plans of a page of people: new operations, where each person stands, and the end of failures, releases,
 * rejections and held operations that no longer belong to what is planned.
 * @param cycle `startedAt`: milliseconds since the epoch
 */
export function foldPlans(
  people: readonly PersonWithPlan[],
  cycle: { readonly cycleId: number; readonly startedAt: number },
): StateChange {
  const recovered = people.flatMap(retryThatIsOver);
  const over = people.filter(heldIsOver).flatMap(({ known }) => known.held);
  return {
    operations: {
      add: people.flatMap((person) => newOperations(person, cycle)),
      patch: over.map((id) => ({ id, status: "cancelled" })),
    },
    certain: over,
    planned: people.map(plannedFor),
    leaving: people.flatMap(leavingOf),
    retries: { drop: recovered.map(({ objectId }) => objectId) },
    failures: recovered.map(failsNoMore),
    releases: { drop: people.flatMap(releasesOver) },
    rejections: { drop: people.flatMap(rejectionsOver) },
    marks: [
      ...lookedAtNext(stillToLookAt(people)),
      ...people.filter(getsNoAccount).flatMap(({ plan }) => managerGetsNoAccount(objectIdOf(plan))),
    ],
  };
}

function newOperations(
  { known, plan }: PersonWithPlan,
  { cycleId, startedAt }: { readonly cycleId: number; readonly startedAt: number },
): NewOperation[] {
  const row = (operation: Operation, status: NewOperation["status"]): NewOperation => ({
    cycleId,
    status,
    operation,
    weights: [],
    refersTo: managerIn(operation),
    wave: firstWaveOf(operation.action),
    attempt: 1 + (known.retry?.attempts ?? 0),
    at: startedAt,
  });
  return [
    ...(plan.reported === undefined ? [] : [row(plan.reported, "reported")]),
    ...(plan.kind === "operation"
      ? [{ ...row(plan.operation, "planned"), weights: plan.weights ?? [] }]
      : []),
  ];
}

function managerIn({ changes }: Operation): string | null {
  return changes.find(({ reference }) => reference !== undefined)?.reference?.afterObjectId ?? null;
}

function plannedFor({ plan }: PersonWithPlan): PlannedFor {
  return {
    objectId: objectIdOf(plan),
    planAgain: stayMarked(plan),
    awaitsManager: plan.kind !== "ignored" && plan.referencePending,
    ...(plan.presumesManager === true ? { presumesManager: true } : {}),
    skip: plan.kind === "skipped" ? { code: plan.skipped.code, reason: plan.skipped.reason } : null,
    lookAgainAt: plan.lookAgainAt ?? null,
  };
}

function leavingOf({ known, plan }: PersonWithPlan): NonNullable<StateChange["leaving"]> {
  const { events } = plan;
  if (events === undefined || sameEvents(events, known.events)) return [];
  return [{ objectId: objectIdOf(plan), events }];
}

function sameEvents(
  one: ReadonlyMap<LeavingEvent, number>,
  other: ReadonlyMap<LeavingEvent, number>,
): boolean {
  return one.size === other.size && [...one].every(([event, since]) => other.get(event) === since);
}

/** `true` if nothing that the guard holds for the person is due any more. */
function heldIsOver({ plan }: PersonWithPlan): boolean {
  if (plan.kind === "operation") return false;
  return plan.kind !== "skipped" || !heldStays.has(plan.skipped.code);
}

/** `true` if an account was held back or failed until now, so that reports waited for it, and nothing of that is due any more. */
function getsNoAccount(person: PersonWithPlan): boolean {
  const { known, plan } = person;
  if (known.link !== null || stayMarked(plan)) return false;
  return (known.held.length > 0 && heldIsOver(person)) || retryThatIsOver(person).length > 0;
}

/** The person's retry, if nothing that failed before is due any more. */
function retryThatIsOver({ known, plan }: PersonWithPlan): RetryRecord[] {
  if (known.retry === null || plan.kind === "operation") return [];
  return plan.kind !== "skipped" || nothingDue.has(plan.skipped.code) ? [known.retry] : [];
}

/** Releases that end: the released change is no longer planned, or is planned in another form. */
function releasesOver({ known, plan }: PersonWithPlan): NamedChanges[] {
  if (plan.kind === "skipped") return [];
  const inUse = plan.kind === "operation" ? (plan.releasesInUse ?? []) : [];
  return [...known.released]
    .filter(([attribute]) => !inUse.includes(attribute))
    .map(([attribute, fingerprint]) => ({ objectId: objectIdOf(plan), attribute, fingerprint }));
}

/** Rejections that end for the same reason. */
function rejectionsOver({ known, plan }: PersonWithPlan): readonly NamedChanges[] {
  if (plan.kind === "skipped" && plan.rejected === undefined) return [];
  const { rejected = [] } = plan;
  return known.rejected.filter(
    ({ attribute, fingerprint }) =>
      !rejected.some((kept) => kept.attribute === attribute && kept.fingerprint === fingerprint),
  );
}

/** People on whom a plan of this page depends and who were not planned after it. */
function stillToLookAt(people: readonly PersonWithPlan[]): ReadonlySet<string> {
  const next = new Set<string>();
  for (const { plan } of people) {
    next.delete(objectIdOf(plan));
    if (plan.kind === "skipped") for (const objectId of plan.alsoLookAt ?? []) next.add(objectId);
  }
  return next;
}

function objectIdOf(plan: PersonPlan): string {
  if (plan.kind === "operation") return plan.operation.objectId;
  return plan.kind === "skipped" ? plan.skipped.objectId : plan.objectId;
}
