import { type EvidenceKind, isOfEverybody } from "../../domain/plan.ts";
import type { ScopePart } from "../../domain/source.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import type { WeightCounts } from "../operations/weights.ts";
import { keepNotes } from "../ports/ports.ts";
import type { CycleSettings } from "../ports/settings.ts";
import { type AcceptedScope, type Alarm, nextAccepted, parseAccepted, scopeAlarms } from "./alarms.ts";
import { concerned } from "./guard.ts";

/** The scope as a cycle has read it. */
export interface ReadScope {
  /** `null` if the scope was not read as a whole. */
  readonly scopeParts: readonly ScopePart[] | null;
  /** Groups that scoping filters name. */
  readonly filterParts: readonly ScopePart[];
  readonly emptyDirectory: boolean;
  /** The scope could not be read. */
  readonly scopeUnread?: boolean;
}

/** The scope that was accepted last, the one that was read now, and the alarms about the difference. */
export interface ScopeStanding {
  readonly accepted: AcceptedScope | null;
  readonly current: AcceptedScope;
  readonly alarms: readonly Alarm[];
  /** `false` if the directory was empty, or the scope could not be read: then nothing is known of the scope. */
  readonly wasRead: boolean;
}

export function scopeStanding(
  { scopeDigest, guard }: CycleSettings,
  meta: Partial<Meta>,
  { scopeParts, filterParts, emptyDirectory, scopeUnread }: ReadScope,
): ScopeStanding {
  const accepted = parseAccepted(meta);
  // If the scope was read for a few people only, the parts are taken to be as they were accepted.
  const known = (accepted?.parts ?? []).filter(({ usedBy }) => usedBy !== "filters");
  const current = { digest: scopeDigest, parts: [...(scopeParts ?? known), ...filterParts] };
  return {
    accepted,
    current,
    alarms: scopeAlarms(accepted, current, guard.deactivationFloor),
    wasRead: !emptyDirectory && scopeUnread !== true,
  };
}

/**
 * Stores the scope that the next cycle is compared with: the one that was read, or the accepted one as long as deactivations
 * wait because of an alarm. Three kinds of cycles store nothing: a cycle on demand, one that has not read the scope, and one
 * whose clock is in doubt (an alarm has a time).
 * @param planned weights of the plan
 */
export async function moveAcceptedScope(
  context: CycleContext,
  { accepted, current, alarms, wasRead }: ScopeStanding,
  planned: WeightCounts,
): Promise<void> {
  if (!isOfEverybody(context.kind) || !wasRead || context.clockDoubtMs !== 0) return;
  const { store, settings, startedAt } = context;
  const { enabled, deactivationFloor: floor } = settings.guard;
  // A time in the future was written before the clock was set back.
  const doubtSince = Math.min(accepted?.doubtSince ?? startedAt, startedAt);
  const waiting =
    enabled &&
    (alarms.some((alarm) => concerned(alarm, planned) > 0) ||
      // A rejection ends no alarm: the deactivation was not released, and the person is not back.
      (alarms.length > 0 && (await store.countRejected(evidenceOf(alarms), doubtSince)) > 0) ||
      (alarms.length > 0 && (await delayedInDoubt(context, planned.of("deactivate"), doubtSince))));
  const next = nextAccepted(accepted, current, { waiting, floor, doubtSince });
  await keepNotes(context, { acceptedScope: JSON.stringify(next) });
}

function evidenceOf(alarms: readonly Alarm[]): readonly EvidenceKind[] {
  return [...new Set(alarms.flatMap(({ evidence }) => evidence))];
}

/**
 * `true` if a person with a delayed deactivation has left the scope since the alarm was raised, and no deactivation was
 * released meanwhile. If so, the alarm must last until the deactivation is due.
 */
async function delayedInDoubt(
  { store, settings, cycleId }: CycleContext,
  unreleased: number,
  doubtSince: number,
): Promise<boolean> {
  const action = settings.events.outOfScope;
  if (action.do === "ignore" || action.afterMs === 0) return false;
  const planned = (await store.countOperations(cycleId)).byAction.get("deactivate") ?? 0;
  return planned === unreleased && (await store.countLeaving("outOfScope", doubtSince)) > 0;
}
