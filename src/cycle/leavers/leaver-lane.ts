import { WatermarkExpiredError } from "../../domain/errors.ts";
import { certainEvidence } from "../../domain/plan.ts";
import { sentence } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import { type CycleContext, cycleContext } from "../context/context.ts";
import type { BegunCycle, EndedCycle, WeighedCycle } from "../course/course.ts";
import { sendCycle, settleEarlierRuns, withoutWithdrawn } from "../course/plan-weigh-send.ts";
import { recordCycle } from "../course/record-cycle.ts";
import type { CycleRequest, CycleResult } from "../course/request.ts";
import { withTrustedClock } from "../course/trusted-clock.ts";
import { confirmLeavers, confirmWeighedLeavers } from "../guard/confirm-leavers.ts";
import { moveHeld } from "../guard/hold.ts";
import { weighAlone } from "../guard/weigh.ts";
import { type LaneRest, laneRest } from "../health/lane-rest.ts";
import { confirmTenant } from "../health/tenant.ts";
import { operationsOf } from "../operations/pages.ts";
import { lookedAtNext } from "../pictures/marks.ts";
import { certainEvents } from "../planning/leaving.ts";
import { keepPlan, makePlan, summarise } from "../planning/plan.ts";
import type { Ports } from "../ports/ports.ts";
import { type CycleSettings, deactivatesAtOnce } from "../ports/settings.ts";
import { ingestBetweenCycles } from "../reading/ingest.ts";
import { refuseSharedCompany } from "../reading/shared-company.ts";

const pageSize = 250;
const reason = "only people who were disabled or deleted are deactivated between two cycles";

/** The result of looking for leavers between two cycles. */
export type LaneResult =
  /** The next cycle of everybody does it. */
  | { readonly kind: "rested"; readonly rest: LaneRest }
  /** The changes are stored. They show no one whose account is to be deactivated now. */
  | { readonly kind: "nobody" }
  | {
      readonly kind: "ran";
      readonly result: CycleResult;
      /** They are more than the guard allows: nothing was sent, and the next cycle of everybody holds them. */
      readonly tooMany: boolean;
    };

/**
 * Reads what changed in Entra since the last read, and runs a cycle of those people alone who were disabled or deleted: only `active`
 * of their accounts is written. Everybody whom the changes are about stays marked for the next cycle of everybody. Without leavers the
 * log gets no cycle. The caller holds the lease.
 * @throws ConfigurationError, HostUnavailableError, InterruptedError, StateError; what was done is recorded
 */
export async function runLeaverLane(
  ports: Ports,
  request: Pick<CycleRequest, "dryRun" | "fence" | "signal">,
): Promise<LaneResult> {
  const { store, settings, clock } = ports;
  const meta = await store.meta();
  const rest = laneRest(meta, settings, clock.now());
  if (rest !== null) return { kind: "rested", rest };
  const context = await readingContext(ports, meta, request);
  await confirmTenant(context, meta, request.signal);
  let due: readonly string[];
  try {
    due = await ingestBetweenCycles(context, meta, (seen) =>
      dueNow(context, new Set([...parseLeaversDue(meta), ...seen])),
    );
  } catch (error) {
    if (error instanceof WatermarkExpiredError) return { kind: "rested", rest: "watermarkExpired" };
    throw error;
  }
  if (due.length === 0) return { kind: "nobody" };
  if (await deactivationsAreHeld(context, meta)) {
    await forget(context, due);
    return { kind: "rested", rest: "guardHolds" };
  }
  const sending: CycleContext["sending"] = { kind: "leavers", reason, evidence: certainEvidence };
  let tooMany = false;
  let unanswered: readonly string[] = [];
  const result = await recordCycle(
    ports,
    { ...request, full: false, leavers: due, sending },
    async (begun) => {
      const ended = await cycleOfLeavers(begun, due);
      tooMany = ended.tooMany;
      unanswered = [...ended.context.unconfirmed.keys()].filter((objectId) => due.includes(objectId));
      return ended;
    },
  );
  await forget(context, due, unanswered);
  return { kind: "ran", result, tooMany };
}

/** People whom an earlier poll saw leaving, and who were not planned since. */
export function parseLeaversDue({ leaversDue = "" }: Partial<Meta>): readonly string[] {
  // Only this program writes it.
  return leaversDue === "" ? [] : (JSON.parse(leaversDue) as readonly string[]);
}

