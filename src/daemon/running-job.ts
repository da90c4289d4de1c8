import { InterruptedError } from "../domain/errors.ts";
import type { StateStore } from "../domain/state/store.ts";
import { explainFromState } from "../job/explain.ts";
import type { Job } from "../job/job.ts";
import { openReaderBeside } from "../job/state-place.ts";
import { concealedBy } from "../mapping/rules/concealed.ts";
import type { JobMetrics } from "../report/metrics.ts";
import type { JobView } from "./http/daemon-view.ts";
import type { JobTurns } from "./job-turns.ts";
import { startNotifier } from "./notifier.ts";
import { createQuarantineSkip } from "./quarantine-skip.ts";
import { createInForce, type InForce } from "./reload.ts";
import { createScheduledCycles } from "./scheduled-cycles.ts";
import { createScheduler } from "./scheduler.ts";
import { createSlot } from "./slot.ts";
import { createDaemonWork } from "./work.ts";
import { createWorks } from "./works.ts";

/** A job that a daemon runs on its schedule. Nothing of it is shared with another job, except the turns. */
export interface RunningJob {
  readonly name: string;
  /** The job as it was opened. It owns the database and a sandbox, and is closed last. */
  readonly first: Job;
  readonly inForce: InForce;
  readonly view: JobView;
  /** Lets cycles start. */
  start(): void;
  /** Call after another configuration of the job has come in force. */
  reconfigured(): Promise<void>;
  /** Starts no more cycles; resolves when the one under way has ended. It goes on to its end unless `why` is given. */
  stop(why?: string): Promise<void>;
  /** Closes what it has open. */
  close(): Promise<void>;
}

export interface RunningJobParts {
  /** Is closed with the running job, and at once if it cannot run. */
  readonly first: Job;
  readonly turns: JobTurns;
  readonly metrics: JobMetrics;
  /** Aborted when the daemon stops. */
  readonly signal: AbortSignal;
}

/** Opens the state of a job, and makes it ready to run. @throws StateError */
export async function openRunningJob({
  first,
  turns,
  metrics,
  signal,
}: RunningJobParts): Promise<RunningJob> {
  const closers: (() => unknown)[] = [() => first.close()];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    return await assemble({ first, turns, metrics, signal }, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(
  { first, turns, metrics, signal: daemonStops }: RunningJobParts,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<RunningJob> {
  const { clock, config } = first;
  const removed = new AbortController();
  const signal = AbortSignal.any([daemonStops, removed.signal]);
  const store = await first.state();
  const inForce = createInForce(first);
  const { current } = inForce;
  const skip = createQuarantineSkip(store);
  await skip.grant();
  const notifier = await startNotifier(current, store);
  closers.push(() => notifier.stop());
  const reader: StateStore = await openReaderBeside(first.statePlace, store);
  closers.push(() => reader.close());

  const slot = createSlot();
  const works = createWorks(clock.now);
  const work = createDaemonWork({ current, reader, slot, turns, works, metrics, notifier, signal });
  const cycles = createScheduledCycles({ current, store, work, skip, signal });
  const scheduler = createScheduler({ schedule: config.schedule, clock, slot, cycles });
  return {
    name: first.name,
    first,
    inForce,
    view: {
      name: first.name,
      reader,
      glance: first.loaded.named ? store : reader,
      schedule: () => current().config.schedule,
      scheduler,
      works,
      now: clock.now,
      startCycle: work.startCycle,
      startDryRun: work.startDryRun,
      startRelease: work.startRelease,
      concealed: () => concealedBy(current().mapping),
      explain: (person) => explainFromState(current(), current().mapping, reader, person),
    },
    start: () => {
      slot.open();
      scheduler.start();
    },
    reconfigured: async () => {
      notifier.reconfigured();
      await skip.grant();
      scheduler.reschedule(current().config.schedule);
    },
    stop: async (why) => {
      if (why !== undefined) removed.abort(new InterruptedError(why));
      const ended = slot.close();
      await scheduler.stop();
      await ended;
    },
    close,
  };
}
