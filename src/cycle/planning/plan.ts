import {
  type Action,
  certainEvidence,
  type GuardVerdict,
  isOfEverybody,
  type PlanSummary,
} from "../../domain/plan.ts";
import type { Candidate, CandidateSelection, PersonPlan } from "../../domain/state/planning.ts";
import type { CycleContext } from "../context/context.ts";
import { planInDoubt } from "../health/clock-doubt.ts";
import { activeOnly, leaversActiveOnly, leaversOnly, tryFew } from "../health/refused-kinds.ts";
import { parseSendingPause } from "../health/sending-pause.ts";
import { weightsOf } from "../operations/weights.ts";
import { foldPlans } from "../pictures/fold-plans.ts";
import { foldWithdrawn } from "../pictures/fold-references.ts";
import { lookedAtNext } from "../pictures/marks.ts";
import { keepNotes } from "../ports/ports.ts";
import { lookUpFirst } from "./look-up-first.ts";
import type { KnownManagers } from "./manager-ring.ts";
import { createNamesakes, type Namesakes } from "./namesakes.ts";
import { orderPlan } from "./order.ts";
import { namesPassedOn } from "./passed-need.ts";
import { planPeople } from "./plan-people.ts";
import type { PlannedPerson } from "./planned-person.ts";
import { presumptionsOf } from "./presumptions.ts";
import { createTryAgain, keptOtherwise, type TryAgain } from "./try-again.ts";

const pageSize = 250;

/** Look-ups that are remembered for all pages of one plan. */
interface Known {
  readonly namesakes: Namesakes;
  readonly knownManagers: KnownManagers;
  readonly namesGiven: ReadonlySet<string>;
}

/** Plans the selected people and writes the plan into the provisioning log, in the order of sending. */
export async function makePlan(context: CycleContext, select: CandidateSelection): Promise<void> {
  const { store, everyoneInScope } = context;
  const few = tryFew(context.refusedBefore);
  const limit = limitOf(context, select, few);
  const ofPause = await limitOfPause(context);
  const names = namesPassedOn(context);
  const known: Known = {
    namesakes: createNamesakes(store, context.settings.mapping.filters, everyoneInScope),
    knownManagers: { managers: new Map(), rings: new Map() },
    namesGiven: names.given,
  };
  const again = await tryAgainIn(context, select);
  // People whose accounts this plan gives to other people.
  const former = new Set<string>();
  let done = 0;
  const planAll = async (
    people: CandidateSelection,
    limited: ((plan: PersonPlan) => PersonPlan) | null,
  ): Promise<void> => {
    let after = "";
    for (;;) {
      const candidates = await store.candidates({ select: people, everyoneInScope, after, limit: pageSize });
      const last = candidates.at(-1);
      if (last === undefined) return;
      const page = await planPage(context, candidates, known, again);
      const limitedPage = page.map((person) => ({
        ...person,
        plan: ofPause(limited === null ? person.plan : limited(person.plan)),
      }));
      await notePresumptions(context, limitedPage, known);
      const planned = limitedPage.map(({ candidate, plan }) => ({ known: candidate, plan }));
      names.note(limitedPage);
      for (const { plan } of planned) {
        if (plan.kind === "operation" && plan.operation.formerOwner !== undefined) {
          former.add(plan.operation.formerOwner);
        }
      }
      await store.commit({ ...foldPlans(planned, context), mayBeLost: true }, context.fence);
      after = last.source.objectId;
      done += candidates.length;
      context.onProgress?.({ phase: "planning", done, total: null });
      // This loop never waits for I/O: the lease heartbeat and signals get their turn here.
      await context.clock.sleep(0, context.signal);
    }
  };
  await planAll(select, limit);
  if (limit === few.limit && few.again().length > 0) await planAll({ only: few.again() }, null);
  // Only if this plan has looked at everyone for whom something may be due.
  if (limit === few.limit && (select === "marked" || select === "everybody")) {
    context.kinds.forget(few.idle());
    context.kinds.trying(few.upTo());
  }
  if (again !== null) await keepNotes(context, { triedAgainUpTo: again.next });
  // Everyone may be planned already, but not all with the names that the plan gives.
  for (let only = await names.holders(); only.length > 0; only = await names.holders()) {
    if (select === "marked" || select === "everybody") await planAll({ only }, limit);
    else await store.commit({ marks: lookedAtNext(only) }, context.fence);
  }
  await withdrawUnpromised(context, [...former]);
  await orderPlan(context);
}

