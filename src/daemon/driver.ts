import { systemRandom } from "../domain/random.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job, Notifier } from "../job/job.ts";
import type { JobMetrics } from "../report/metrics.ts";
import type { JobView } from "./http/daemon-view.ts";
import type { JobTurns } from "./job-turns.ts";
import { createLaneTimer, createLeaverLane } from "./leaver-lane.ts";
import { createQuarantineSkip } from "./quarantine-skip.ts";
import { createScheduledCycles } from "./scheduled-cycles.ts";
import { createScheduler } from "./scheduler.ts";
import type { Slot } from "./slot.ts";
import { createDaemonWork } from "./work.ts";
import { createWorks, type WorkStarter } from "./works.ts";

/** Starts the cycles of a job and the work that people ask for: the daemon alone, or several that share a database. */
export interface Driver {
  readonly view: Pick<
    JobView,
    "scheduler" | "works" | "nextLookAt" | "waitsFor" | "standsAside" | keyof WorkStarter
  >;
  /** Lets cycles start. */
  start(): void;
  /** Call after another configuration of the job has come in force. */
  reconfigured(): Promise<void>;
  /** Starts no more cycles. */
  stop(): Promise<void>;
}

export interface DriverParts {
  /** The job in force. */
  readonly current: () => Job;
  readonly store: StateStore;
  readonly reader: StateStore;
  /** Everything that the job does in this process is done in it. */
  readonly slot: Slot;
  readonly turns: JobTurns;
  readonly metrics: JobMetrics;
  readonly notifier: Notifier;
  /** Aborts when the job is to end. */
  readonly signal: AbortSignal;
}

/** This process is the only one that starts cycles of the job. */
export async function driveAlone(parts: DriverParts): Promise<Driver> {
  const { current, store, slot, signal } = parts;
  const { clock, config } = current();
  const skip = createQuarantineSkip(store);
  await skip.grant();
  const works = createWorks(clock.now);
  const work = createDaemonWork({ ...parts, works });
  const cycles = createScheduledCycles({ current, store, work, skip, signal });
  const scheduler = createScheduler({ schedule: config.schedule, clock, slot, cycles });
  const { startCycle, startDryRun, startRelease, startRevert } = work;
  const lane = createLaneTimer(
    createLeaverLane({ ...parts, startCycle: () => startCycle({ full: false }) }),
    clock.now,
    systemRandom,
  );
  return {
    view: {
      scheduler,
      works,
      startCycle,
      startDryRun,
      startRelease,
      startRevert,
      nextLookAt: lane.nextAt,
      waitsFor: () => null,
      standsAside: () => null,
    },
    start: () => {
      scheduler.start();
      lane.start();
    },
    reconfigured: async () => {
      await skip.grant();
      scheduler.reschedule(current().config.schedule);
      lane.reconfigured();
    },
    stop: async () => {
      await Promise.all([scheduler.stop(), lane.stop()]);
    },
  };
}
