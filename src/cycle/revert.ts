import { actorText } from "../domain/actor.ts";
import type { GuardVerdict, PlanSummary } from "../domain/plan.ts";
import { withoutStop } from "../domain/sentence.ts";
import type { Candidate, PersonPlan } from "../domain/state/planning.ts";
import type { CycleContext } from "./context/context.ts";
import type { BegunCycle, EndedCycle } from "./course/course.ts";
import { sendCycle, settleEarlierRuns } from "./course/plan-weigh-send.ts";
import { withTrustedClock } from "./course/trusted-clock.ts";
import { agreementWith } from "./guard/agreement.ts";
import { weighAlone } from "./guard/weigh.ts";
import { operationsOf } from "./operations/pages.ts";
import { weightsOf } from "./operations/weights.ts";
import { foldPlans, type PersonWithPlan } from "./pictures/fold-plans.ts";
import { withDecisions } from "./planning/decisions.ts";
import { orderPlan } from "./planning/order.ts";
import { keepPlan } from "./planning/plan.ts";
import { type RevertingOperation, revertOperation } from "./planning/revert-operation.ts";
import { readReverted } from "./reading/reverted.ts";
import { refuseSharedCompany } from "./reading/shared-company.ts";
import { reportOf } from "./reverts/revert-report.ts";
import { type RevertedOperation, type RevertOrder, revertedCycle, revertsOf } from "./reverts/reverts.ts";

const pageSize = 250;

/**
 * A cycle that takes back what an earlier one did: the values are compared with the accounts as they are now, and those that are
 * still as they were sent are planned the other way round, weighed and sent. The mapping is not asked. A change that is taken back is
 * rejected in the commit of its outcome, so that the next cycle does not send it again. If the guard would hold a part, nothing is sent.
 * @throws UsageError of `revertedCycle`; ConfigurationError if the plan is not the one that was agreed to
 */
export async function cycleOfRevert(begun: BegunCycle, order: RevertOrder): Promise<EndedCycle> {
  const { request, meta, planId } = begun;
  const { context, read: closed } = await withTrustedClock(begun, async (reading) => {
    await settleEarlierRuns(reading, meta);
    return readWhatIsReverted(reading, order);
  });
  const { store, settings, log, cycleId, notes } = context;
  await refuseSharedCompany(context, meta);
  const reverted = await revertedCycle(store, order);
  const accounts = await withDecisions(settings, store);
  const found = await revertsOf(store, reverted.operations, order, accounts, closed);
  const { cycle } = reverted;
  log.info({ cycleId, reverts: cycle.id, by: actorText(order.by) }, "taking a cycle back");
  notes.push(orderText(cycle.id, order));

  const people: string[] = [];
  const actions = { update: 0, deactivate: 0, reactivate: 0 };
  for (let from = 0; from < found.length; from += pageSize) {
    const page = await plansOf(found.slice(from, from + pageSize), { cycleId: cycle.id, planId }, context);
    for (const { operation } of page) {
      people.push(operation.objectId);
      actions[operation.action] += 1;
    }
    await store.commit(
      foldPlans(
        page.map(({ person }) => person),
        context,
      ),
      context.fence,
    );
    await context.clock.sleep(0, context.signal);
  }
  await orderPlan(context);

  const unchanged = found.length - people.length;
  const summary: PlanSummary = { create: 0, ...actions, link: 0, unchanged, skipped: 0 };
  const { guard, passedOver } = released(await weighAlone(context, summary), order, notes);
  await keepPlan(context, { summary, guard });
  const agreement = await agreementWith(context, request.agreed);
  if (!request.dryRun && guard.held) await withdrawAll(context);
  else if (!request.dryRun && people.length > 0) await recordDecision(begun, order, cycle.id, people);
  const weighed = { summary, guard, heldOperations: guard.held ? people.length : 0 };
  const sent = await sendCycle(context, begun, weighed);
  const revert = { report: reportOf(reverted, found), agreement, passedOver };
  return { context, weighed, sent, failedComparison: null, revert };
}

