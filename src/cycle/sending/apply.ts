import type { LoggedOperation } from "../../domain/operation.ts";
import type { CycleContext } from "../context/context.ts";
import { mostFailed } from "../health/quarantine.ts";
import { parseSendingPause, type SendingPause, sentInPause } from "../health/sending-pause.ts";
import { foldPaused } from "../pictures/fold-paused.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { createRun, type Run } from "./run.ts";
import { leavers, type Stage } from "./stages.ts";

/**
 * The number of operations whose intents are noted in one commit before the first of them is sent. If the run dies, all of
 * them are looked up, so a batch has about as many operations as are sent in two seconds. The upper limit keeps timers from
 * waiting long for one commit.
 */
const batchSize = { first: 64, least: 64, most: 128, ms: 2_000 };
/** A probe sends this many operations before the others. */
const probeSize = 10;

export interface Applied {
  readonly done: number;
  readonly failed: number;
  /** Why the whole job backs off, in words, if too many operations failed; else `null`. */
  readonly mostFailed: string | null;
  /** Object ids of people whose accounts got a temporary userName and still need their own. */
  readonly halfRenamed: readonly string[];
  /** A person has paused sending: nothing but leavers was sent since then. */
  readonly paused: boolean;
}

/**
 * Sends the planned operations, a fixed number at a time, in the order of their waves, and records each outcome. Leavers are
 * sent first and always; only the others can be put back after a failed probe or because of refusals.
 * On an abort, the requests that are out are finished and recorded before this throws.
 * @throws InterruptedError, ConfigurationError, HostUnavailableError, StateError
 */
export async function applyPlan(
  context: CycleContext,
  plan: { readonly total: number; readonly probe: boolean },
): Promise<Applied> {
  const recorder = createRecorder(context);
  const run = createRun(context, recorder, plan.total);
  let probed = false;
  let paused: boolean;
  try {
    paused = await sendStage(context, run, recorder, leavers);
    if (plan.probe && !paused) paused = await sendStage(context, run, recorder, { sample: probeSize });
    probed = plan.probe && mostFailed(run.telling, true);
    if (!probed && !paused) paused = await sendStage(context, run, recorder, {});
    await run.drain();
    run.throwIfStopped();
  } finally {
    await run.drain();
    await recorder.flush();
  }
  const { done, failed } = run.telling;
  const most = probed || mostFailed(run.telling, false);
  return {
    ...recorder.counts,
    mostFailed: most ? `${failed} of ${done + failed} operations failed` : null,
    halfRenamed: run.halfRenamed,
    paused,
  };
}

/** @returns `true` if a person has paused sending */
async function sendStage(
  context: CycleContext,
  run: Run,
  recorder: Recorder,
  stage: Stage,
): Promise<boolean> {
  let paused = false;
  let size = batchSize.first;
  let begunAt = context.clock.now();
  /** Reads the batch after this operation and notes its intents; empty if the run is over. */
  const begin = async (last: LoggedOperation | undefined): Promise<readonly LoggedOperation[]> => {
    if (run.isOver(stage)) return [];
    const now = context.clock.now();
    if (last !== undefined) size = nextSize(size, now - begunAt);
    begunAt = now;
    const pause = await pauseOf(context);
    await context.protections.refresh();
    paused ||= pause !== null;
    if (pause !== null && stage !== leavers) return [];
    const batch = await nextBatch(context, last, stage, { limit: stage.sample ?? size, pause });
    if (batch.length > 0) await recorder.begin(batch, now);
    return batch;
  };
  let batch = await begin(undefined);
  while (batch.length > 0) {
    const last = batch.at(-1);
    let next: Promise<readonly LoggedOperation[]> | undefined;
    for (const [index, operation] of batch.entries()) {
      // Note the next batch while the last operations of this one wait, so that no connection is idle.
      if (stage.sample === undefined && index === Math.max(0, batch.length - context.settings.concurrency)) {
        next = begin(last);
        next.catch(() => {});
      }
      await run.start(operation);
    }
    if (stage.sample !== undefined) {
      await run.drain();
      return paused;
    }
    batch = await (next ?? begin(last));
  }
  return paused;
}

/** The pause of sending that is in force at this moment: a person may have ordered it since the cycle began. */
async function pauseOf({ store, clock }: CycleContext): Promise<SendingPause | null> {
  return parseSendingPause(await store.meta(), clock.now());
}

function nextSize(size: number, tookMs: number): number {
  if (tookMs < batchSize.ms / 2) return Math.min(size * 2, batchSize.most);
  return tookMs > batchSize.ms * 2 ? Math.max(size / 2, batchSize.least) : size;
}

async function nextBatch(
  context: CycleContext,
  last: LoggedOperation | undefined,
  stage: Stage,
  { limit, pause }: { readonly limit: number; readonly pause: SendingPause | null },
): Promise<readonly LoggedOperation[]> {
  const { store, kinds, cycleId } = context;
  const batch = await store.operations(cycleId, {
    status: "planned",
    without: [...kinds.refused().keys()].filter((action) => kinds.isRefused(action)),
    firstAttempts: stage.sample !== undefined,
    afterWave: last?.wave ?? -1,
    afterId: last?.id ?? 0,
    limit,
  });
  const { throughWave } = stage;
  const ofStage = throughWave === undefined ? batch : batch.filter(({ wave }) => wave <= throughWave);
  if (pause === null) return ofStage;
  const sent = ofStage.filter((operation) => sentInPause(pause, operation));
  const end = ofStage.at(-1);
  // Later ones of the stage may be sent, although none of these is.
  return sent.length > 0 || end === undefined
    ? activeAlone(context, sent)
    : nextBatch(context, end, stage, { limit, pause });
}

/** Leavers who pass in a pause, of whom only `active` is sent: they may have been planned before it. */
async function activeAlone(
  context: CycleContext,
  operations: readonly LoggedOperation[],
): Promise<readonly LoggedOperation[]> {
  const { change, left } = foldPaused(operations, context);
  if (change !== null) await context.store.commit(change, context.fence);
  return left;
}
