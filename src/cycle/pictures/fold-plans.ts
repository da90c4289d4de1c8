import { firstWaveOf, type LeavingEvent, type Operation, type SkipCode } from "../../domain/plan.ts";
import type { NamedChanges, NewOperation, PlannedFor, StateChange } from "../../domain/state/change.ts";
import type { Candidate, Decision } from "../../domain/state/planning.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { failsNoMore } from "./failures.ts";
import { lookedAtNext, stayMarked } from "./marks.ts";

/** A person with what was known when they were planned, and what the plan decided about them. */
export interface DecidedPerson {
  readonly known: Pick<Candidate, "retry" | "released" | "rejected" | "events" | "held">;
  readonly decision: Decision;
}

/** Nothing is to be sent: what was refused before does not fail any more. */
const nothingDue: ReadonlySet<SkipCode> = new Set(["managerRing"]);

/** The same is due once this has passed: what is held of the person stays. */
const heldStays: ReadonlySet<SkipCode> = new Set(["waitingForRetry", "rejected"]);

/**
 * What a page of decisions changes: new operations of the log, where each person stands, and what is over: failures,
 * releases, rejections and held operations that no longer belong to what is planned.
 * @param cycle `startedAt`: milliseconds since the epoch
 */
export function foldDecisions(
  people: readonly DecidedPerson[],
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
    marks: lookedAtNext(stillToLookAt(people)),
  };
}

function newOperations(
  { known, decision }: DecidedPerson,
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
    ...(decision.reported === undefined ? [] : [row(decision.reported, "reported")]),
    ...(decision.kind === "operation"
      ? [{ ...row(decision.operation, "planned"), weights: decision.weights ?? [] }]
      : []),
  ];
}

function managerIn({ changes }: Operation): string | null {
  return changes.find(({ reference }) => reference !== undefined)?.reference?.afterObjectId ?? null;
}

function plannedFor({ decision }: DecidedPerson): PlannedFor {
  return {
    objectId: objectIdOf(decision),
    planAgain: stayMarked(decision),
    awaitsManager: decision.kind !== "ignored" && decision.referencePending,
    skip:
      decision.kind === "skipped" ? { code: decision.skipped.code, reason: decision.skipped.reason } : null,
    lookAgainAt: decision.lookAgainAt ?? null,
  };
}

function leavingOf({ known, decision }: DecidedPerson): NonNullable<StateChange["leaving"]> {
  const { events } = decision;
  if (events === undefined || sameEvents(events, known.events)) return [];
  return [{ objectId: objectIdOf(decision), events }];
}

function sameEvents(
  one: ReadonlyMap<LeavingEvent, number>,
  other: ReadonlyMap<LeavingEvent, number>,
): boolean {
  return one.size === other.size && [...one].every(([event, since]) => other.get(event) === since);
}

/** Nothing of what the guard holds of the person is due any more. */
function heldIsOver({ decision }: DecidedPerson): boolean {
  if (decision.kind === "operation") return false;
  return decision.kind !== "skipped" || !heldStays.has(decision.skipped.code);
}

/** Nothing that failed before is due any more. */
function retryThatIsOver({ known, decision }: DecidedPerson): RetryRecord[] {
  if (known.retry === null || decision.kind === "operation") return [];
  return decision.kind !== "skipped" || nothingDue.has(decision.skipped.code) ? [known.retry] : [];
}

/** A release is for a change as it was: what is planned otherwise now, or no longer, was not released. */
function releasesOver({ known, decision }: DecidedPerson): NamedChanges[] {
  if (decision.kind === "skipped") return [];
  const inUse = decision.kind === "operation" ? (decision.releasesInUse ?? []) : [];
  return [...known.released]
    .filter(([attribute]) => !inUse.includes(attribute))
    .map(([attribute, fingerprint]) => ({ objectId: objectIdOf(decision), attribute, fingerprint }));
}

/** So is a rejection. */
function rejectionsOver({ known, decision }: DecidedPerson): readonly NamedChanges[] {
  if (decision.kind === "skipped" && decision.rejected === undefined) return [];
  const { rejected = [] } = decision;
  return known.rejected.filter(
    ({ attribute, fingerprint }) =>
      !rejected.some((kept) => kept.attribute === attribute && kept.fingerprint === fingerprint),
  );
}

/** People on whom a decision rests and who were not planned after it. */
function stillToLookAt(people: readonly DecidedPerson[]): ReadonlySet<string> {
  const next = new Set<string>();
  for (const { decision } of people) {
    next.delete(objectIdOf(decision));
    if (decision.kind === "skipped") for (const objectId of decision.alsoLookAt ?? []) next.add(objectId);
  }
  return next;
}

function objectIdOf(decision: Decision): string {
  if (decision.kind === "operation") return decision.operation.objectId;
  return decision.kind === "skipped" ? decision.skipped.objectId : decision.objectId;
}
