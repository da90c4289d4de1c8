import type { GuardVerdict, PlanSummary } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import type { CycleSettings } from "../ports/settings.ts";
import { moveAcceptedScope, type ReadScope, scopeStanding } from "./accepted-scope.ts";
import { type CanaryOfCycle, chooseCanary } from "./canary/begin.ts";
import { type CanaryHold, canaryHold } from "./canary/hold.ts";
import type { Canary } from "./canary/standing.ts";
import { waitForNames } from "./canary/wait-for-names.ts";
import { costsOf } from "./costs.ts";
import { readCounts } from "./counts.ts";
import { type Weighed, type Weights, weighPlan } from "./guard.ts";
import { holdPlan, moveHeld } from "./hold.ts";

interface ToWeigh {
  /** As it was when the cycle began. */
  readonly meta: Partial<Meta>;
  readonly read: ReadScope;
  readonly summary: PlanSummary;
  /** The canary with which the cycle began; `null` if there is none. */
  readonly canary?: CanaryOfCycle | null;
}

/**
 * Weighs the plan of a cycle, holds the operations that exceed a limit, and stores the scope that the next cycle is compared
 * with.
 */
export async function weighAndHold(
  context: CycleContext,
  { meta, read, summary, canary = null }: ToWeigh,
): Promise<WeighedAndHeld> {
  const { settings, firstRun } = context;
  const trial = await canaryOfPlan(context, canary, read);
  const counts = await readCounts(context);
  const scope = scopeStanding(settings, meta, read);
  await moveAcceptedScope(context, scope, counts.planned);
  const weights = { ...counts, alarms: scope.alarms, emptyDirectory: read.emptyDirectory };
  const whole = weigh(weights, settings, { summary, firstRun });
  const waiting = counts.planned.of("canary");
  if (canary === null || waiting === 0) {
    const held = await holdPlan(context, whole.holds);
    await moveHeld(context);
    return { guard: whole.verdict, held, waiting };
  }
  // The limits hold what would be sent now. Their findings about the whole plan are shown too, because they count once the canary is over.
  const now = weigh({ ...weights, planned: counts.sent }, settings, { summary, firstRun });
  const { hold, reason } = canaryHold(trial, { waiting, except: [...(context.canary ?? [])] });
  const held = await holdPlan(context, [...now.holds, hold]);
  await moveHeld(context);
  return { guard: withCanary(whole.verdict, { hold, reason }), held, waiting };
}

interface WeighedAndHeld {
  readonly guard: GuardVerdict;
  /** Operations that are held, in whole or in part. */
  readonly held: number;
  /** Those of them that wait for a canary. */
  readonly waiting: number;
}

/** The canary under way, for which this plan may choose the people; `null`, or the reason, if no one is chosen yet. */
async function canaryOfPlan(
  context: CycleContext,
  canary: CanaryOfCycle | null,
  { emptyDirectory }: ReadScope,
): Promise<Canary | string | null> {
  if (canary === null) return null;
  if (canary.kind === "underWay") {
    await waitForNames(context);
    return canary.canary;
  }
  // Such a plan has few of the operations that are due: people are chosen from a later one.
  if (emptyDirectory || context.sending.kind === "leavers" || context.clockDoubtMs !== 0) return null;
  return chooseCanary(context, canary);
}

/** A verdict that says first what the limits say of the whole plan, and then that it waits for a canary. */
function withCanary(verdict: GuardVerdict, { hold, reason }: CanaryHold): GuardVerdict {
  const { reasons, holds = [] } = verdict;
  return { ...verdict, held: true, reasons: [...reasons, reason], holds: [...holds, { ...hold, reason }] };
}

/** Weighs a plan that says nothing about the scope, and holds nothing of it. */
export async function weighAlone(context: CycleContext, summary: PlanSummary): Promise<GuardVerdict> {
  const { settings, firstRun } = context;
  const weights = { ...(await readCounts(context)), alarms: [], emptyDirectory: false };
  return weigh(weights, settings, { summary, firstRun }).verdict;
}

function weigh(
  weights: Weights,
  { guard }: CycleSettings,
  { summary, firstRun }: { readonly summary: PlanSummary; readonly firstRun: boolean },
): Weighed {
  const { verdict, holds } = weighPlan(weights, guard);
  const notes = costsOf(summary, weights.planned, { holds, firstRun });
  return { verdict: { ...verdict, ...(notes.length === 0 ? {} : { notes }) }, holds };
}
