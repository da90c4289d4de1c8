import type { LoggedOperation } from "../../domain/operation.ts";
import type { CycleContext } from "../context/context.ts";
import { mostFailed } from "../health/quarantine.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { createRun, type Run } from "./run.ts";
import { leavers, type Stage } from "./stages.ts";

/**
 * Operations whose intents are noted in one commit before the first of them is sent. A run that dies leaves so many to be
 * looked up, so that a batch is what goes out in about two seconds; and no timer waits for more than the most takes to note.
 */
const batchSize = { first: 64, least: 64, most: 128, ms: 2_000 };
/** What a probe sends before anything else. */
const probeSize = 10;

export interface Applied {
  readonly done: number;
  readonly failed: number;
  /** Where so many failed that the whole job backs off: what happened, in words. */
  readonly mostFailed: string | null;
  /** People whose accounts have got a temporary userName, and are to get their own. */
  readonly halfRenamed: readonly string[];
}

/**
 * Sends the planned operations, a fixed number at a time, in the order of their waves, and records each outcome. Leavers go
 * before everybody else and in any case; what a probe or refusals keep back is everything but them.
 * On an abort the writes in flight are finished and recorded before this throws.
 * @throws InterruptedError, ConfigurationError, HostUnavailableError, StateError
 */
export async function applyPlan(
  context: CycleContext,
  plan: { readonly total: number; readonly probe: boolean },
): Promise<Applied> {
  const recorder = createRecorder(context);
  const run = createRun(context, recorder, plan.total);
  let probed = false;
  try {
    await sendStage(context, run, recorder, leavers);
    if (plan.probe) await sendStage(context, run, recorder, { sample: probeSize });
    probed = plan.probe && mostFailed(run.telling, true);
    if (!probed) await sendStage(context, run, recorder, {});
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
  };
}

async function sendStage(context: CycleContext, run: Run, recorder: Recorder, stage: Stage): Promise<void> {
  let size = batchSize.first;
  let begunAt = context.clock.now();
  /** The batch after this operation, its intents noted; none where the run is to stop. */
  const begin = async (last: LoggedOperation | undefined): Promise<readonly LoggedOperation[]> => {
    if (run.isOver(stage)) return [];
    const now = context.clock.now();
    if (last !== undefined) size = nextSize(size, now - begunAt);
    begunAt = now;
    const batch = await nextBatch(context, last, stage, stage.sample ?? size);
    if (batch.length > 0) await recorder.begin(batch, now);
    return batch;
  };
  let batch = await begin(undefined);
  while (batch.length > 0) {
    const last = batch.at(-1);
    let next: Promise<readonly LoggedOperation[]> | undefined;
    for (const [index, operation] of batch.entries()) {
      // While the last of this batch wait for room the next one is noted, so that no connection is idle meanwhile.
      if (stage.sample === undefined && index === Math.max(0, batch.length - context.settings.concurrency)) {
        next = begin(last);
        next.catch(() => {});
      }
      await run.start(operation);
    }
    if (stage.sample !== undefined) {
      await run.drain();
      return;
    }
    batch = await (next ?? begin(last));
  }
}

function nextSize(size: number, tookMs: number): number {
  if (tookMs < batchSize.ms / 2) return Math.min(size * 2, batchSize.most);
  return tookMs > batchSize.ms * 2 ? Math.max(size / 2, batchSize.least) : size;
}

async function nextBatch(
  context: CycleContext,
  last: LoggedOperation | undefined,
  stage: Stage,
  limit: number,
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
  return throughWave === undefined ? batch : batch.filter(({ wave }) => wave <= throughWave);
}