/** The context for reading: what is read belongs to the last cycle, because the log has no entry of this one yet. */
async function readingContext(
  ports: Ports,
  meta: Partial<Meta>,
  { fence, signal }: Pick<CycleRequest, "fence" | "signal">,
): Promise<CycleContext> {
  const [last] = await ports.store.recentCycles(1);
  const startedAt = ports.clock.now();
  const cycle = {
    cycleId: last?.id ?? 0,
    kind: "leavers",
    startedAt,
    signal,
    fence,
    firstRun: false,
  } as const;
  return cycleContext(ports, cycle, meta);
}

async function cycleOfLeavers(
  begun: BegunCycle,
  only: readonly string[],
): Promise<EndedCycle & { readonly tooMany: boolean }> {
  const { context } = await withTrustedClock(begun, (reading) => settleEarlierRuns(reading, begun.meta));
  await refuseSharedCompany(context, begun.meta);
  await makePlan(context, { only });
  const { tooMany, ...weighed } = await weighLeavers(context, only);
  const sent = await sendCycle(context, begun, weighed);
  // A pause that lets leavers through has stopped nothing of this cycle.
  const paused = sent.paused && (await isLeftOver(context));
  return { context, weighed, sent: { ...sent, paused }, failedComparison: null, tooMany };
}

/** Confirms and weighs the leavers. If they are too many, all are taken out of the plan: the guard holds plans of everybody only. */
async function weighLeavers(
  context: CycleContext,
  only: readonly string[],
): Promise<WeighedCycle & { readonly tooMany: boolean }> {
  const { store, fence, cycleId, notes } = context;
  const confirmed = await confirmLeavers(context);
  let summary = await summarise(context, only);
  const { held: tooMany, reasons } = await weighAlone(context, summary);
  if (tooMany) {
    notes.push(`Nothing is sent before the next cycle, which holds it: ${reasons.map(sentence).join(" ")}`);
    await store.commit({ operations: { remove: await store.unsentOf(cycleId, only) } }, fence);
    summary = await summarise(context, only);
  } else {
    await moveHeld(context);
    if (!confirmed) summary = withoutWithdrawn(summary, await confirmWeighedLeavers(context));
  }
  const guard = { held: false, reasons: [] };
  await keepPlan(context, { summary, guard });
  return { summary, guard, heldOperations: 0, tooMany };
}

async function isLeftOver({ store, cycleId }: CycleContext): Promise<boolean> {
  for await (const _ of operationsOf(store, cycleId, { status: "planned" })) return true;
  return false;
}

/** `true` if the guard holds deactivations of the last plan of everybody. */
async function deactivationsAreHeld(
  { store }: CycleContext,
  { heldPlan = "" }: Partial<Meta>,
): Promise<boolean> {
  const holds = heldPlan === "" ? [] : ((await store.cycleOfPlan(heldPlan))?.guard?.holds ?? []);
  return holds.some(({ kind }) => kind === "deactivate");
}

/** These people were planned, or are left to the cycle of everybody, which plans each of them. */
async function forget(
  { store, fence }: CycleContext,
  due: readonly string[],
  except: readonly string[] = [],
): Promise<void> {
  const leaversDue = except.length === 0 ? "" : JSON.stringify(except);
  await store.commit({ notes: { leaversDue }, marks: lookedAtNext(due) }, fence);
}

/** Those of these people whose accounts are to be deactivated now, as far as it can be said before they are planned. */
async function dueNow(
  { store, everyoneInScope, settings, clock }: CycleContext,
  people: ReadonlySet<string>,
): Promise<readonly string[]> {
  const found: string[] = [];
  const only = [...people];
  for (let after = ""; only.length > 0; ) {
    const page = await store.candidates({ select: { only }, everyoneInScope, after, limit: pageSize });
    for (const candidate of page) {
      if (isDueNow(candidate, settings, clock.now())) found.push(candidate.source.objectId);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.source.objectId;
  }
  return found;
}

/** A person who waits for a retry is left to the cycle of everybody. Held and rejected changes stay as they are: the plan knows them. */
function isDueNow(
  { source, link, retry, accountMissingSince }: Candidate,
  { events }: Pick<CycleSettings, "events">,
  now: number,
): boolean {
  if (link === null || link.active === false || accountMissingSince !== null) return false;
  if (retry !== null && retry.nextTryAt > now) return false;
  return certainEvents(source).some(({ event }) => deactivatesAtOnce(events[event]));
}
