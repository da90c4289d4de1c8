import type { EvidenceKind, PlanSummary } from "../../domain/plan.ts";
import type { ScopePart } from "../../domain/source.ts";
import type { Meta } from "../../domain/store.ts";
import type { CycleContext } from "../context.ts";
import { type Alarm, nextAccepted, parseAccepted, scopeAlarms } from "./alarms.ts";
import { costsOf } from "./costs.ts";
import { concerned, holdersToCount, type Weighed, weighPlan } from "./guard.ts";
import { countsOf, nothingWeighed } from "./weights.ts";

interface ToWeigh {
  readonly meta: Partial<Meta>;
  readonly read: {
    /** `null` where the scope was not read as a whole. */
    readonly scopeParts: readonly ScopePart[] | null;
    /** Groups that scoping filters name. */
    readonly filterParts: readonly ScopePart[];
    readonly emptyDirectory: boolean;
    /** The scope could not be read. */
    readonly scopeUnread?: boolean;
  };
  readonly startedAt: number;
  readonly summary: PlanSummary;
}

/** Weighs the plan of a cycle, and keeps the scope that the next one is compared with. */
export async function weigh(
  context: CycleContext,
  { meta, read, startedAt, summary }: ToWeigh,
): Promise<Weighed> {
  const { store, settings, clock, cycleId } = context;
  const planned = countsOf(await store.plannedWeights(cycleId));
  // By whichever clock is behind: what was done within the window by one of them counts.
  const windowEnd = clock.now() - Math.max(0, context.clockDoubtMs);
  // Where a plan has nothing to be weighed, what a day has done is not counted.
  const recent = planned.none
    ? nothingWeighed
    : countsOf(await store.recentWeights(windowEnd - settings.guard.windowMs, cycleId));
  const holders = new Map<string, number>();
  for (const { attribute, enough } of holdersToCount({ planned, recent }, settings.guard)) {
    holders.set(attribute, await store.countHolders(attribute, cycleId, enough));
  }
  const accepted = parseAccepted(meta);
  // Where only a few people were asked about, nothing is known of the parts: none is lost.
  const known = (accepted?.parts ?? []).filter(({ usedBy }) => usedBy !== "filters");
  const parts = [...(read.scopeParts ?? known), ...read.filterParts];
  const scope = { digest: settings.scopeDigest, parts };
  const { enabled, deactivationFloor: floor } = settings.guard;
  const alarms = scopeAlarms(accepted, scope, floor);
  // A directory that answers with nobody says nothing of the scope either, and an alarm has a time: both stay as they are.
  const wasRead = !read.emptyDirectory && read.scopeUnread !== true;
  if (context.kind !== "on-demand" && wasRead && context.clockDoubtMs === 0) {
    // One in the future is of a clock that was set back since.
    const doubtSince = Math.min(accepted?.doubtSince ?? startedAt, startedAt);
    const waiting =
      enabled &&
      (alarms.some((alarm) => concerned(alarm, planned) > 0) ||
        // Whoever is rejected is neither released nor back.
        (alarms.length > 0 && (await store.countRejected(evidenceOf(alarms), doubtSince)) > 0) ||
        (alarms.length > 0 && (await delayedInDoubt(context, planned.of("deactivate"), doubtSince))));
    const next = nextAccepted(accepted, scope, { waiting, floor, doubtSince });
    await store.putMeta({ acceptedScope: JSON.stringify(next) });
  }
  const { verdict, holds } = weighPlan(
    {
      planned,
      recent,
      active: await store.countActive(cycleId),
      linked: (await store.totals()).linked,
      holders: (attribute) => holders.get(attribute) ?? 0,
      alarms,
      emptyDirectory: read.emptyDirectory,
    },
    settings.guard,
  );
  const notes = costsOf(summary, planned, { holds, firstRun: context.firstRun });
  return { verdict: { ...verdict, ...(notes.length === 0 ? {} : { notes }) }, holds };
}

function evidenceOf(alarms: readonly Alarm[]): readonly EvidenceKind[] {
  return [...new Set(alarms.flatMap(({ evidence }) => evidence))];
}

/**
 * Whether somebody whose deactivation is put off left the scope since an alarm about it was raised, and nobody has released
 * a deactivation meanwhile: the alarm must not be over before it is due.
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