/** Reads the accounts that the cycle has written: a person may have edited them since they were last read. */
async function readWhatIsReverted(
  context: CycleContext,
  order: RevertOrder,
): Promise<ReadonlyMap<string, string>> {
  const { operations } = await revertedCycle(context.store, order);
  const people = operations.flatMap(({ objectId, latticeId, action, changes }) => {
    const switchedOff = changes.some(({ attribute, before }) => attribute === "active" && before === true);
    return latticeId === null
      ? []
      : [{ objectId, latticeId, switchesOn: switchedOff && action !== "create" }];
  });
  return readReverted(context, people);
}

interface PlannedRevert {
  readonly operation: RevertingOperation;
  readonly person: PersonWithPlan;
}

/** The plans of a page of people; none of those of whom nothing is taken back. */
async function plansOf(
  page: readonly RevertedOperation[],
  reverting: Parameters<typeof revertOperation>[3],
  context: CycleContext,
): Promise<readonly PlannedRevert[]> {
  const only = page.flatMap(({ operation, revert }) =>
    revert.reverts.length === 0 ? [] : [operation.objectId],
  );
  if (only.length === 0) return [];
  const candidates = await context.store.candidates({
    select: { only },
    everyoneInScope: true,
    after: "",
    limit: only.length,
  });
  const known = new Map(candidates.map((candidate) => [candidate.source.objectId, candidate]));
  return page.flatMap(({ operation: original, revert }) => {
    const candidate = known.get(original.objectId);
    if (candidate === undefined || original.latticeId === null || revert.reverts.length === 0) return [];
    const operation = revertOperation(original, original.latticeId, revert.reverts, reverting);
    return [{ operation, person: { known: candidate, plan: planOf(operation, candidate, context) } }];
  });
}

/** Releases and rejections of other changes of the person stay as they are. */
function planOf(
  operation: RevertingOperation,
  { released: releasedChanges, rejected }: Candidate,
  context: Pick<CycleContext, "firstRun">,
): PersonPlan {
  return {
    kind: "operation",
    operation,
    referencePending: false,
    weights: weightsOf(operation, context),
    releasesInUse: [...releasedChanges.keys()],
    rejected,
  };
}

/** The verdict as the person wants it: a revert is sent whole or not at all, unless the person passes over the limits. */
function released(
  guard: GuardVerdict,
  { release, by }: RevertOrder,
  notes: string[],
): { readonly guard: GuardVerdict; readonly passedOver: readonly string[] } {
  if (!guard.held || !release) return { guard, passedOver: [] };
  const { reasons } = guard;
  notes.push(
    ...reasons.map((reason) => `Sent all the same, as ${actorText(by)} ordered: ${withoutStop(reason)}.`),
  );
  const { holds: _, ...rest } = guard;
  return { guard: { ...rest, held: false, reasons: [] }, passedOver: reasons };
}

function orderText(cycleId: number, { by, reason }: RevertOrder): string {
  const why = reason === undefined ? "" : ` (${withoutStop(reason)})`;
  return `Takes back cycle ${cycleId}, as ${actorText(by)} ordered${why}.`;
}

/** Takes the plan out of the log: a held revert would be cancelled by the next plan, and no one could release it. */
async function withdrawAll({ store, fence, cycleId }: CycleContext): Promise<void> {
  const ids: number[] = [];
  for await (const { id } of operationsOf(store, cycleId, { status: "planned" })) ids.push(id);
  for (let from = 0; from < ids.length; from += pageSize) {
    await store.commit({ operations: { remove: ids.slice(from, from + pageSize) } }, fence);
  }
}

/** Records who takes back and why, before the first request. The rejections belong to this decision. */
async function recordDecision(
  { planId, context: { store, fence, clock } }: BegunCycle,
  { by, reason, release }: RevertOrder,
  cycleId: number,
  people: readonly string[],
): Promise<void> {
  const why = reason === undefined ? "" : `: ${reason}`;
  const decision = {
    planId,
    at: clock.now(),
    by,
    reason: `cycle ${cycleId} taken back${why}`,
    people: { released: release ? people : [], rejected: people, undone: [] },
  };
  await store.commit({ decision }, fence);
}
