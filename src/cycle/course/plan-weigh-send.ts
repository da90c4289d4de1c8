import type { Action, PlanSummary } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CandidateSelection } from "../../domain/state/planning.ts";
import type { CycleContext } from "../context/context.ts";
import type { ReadScope } from "../guard/accepted-scope.ts";
import type { CanaryOfCycle } from "../guard/canary/begin.ts";
import { confirmLeavers, confirmWeighedLeavers, type Withdrawn } from "../guard/confirm-leavers.ts";
import { weighAndHold } from "../guard/weigh.ts";
import { confirmReach } from "../health/reach.ts";
import { parseSendingPause, pauseText } from "../health/sending-pause.ts";
import { endWaiting } from "../planning/awaited-managers.ts";
import { keepPlan, makePlan, summarise, withLaterRounds } from "../planning/plan.ts";
import { keepNotes } from "../ports/ports.ts";
import { confirmCompany } from "../reading/company.ts";
import { markDue } from "../reading/due.ts";
import { markProtectionChanges } from "../reading/protections.ts";
import { recoverIntents } from "../sending/recover.ts";
import { rememberRefusals, sendRounds } from "../sending/rounds.ts";
import type { BegunCycle, SentCycle, WeighedCycle } from "./course.ts";

// The steps that are the same in a cycle of everyone and in a cycle on demand.

/** Before anything is read: checks that Lattice is still the same company's, and looks up what earlier runs left open. */
export async function settleEarlierRuns(context: CycleContext, meta: Partial<Meta>): Promise<void> {
  await confirmCompany(context, meta);
  await markProtectionChanges(context, meta);
  await recoverIntents(context);
}

/**
 * Plans the selected people, and those for whom a date or a delay was reached.
 * @param emptyDirectory Entra answered that it has no people: the stored data is of an earlier time, and nothing is planned
 */
export async function planCycle(
  context: CycleContext,
  meta: Partial<Meta>,
  { select, emptyDirectory }: { readonly select: CandidateSelection; readonly emptyDirectory: boolean },
): Promise<void> {
  const { settings, signal } = context;
  const { digest } = settings.mapping;
  signal.throwIfAborted();
  await endWaiting(context);
  if (context.clockDoubtMs === 0) await markDue(context);
  if (emptyDirectory) return;
  // From here on, some people may be planned with the old mapping and some with the new one. So if this cycle does not plan
  // everyone, the next one does, whichever mapping is in force.
  if (meta.mappingDigest !== undefined && meta.mappingDigest !== digest) {
    await keepNotes(context, { mappingDigest: "" });
  }
  await makePlan(context, select);
  // Only now has everyone been planned with this mapping. If the run dies before, the next cycle plans everyone again.
  if (select === "everybody") await keepNotes(context, { mappingDigest: digest });
}

interface ToWeigh {
  readonly read: ReadScope;
  /** Object ids of the people whom the plan is about; everyone if absent. */
  readonly only?: readonly string[];
  /** The canary with which the cycle began. */
  readonly canary?: CanaryOfCycle | null;
}

/**
 * Confirms the leavers of the plan, weighs the plan, and holds the operations that exceed a limit or wait for a canary.
 */
export async function weighCycle(
  context: CycleContext,
  { meta }: Pick<BegunCycle, "meta">,
  { read, only, canary = null }: ToWeigh,
): Promise<WeighedCycle> {
  const { store } = context;
  const confirmed = await confirmLeavers(context);
  // Count the plan before anything is held, because an operation of which a part is held becomes two.
  const planned = await summarise(context, only);
  const { guard, held, waiting } = await weighAndHold(context, { meta, read, summary: planned, canary });
  const summary = confirmed ? planned : withoutWithdrawn(planned, await confirmWeighedLeavers(context));
  const notes = await store.meta();
  const { notShown } = notes;
  if (notShown !== undefined && notShown !== "") context.notes.push(notShown);
  const pause = parseSendingPause(notes, context.clock.now());
  if (pause !== null) context.notes.push(pauseText(pause));
  await keepPlan(context, { summary, guard });
  return { summary, guard, heldOperations: held, waiting };
}

/** Sends the operations that the guard does not hold, unless it is a dry run. */
export async function sendCycle(
  context: CycleContext,
  { request, meta, watched }: Pick<BegunCycle, "request" | "meta" | "watched">,
  { summary, heldOperations }: Pick<WeighedCycle, "summary" | "heldOperations">,
): Promise<SentCycle> {
  const upTo = await context.store.newestOperation();
  const total = plannedWrites(summary) - heldOperations;
  const sent = request.dryRun ? nothingSent : await sendRounds(context, total);
  const later = await withLaterRounds(context, summary, upTo);
  if (!request.dryRun) {
    await confirmReach(context, meta, watched);
    await rememberRefusals(context, meta);
  }
  return { ...sent, summary: later };
}

/** The numbers of a plan without operations that were taken out of it. Nothing is done for the people of these. */
export function withoutWithdrawn(planned: PlanSummary, { byAction, newAccounts }: Withdrawn): PlanSummary {
  const left = (action: Action): number => planned[action] - (byAction.get(action) ?? 0);
  const all = [...byAction.values()].reduce((sum, number) => sum + number, 0);
  return {
    ...planned,
    create: left("create"),
    update: left("update"),
    deactivate: left("deactivate"),
    reactivate: left("reactivate"),
    link: left("link"),
    unchanged: planned.unchanged + all - newAccounts,
    ...(planned.outOfScope === undefined ? {} : { outOfScope: planned.outOfScope + newAccounts }),
  };
}

const nothingSent: Omit<SentCycle, "summary"> = { done: 0, failed: 0, mostFailed: null, paused: false };

function plannedWrites(summary: PlanSummary): number {
  return summary.create + summary.update + summary.deactivate + summary.reactivate + summary.link;
}
