import type { GuardVerdict, PlanSummary } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import type { CycleSettings } from "../ports/settings.ts";
import { moveAcceptedScope, type ReadScope, scopeStanding } from "./accepted-scope.ts";
import { costsOf } from "./costs.ts";
import { readCounts } from "./counts.ts";
import { type Weighed, type Weights, weighPlan } from "./guard.ts";
import { holdPlan, moveHeld } from "./hold.ts";

interface ToWeigh {
  /** As it was when the cycle began. */
  readonly meta: Partial<Meta>;
  readonly read: ReadScope;
  readonly summary: PlanSummary;
}

/**
 * Weighs the plan of a cycle, holds the operations that exceed a limit, and stores the scope that the next cycle is compared
 * with.
 * @returns `held`: how many operations are held
 */
export async function weighAndHold(
  context: CycleContext,
  { meta, read, summary }: ToWeigh,
): Promise<{ readonly guard: GuardVerdict; readonly held: number }> {
  const { settings, firstRun } = context;
  const counts = await readCounts(context);
  const scope = scopeStanding(settings, meta, read);
  await moveAcceptedScope(context, scope, counts.planned);
  const weights = { ...counts, alarms: scope.alarms, emptyDirectory: read.emptyDirectory };
  const { verdict, holds } = weigh(weights, settings, { summary, firstRun });
  const held = await holdPlan(context, holds);
  await moveHeld(context);
  return { guard: verdict, held };
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