/** Remembers which of these plans rest on other people being gone, in the place of what earlier plans of the people rested on. */
async function notePresumptions(
  { store, presumptions, clock }: CycleContext,
  people: readonly PlannedPerson[],
  { namesakes }: Known,
): Promise<void> {
  for (const { candidate } of people) presumptions.delete(candidate.source.objectId);
  for (const [objectId, presumption] of await presumptionsOf(people, {
    store,
    namesakes,
    now: clock.now(),
  })) {
    presumptions.set(objectId, presumption);
  }
}

/** Puts back plans for a reason that does not lie with the person (quarantine, a refused kind); `null` if there is none. */
function limitOf(
  { sending, kind, refusedBefore }: CycleContext,
  select: CandidateSelection,
  few: ReturnType<typeof tryFew>,
): ((plan: PersonPlan) => PersonPlan) | null {
  if (sending.kind === "leavers") {
    const { reason, evidence } = sending;
    return evidence === undefined ? leaversOnly(reason) : activeOnly(reason, evidence);
  }
  // People who are requested by name are tried, and so are those whom this cycle plans a second time.
  const named = kind === "on-demand" || (typeof select === "object" && "only" in select);
  return named || refusedBefore.size === 0 ? null : few.limit;
}

/** While a person has paused sending and leavers pass, they are switched off, and nothing else of them is sent. */
async function limitOfPause({
  store,
  clock,
}: Pick<CycleContext, "store" | "clock">): Promise<(plan: PersonPlan) => PersonPlan> {
  const pause = parseSendingPause(await store.meta(), clock.now());
  return pause === null || pause.leaversToo ? (plan) => plan : leaversActiveOnly(certainEvidence);
}

/** Only a full comparison sends values again, because it has just read what Lattice keeps. */
async function tryAgainIn(context: CycleContext, select: CandidateSelection): Promise<TryAgain | null> {
  if (context.kind !== "reconcile" || !context.listed || select !== "everybody") return null;
  const kept = await context.store.countAcknowledged();
  const note = keptOtherwise(kept);
  if (note === null) return null;
  context.notes.push(note);
  return createTryAgain((await context.store.meta()).triedAgainUpTo ?? "", kept);
}

/**
 * The plan in numbers.
 * @param only object ids of the people whom a cycle on demand is about; everyone if absent
 */
export async function summarise(
  context: CycleContext,
  only: readonly string[] | undefined,
): Promise<PlanSummary> {
  const { byAction, adoptions } = await context.store.countOperations(context.cycleId);
  const of = (action: Action): number => byAction.get(action) ?? 0;
  const operations = {
    create: of("create"),
    update: of("update"),
    deactivate: of("deactivate"),
    reactivate: of("reactivate"),
    link: of("link"),
  };
  const all = Object.values(operations).reduce((sum, number) => sum + number, 0);
  if (only !== undefined) {
    const { store, cycleId } = context;
    const limit = only.length;
    const skipped = await store.skipped({ after: "", limit, only });
    const planned = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit });
    const busy = new Set([...skipped, ...planned].map(({ objectId }) => objectId));
    const links = await Promise.all(only.filter((id) => !busy.has(id)).map((id) => store.linkOf(id)));
    const unchanged = links.filter((link) => link !== null).length;
    return { ...operations, unchanged, skipped: skipped.length, outOfScope: links.length - unchanged };
  }
  const totals = await context.store.totals();
  const unchanged = totals.linked - totals.linkedSkipped - (all - operations.create - adoptions);
  const withoutAccount = totals.sourceUsers - totals.linked - (totals.skipped - totals.linkedSkipped);
  const outOfScope = Math.max(0, withoutAccount - operations.create - adoptions);
  return { ...operations, unchanged, skipped: totals.skipped, outOfScope };
}

/** Stores the plan in numbers, the guard's verdict, and the notes of the cycle so far. */
export function keepPlan(
  { store, fence, cycleId, notes }: CycleContext,
  plan: { readonly summary: PlanSummary; readonly guard: GuardVerdict },
): Promise<void> {
  return store.commit({ cyclePlan: { cycleId, ...plan, notes } }, fence);
}

/** The numbers of a plan, including the operations that later rounds of the same cycle added (those after `afterId`). */
export async function withLaterRounds(
  { store, cycleId }: CycleContext,
  summary: PlanSummary,
  afterId: number,
): Promise<PlanSummary> {
  const { byAction, newPeople } = await store.countLater(cycleId, afterId);
  const added = Object.fromEntries([...byAction].map(([action, count]) => [action, summary[action] + count]));
  return { ...summary, ...added, unchanged: Math.max(0, summary.unchanged - newPeople) };
}

