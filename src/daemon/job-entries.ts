import { collisionsOf } from "../config/collisions.ts";
import type { LoadedConfig } from "../config/load.ts";
import { isFault, type LoadedJobs } from "../config/load-jobs.ts";
import type { Clock } from "../domain/clock.ts";
import { DomainError, errorText, UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import type { ProcessLog } from "../domain/logger.ts";
import { sentences } from "../domain/sentence.ts";
import type { Job } from "../job/job.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import type { JobMetrics, Metrics } from "../report/metrics.ts";
import type { Fleets } from "./fleet/fleets.ts";
import type { JobEntry, JobFault } from "./http/daemon-view.ts";
import type { JobTurns } from "./job-turns.ts";
import { putInForce, sayRefused } from "./reload.ts";
import { openRunningJob, type RunningJob } from "./running-job.ts";

/** Jobs opened at the same time. The next group begins when each of them is open or has failed. */
const openedAtOnce = 8;
/** With more jobs than this, the daemon spends more processor time to keep its memory small: each of them is a small company. */
const manyJobs = 100;

/** A job that is configured: running, failing, or both, if it runs with its previous configuration. */
export interface Entry {
  readonly name: string;
  readonly metrics: JobMetrics;
  running: RunningJob | null;
  fault: JobFault | null;
}

/** How faults are logged. `asked`: each one, because a person has started the daemon or reloaded the configuration. In a retry: only a new one. */
export interface Asked {
  readonly asked: boolean;
}

export interface JobEntriesParts {
  readonly embedded: "both" | "lattice" | undefined;
  /** Opens a job, on what `replaces` has open. @throws UsageError, StateError */
  readonly open: (
    loaded: LoadedConfig,
    how: {
      readonly metrics: JobMetrics;
      /** All jobs of the configuration that are configured right. */
      readonly jobs: () => readonly LoadedConfig[];
      readonly replaces?: Job;
    },
  ) => Promise<Job>;
  readonly turns: JobTurns;
  readonly fleets: Fleets;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: ProcessLog;
  /** Aborted when the daemon stops. */
  readonly signal: AbortSignal;
}

/** The jobs that are configured, in the order of the configuration. */
export interface JobEntries {
  all(): readonly Entry[];
  /** Makes these the jobs that are configured. @returns those that no longer are */
  configure(names: readonly string[]): readonly Entry[];
  /** Opens a job that is not running. @throws UsageError, StateError */
  open(entry: Entry, loaded: LoadedConfig): Promise<void>;
  /** Opens or changes one job. A fault is noted with it. */
  apply(entry: Entry, loaded: LoadedConfig | UsageError, how: Asked): Promise<void>;
  /** Opens all jobs at the start, as `applyAll`. `opened`, `stop` and `close` wait for it. */
  openAll(loaded: LoadedJobs): Promise<void>;
  /** Resolves when `openAll` has tried all jobs. */
  opened(): Promise<void>;
  /** The same for many jobs that are not running, a group at a time. */
  applyAll(some: readonly Entry[], loaded: LoadedJobs, how: Asked): Promise<void>;
  /** Notes a fault with its job, and logs it. */
  fail(entry: Entry, error: unknown, how: Asked): void;
  /** Lets cycles start, also those of jobs that are opened later. */
  start(): void;
  /** Starts no more cycles; resolves when those under way have ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** @param how `named`: the jobs have names; `configured`: all jobs of the configuration that are configured right */
export function createJobEntries(
  parts: JobEntriesParts,
  { named, configured }: { readonly named: boolean; readonly configured: () => readonly LoadedConfig[] },
): JobEntries {
  const { embedded, turns, fleets, metrics, clock, log, signal } = parts;
  let entries: readonly Entry[] = [];
  let opening: Promise<void> = Promise.resolve();
  let started = false;

  const entryOf = (name: string): Entry =>
    entries.find((entry) => entry.name === name) ?? {
      name,
      metrics: metrics.of(name),
      running: null,
      fault: null,
    };
  const runningBeside = (entry: Entry): readonly RunningJob[] =>
    entries.flatMap(({ name, running }) => (running === null || name === entry.name ? [] : [running]));

  /** @param others the configurations that other jobs have in force, which may differ from what the file says by now */
  const refuseCollisions = (loaded: LoadedConfig, others: readonly LoadedConfig[]): void => {
    const faults = collisionsOf([...new Set([loaded, ...others])], { embedded })
      .filter(({ jobs: [one, other] }) => one !== other && (one === loaded.job || other === loaded.job))
      .map(({ fault }) => fault);
    if (faults.length > 0) throw new UsageError(joinFaults([...new Set(faults)]));
  };

  const open = async (entry: Entry, loaded: LoadedConfig): Promise<void> => {
    refuseCollisions(
      loaded,
      runningBeside(entry).flatMap(({ first: opened, inForce }) => [opened.loaded, inForce.current().loaded]),
    );
    const job = await parts.open(loaded, { metrics: entry.metrics, jobs: configured });
    const running = await openRunningJob({
      first: job,
      jobs: () => entries.length,
      turns,
      fleets,
      metrics: entry.metrics,
      signal,
    });
    // The daemon was stopped meanwhile: nothing else closes it.
    if (signal.aborted) return running.close();
    entry.running = running;
    entry.fault = null;
    if (named) job.log.info({ schedule: job.config.schedule, state: job.statePlace.name }, "job opened");
    if (started) running.start();
  };

  const reopen = async (running: RunningJob, entry: Entry, loaded: LoadedConfig): Promise<void> => {
    const keptAsTheyAre = runningBeside(entry).filter(({ name }) => entryOf(name).fault !== null);
    refuseCollisions(
      loaded,
      keptAsTheyAre.map(({ inForce }) => inForce.current().loaded),
    );
    const job = await parts.open(loaded, {
      metrics: entry.metrics,
      jobs: configured,
      replaces: running.first,
    });
    await putInForce(running, job, running.reconfigured);
    entry.fault = null;
  };

  const fail = (entry: Entry, error: unknown, how: Asked): void => {
    const reason = sentences(errorText(error));
    const isOld = entry.fault?.reason === reason;
    if (!isOld) entry.fault = { reason, since: clock.now() };
    if (isOld && !how.asked) return;
    if (entry.running === null) sayNotOpened(log.child({ job: entry.name }), error);
    else sayRefused(entry.running.first.log, error);
  };

  const apply = async (entry: Entry, loaded: LoadedConfig | UsageError, how: Asked): Promise<void> => {
    try {
      if (isFault(loaded)) throw loaded;
      const { running } = entry;
      if (running === null) await open(entry, loaded);
      else await reopen(running, entry, loaded);
    } catch (error) {
      if (!signal.aborted) fail(entry, error, how);
    }
  };

  const applyAll = async (some: readonly Entry[], loaded: LoadedJobs, how: Asked): Promise<void> => {
    for (let at = 0; at < some.length && !signal.aborted; at += openedAtOnce) {
      await Promise.all(
        some.slice(at, at + openedAtOnce).map(async (entry) => {
          await apply(entry, loaded.get(entry.name) ?? new UsageError("not loaded"), how);
        }),
      );
      // The modules of a job are loaded. The garbage of hundreds of jobs that are opened is collected soon.
      if (some.length > openedAtOnce) keepHeapSmall(some.length > manyJobs ? "givenBack" : "asItIs");
    }
  };

  return {
    all: () => entries,
    configure: (names) => {
      const gone = entries.filter(({ name }) => !names.includes(name));
      entries = names.map(entryOf);
      return gone;
    },
    open,
    apply,
    openAll: (loaded) => {
      opening = applyAll(entries, loaded, { asked: true });
      return opening;
    },
    opened: () => opening,
    applyAll,
    fail,
    start: () => {
      started = true;
      for (const { running } of entries) running?.start();
    },
    stop: async () => {
      const stopped = new Set<RunningJob>();
      const stopAll = async (): Promise<void> => {
        const running = entries.flatMap((entry) => entry.running ?? []).filter((one) => !stopped.has(one));
        for (const one of running) stopped.add(one);
        await Promise.all(running.map((one) => one.stop()));
      };
      await Promise.all([stopAll(), opening]);
      await stopAll();
    },
    close: async () => {
      await opening;
      await Promise.all(entries.map(({ running }) => running?.close()));
    },
  };
}

/** The job as the HTTP interface shows it. */
export function shown({ name, running, fault }: Entry): JobEntry {
  return { name, view: running?.view ?? null, fault: fault ?? running?.view.waitsFor() ?? null };
}

/** Closes a job that is no longer configured. The requests that its cycle has in flight are finished. */
export async function removeJob({ name, running }: Entry, log: ProcessLog): Promise<void> {
  if (running === null) return;
  await running.stop("the job was removed from the configuration; what was sent is recorded");
  await running.close();
  log.info({ job: name }, "job closed: it is no longer in the configuration");
}

function sayNotOpened(log: ProcessLog, error: unknown): void {
  const stack = error instanceof Error && !(error instanceof DomainError) ? error.stack : undefined;
  log.error(
    { error: errorText(error), stack },
    "the job could not be opened and does not run: this is tried again every minute, and the other jobs go on",
  );
}
