import { randomUUID } from "node:crypto";
import type { Clock } from "../../domain/clock.ts";
import { errorText } from "../../domain/errors.ts";
import { type CycleKind, type GuardVerdict, isOfEverybody } from "../../domain/plan.ts";
import type { CycleOutcome } from "../../domain/state/cycles.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { type CycleContext, cycleContext } from "../context/context.ts";
import { beginEntry, endEntry } from "../context/cycle-entry.ts";
import { watchAnswers } from "../health/reach.ts";
import { refusalSentence } from "../health/refused-kinds.ts";
import { confirmTenant, refuseAnotherTenant } from "../health/tenant.ts";
import { keepPlan } from "../planning/plan.ts";
import type { Ports } from "../ports/ports.ts";
import { interrupted } from "../sending/run.ts";
import type { BegunCycle, EndedCycle } from "./course.ts";
import type { CycleRequest, CycleResult } from "./request.ts";
import { trimLog } from "./retention.ts";

/** Begins the cycle's entry in the log, runs the cycle, and records its end, also if the cycle fails. */
export async function recordCycle(
  given: Ports,
  request: CycleRequest,
  cycle: (begun: BegunCycle) => Promise<EndedCycle>,
): Promise<CycleResult> {
  const watched = watchAnswers(given.target);
  const ports: Ports = { ...given, target: watched.target };
  const { store, clock, log } = ports;
  const startedAt = clock.now();
  const meta = await store.meta();
  await refuseAnotherTenant(ports, meta, request.signal);
  const kind = chooseKind(ports, meta, request);
  const planId = randomUUID();
  const firstRun = meta.establishedAt === undefined;
  const { signal, fence, sending = { kind: "everything" } } = request;
  const cycleId = await beginEntry({ store, fence }, { planId, kind, startedAt });
  const context = cycleContext(ports, { cycleId, kind, startedAt, signal, fence, firstRun, sending }, meta);
  let believed = clock;
  const believe = (other: Clock): void => {
    believed = other;
  };
  log.info({ cycleId, planId, cycle: kind, dryRun: request.dryRun }, "cycle started");

  const begun = { request, context, planId, meta, watched, believe };
  try {
    await confirmTenant(context, meta, signal);
    return await recordEnd(begun, await cycle(begun));
  } catch (error) {
    const reason = signal.aborted ? interrupted(signal) : error;
    const end = {
      finishedAt: believed.now(),
      outcome: signal.aborted ? "interrupted" : "failed",
      error: errorText(reason),
    } as const;
    await endEntry(context, cycleId, end).catch((second: unknown) => {
      // The first error says what went wrong; the second usually has the same cause (for example a full disk).
      log.warn({ error: String(second) }, "the end of the cycle could not be recorded");
    });
    throw reason;
  }
}

function chooseKind({ settings }: Ports, meta: Partial<Meta>, request: CycleRequest): CycleKind {
  if (request.revert !== undefined) return "revert";
  if (request.only !== undefined) return "on-demand";
  if (request.leavers !== undefined) return "leavers";
  const current = meta.watermark !== undefined && meta.mappingDigest === settings.mapping.digest;
  if (!current || meta.targetListedAt === undefined) return "initial";
  return request.full ? "reconcile" : "incremental";
}

async function recordEnd(
  { request, planId, context: { clock } }: BegunCycle,
  { context, weighed, sent, unreadable = 0, failedComparison, onDemand, revert }: EndedCycle,
): Promise<CycleResult> {
  // As it was corrected, if our clock has been set back since the cycle began.
  const { store, settings, cycleId, kind, sending, startedAt } = context;
  const { guard, heldOperations } = weighed;
  const { summary, done, mostFailed, paused } = sent;
  const failed = sent.failed + unreadable;
  const outcome = paused ? "paused" : outcomeOf(guard, failed);
  // Refused kinds are reported with this cycle only: `refusedKinds` stores them for the next one.
  const notes = [...context.notes, ...[...context.kinds.refused().values()].map(refusalSentence)];
  await keepPlan(context, { summary, guard });
  const finishedAt = context.clock.now();
  await endEntry(context, cycleId, {
    finishedAt,
    outcome,
    error: null,
    keepPlan: request.dryRun,
    showPlan: paused,
  });
  if (context.clockDoubtMs === 0) {
    await trimLog(context, {
      newest: cycleId,
      before: startedAt - settings.retentionMs,
      countedSince: finishedAt - settings.guard.windowMs,
      maxRows: settings.maxLogRows,
    });
  }
  context.log.info(
    { cycleId, outcome, ...summary, done, failed: sent.failed, mostFailed, held: heldOperations, notes },
    "cycle finished",
  );
  const outcomes = request.dryRun ? [] : ((await store.cycleOfPlan(planId))?.outcomes ?? []);
  return {
    cycleId,
    header: { planId, cycle: kind, createdAt: startedAt, summary, guard, notes },
    outcome,
    done,
    failed,
    heldOperations,
    notSent: outcomes.reduce((sum, one) => (one.outcome === "cancelled" ? sum + one.count : sum), 0),
    mostFailed: backingOff(kind, sending) ?? mostFailed,
    durationMs: clock.now() - startedAt,
    failedComparison,
    ...(onDemand === undefined ? {} : { onDemand }),
    ...(request.leavers === undefined ? {} : { leavers: request.leavers }),
    ...(revert === undefined ? {} : { revert }),
  };
}

/** Why a cycle of everybody sends leavers only, in words; `null` if it does not. */
function backingOff(kind: CycleKind, sending: CycleContext["sending"]): string | null {
  return isOfEverybody(kind) && sending.kind === "leavers" ? sending.reason : null;
}

function outcomeOf(guard: GuardVerdict, failed: number): CycleOutcome {
  if (guard.held) return "held";
  return failed > 0 ? "someFailed" : "done";
}