/** Plans a page. If the last listing was incomplete, accounts are searched for before any is created. */
async function planLookedUp(
  context: CycleContext,
  candidates: readonly Candidate[],
  known: Known,
  again: TryAgain | null,
): Promise<readonly PlannedPerson[]> {
  const triesAgain = again?.of(candidates) ?? new Set<string>();
  const planThese = (some: readonly Candidate[]): Promise<readonly PlannedPerson[]> =>
    planByTheTime(context, some, known, triesAgain);
  const people = await planThese(candidates);
  if (!context.lookUpFirst) return people;
  const { found, unknown } = await lookUpFirst(context, people);
  const looked = await planThese(candidates.filter(({ source }) => found.has(source.objectId)));
  const plannedAgain = new Map(looked.map((person) => [person.candidate.source.objectId, person]));
  return people.map((person) => {
    const { objectId } = person.candidate.source;
    const reason = unknown.get(objectId);
    if (reason !== undefined) return { ...person, plan: notLookedUp(person, reason) };
    return plannedAgain.get(objectId) ?? person;
  });
}

function notLookedUp({ candidate, plan }: PlannedPerson, reason: string): PersonPlan {
  const { objectId } = candidate.source;
  const userName = plan.kind === "operation" ? plan.operation.userName : objectId;
  const text = `the search for an existing account failed: ${reason}`;
  return {
    kind: "skipped",
    skipped: { objectId, userName, code: "waitingForRetry", reason: text },
    referencePending: false,
  };
}

/** Plans a page of people, and logs which attributes could not be mapped. */
async function planPage(
  context: CycleContext,
  candidates: readonly Candidate[],
  known: Known,
  again: TryAgain | null,
): Promise<readonly PlannedPerson[]> {
  const people = await planLookedUp(context, candidates, known, again);
  for (const { candidate, mapped } of people) {
    const { objectId } = candidate.source;
    for (const { target, reason, rule } of mapped.problems) {
      const text = "the attribute cannot be mapped and is not changed";
      context.log.warn({ objectId, attribute: target, rule }, text);
      context.log.debug({ objectId, attribute: target, reason }, text);
    }
  }
  return people.map((person) => {
    const { plan } = person;
    if (plan.kind !== "operation") return person;
    return { ...person, plan: { ...plan, weights: weightsOf(plan.operation, context) } };
  });
}

/** Plans a page. While our clock is in doubt, it is planned by both clocks, and only what both plans agree on is kept. */
async function planByTheTime(
  context: CycleContext,
  candidates: readonly Candidate[],
  known: Known,
  triesAgain: ReadonlySet<string>,
): Promise<readonly PlannedPerson[]> {
  const { store, settings, everyoneInScope, clock, clockDoubtMs } = context;
  const planAt = (now: () => number, shared: Partial<Known>): Promise<readonly PlannedPerson[]> =>
    planPeople(candidates, {
      store,
      settings,
      everyoneInScope,
      environment: { now, random: context.random },
      // People who are requested by name, or are planned with a new mapping, are tried at once even if they failed before.
      ignoreRetrySchedule: context.kind === "on-demand" || context.kind === "initial",
      partial: !isOfEverybody(context.kind),
      unconfirmed: context.unconfirmed,
      ...shared,
      triesAgain,
    });
  const people = await planAt(clock.now, known);
  if (clockDoubtMs === 0) return people;
  // Shared userNames, and rings of managers, depend on date filters too.
  const ours = await planAt(() => clock.now() - clockDoubtMs, { namesGiven: known.namesGiven });
  return people.map((person, index) => ({
    ...person,
    plan: planInDoubt(person.candidate, ours[index]?.plan ?? person.plan, person.plan),
  }));
}

/**
 * Takes changes of manager out of the plan if the manager has no account and gets none with it, or loses the account to
 * another person. That is not a failure: the report waits until the manager has an account.
 * @param former people who lose their accounts with this plan
 */
async function withdrawUnpromised(context: CycleContext, former: readonly string[]): Promise<void> {
  let after = 0;
  for (;;) {
    const operations = await context.store.unpromisedReferences(context.cycleId, after, {
      without: former,
      giving: ["create"],
    });
    const last = operations.at(-1);
    if (last === undefined) return;
    after = last.id;
    for (let from = 0; from < operations.length; from += pageSize) {
      const change = foldWithdrawn(operations.slice(from, from + pageSize));
      await context.store.commit(change, context.fence);
    }
  }
}
