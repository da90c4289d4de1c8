import { collisionsOf } from "../config/collisions.ts";
import type { Configuration, LoadedConfig } from "../config/load.ts";
import { isFault, type LoadedJobs, loadJobs, settingsOf } from "../config/load-jobs.ts";
import type { Clock } from "../domain/clock.ts";
import { DomainError, errorText, UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import type { ProcessLog } from "../domain/logger.ts";
import { sentences } from "../domain/sentence.ts";
import type { Job } from "../job/job.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import type { JobMetrics, Metrics } from "../report/metrics.ts";
import type { Fleets } from "./fleet/fleets.ts";
import type { JobEntry, JobFault, JobList } from "./http/daemon-view.ts";
import type { JobTurns } from "./job-turns.ts";
import { onceAtATime, putInForce, sayRefused } from "./reload.ts";
import { openRunningJob, type RunningJob } from "./running-job.ts";

/** One that takes long to open, because its database does not answer, delays at most a group. */
const openedAtOnce = 8;
/** A start waits for the jobs to be opened for as long as this; the rest is opened while the daemon works. */
const startPatienceMs = 10_000;
/** With more jobs, memory is worth more processor time: each of them is a small company. */
const manyJobs = 100;
/** How often a job that could not be opened is tried again. */
const retryMs = 60_000;

/** The jobs of a daemon. One that cannot be opened never keeps the others from running. */
export interface DaemonJobs extends JobList {
  /** Lets cycles start, also those of jobs that are opened later. */
  start(): void;
  /** Reads the configuration again: jobs are added, removed and changed. The log says the result; nothing is thrown. */
  reload(): Promise<void>;
  /** Starts no more cycles; resolves when those under way have ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface DaemonJobsParts {
  /** Reads the configuration file. @throws UsageError */
  readonly configuration: () => Configuration;
  /** The only job to run (`--job`); `undefined`: all. */
  readonly only: string | undefined;
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
  /** Called with the settings of the process after a reload. */
  readonly reconfigured: (settings: LoadedConfig) => void;
  readonly turns: JobTurns;
  readonly fleets: Fleets;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: ProcessLog;
  /** Aborted when the daemon stops. */
  readonly signal: AbortSignal;
}

/** A job that is configured: running, failing, or both, if it runs with its previous configuration. */
interface Entry {
  readonly name: string;
  readonly metrics: JobMetrics;
  running: RunningJob | null;
  fault: JobFault | null;
}

/**
 * Opens all jobs.
 * @param first the configuration, read already
 * @throws UsageError, StateError if there is one job and it cannot be opened; UsageError if no job of several is configured right
 */
export async function openJobs(first: Configuration, parts: DaemonJobsParts): Promise<DaemonJobs> {
  const { only, embedded, turns, fleets, metrics, clock, log, signal } = parts;
  const { named } = first;
  let entries: Entry[] = [];
  let opening: Promise<void> = Promise.resolve();
  let started = false;
  let configured: readonly LoadedConfig[] = [];
  const loadAll = (configuration: Configuration): LoadedJobs => {
    const loaded = loadJobs(configuration, embedded);
    configured = settingsOf(loaded);
    return loaded;
  };
  const allJobs = (): readonly LoadedConfig[] => configured;

  const namesOf = (configuration: Configuration): readonly string[] =>
    only === undefined ? configuration.names : configuration.names.filter((name) => name === only);
  const entryOf = (name: string): Entry =>
    entries.find((entry) => entry.name === name) ?? {
      name,
      metrics: metrics.of(name),
      running: null,
      fault: null,
    };

  /** Notes a fault with its job, and logs it. A retry that meets the same fault says nothing. */
  const fail = (entry: Entry, error: unknown, how: { readonly asked: boolean }): void => {
    const reason = sentences(errorText(error));
    const isOld = entry.fault?.reason === reason;
    if (!isOld) entry.fault = { reason, since: clock.now() };
    if (isOld && !how.asked) return;
    if (entry.running === null) sayNotOpened(log.child({ job: entry.name }), error);
    else sayRefused(entry.running.first.log, error);
  };

  /** @param others what other jobs have in force, which may differ from what the file says by now */
  const refuseCollisions = (loaded: LoadedConfig, others: readonly LoadedConfig[]): void => {
    const faults = collisionsOf([...new Set([loaded, ...others])], { embedded })
      .filter(({ jobs: [one, other] }) => one !== other && (one === loaded.job || other === loaded.job))
      .map(({ fault }) => fault);
    if (faults.length > 0) throw new UsageError(joinFaults([...new Set(faults)]));
  };

  const runningBeside = (entry: Entry): readonly RunningJob[] =>
    entries.flatMap(({ name, running }) => (running === null || name === entry.name ? [] : [running]));

  const openEntry = async (entry: Entry, loaded: LoadedConfig): Promise<void> => {
    refuseCollisions(
      loaded,
      runningBeside(entry).flatMap(({ first: opened, inForce }) => [opened.loaded, inForce.current().loaded]),
    );
    const job = await parts.open(loaded, { metrics: entry.metrics, jobs: allJobs });
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
      jobs: allJobs,
      replaces: running.first,
    });
    await putInForce(running, job, running.reconfigured);
    entry.fault = null;
  };

  /** Opens or changes one job; a fault is noted with it. */
  const apply = async (
    entry: Entry,
    loaded: LoadedConfig | UsageError,
    how: { readonly asked: boolean },
  ): Promise<void> => {
    try {
      if (isFault(loaded)) throw loaded;
      const { running } = entry;
      if (running === null) await openEntry(entry, loaded);
      else await reopen(running, entry, loaded);
    } catch (error) {
      if (!signal.aborted) fail(entry, error, how);
    }
  };

  /** Opens jobs, a group at a time: one whose database does not answer delays few others. */
  const openThose = async (
    some: readonly Entry[],
    loaded: LoadedJobs,
    how: { readonly asked: boolean },
  ): Promise<void> => {
    for (let at = 0; at < some.length && !signal.aborted; at += openedAtOnce) {
      await Promise.all(
        some.slice(at, at + openedAtOnce).map(async (entry) => {
          const settings = loaded.get(entry.name) ?? new UsageError("not loaded");
          await apply(entry, settings, how);
        }),
      );
      // The modules of a job are loaded. What hundreds of jobs leave behind as they are opened is collected soon.
      if (some.length > openedAtOnce) keepHeapSmall(some.length > manyJobs ? "givenBack" : "asItIs");
    }
  };

  const reloadOnce = async (): Promise<void> => {
    if (signal.aborted) return;
    let configuration: Configuration;
    try {
      configuration = parts.configuration();
      refuseOtherForm(configuration, named, only);
    } catch (error) {
      metrics.reload("refused");
      return sayRefused(log, error);
    }
    const loaded = loadAll(configuration);
    const names = namesOf(configuration);
    const [gone, kept] = [
      entries.filter(({ name }) => !names.includes(name)),
      names.map((name) => entryOf(name)),
    ];
    entries = kept;
    for (const entry of kept) {
      const settings = loaded.get(entry.name);
      if (settings !== undefined && isFault(settings)) fail(entry, settings, { asked: true });
    }
    await Promise.all(gone.map((entry) => removeJob(entry, log)));
    const sound = kept.flatMap((entry) => {
      const settings = loaded.get(entry.name);
      return settings === undefined || isFault(settings) ? [] : [{ entry, settings }];
    });
    const open = sound.filter(({ entry }) => entry.running !== null);
    const closed = sound.filter(({ entry }) => entry.running === null).map(({ entry }) => entry);
    // One after the other: what each has in force is known when the next one is compared with it.
    for (const { entry, settings } of open) {
      if (signal.aborted) return;
      await apply(entry, settings, { asked: true });
    }
    const [settings] = sound;
    if (settings !== undefined) parts.reconfigured(settings.settings);
    const isNew = ({ fault }: Entry): boolean => fault === null;
    await openThose([...closed.filter(isNew), ...closed.filter((entry) => !isNew(entry))], loaded, {
      asked: true,
    });
    metrics.reload(kept.some(({ fault }) => fault !== null) ? "refused" : "applied");
  };

  const retryOnce = async (): Promise<void> => {
    const failing = entries.filter(({ running }) => running === null);
    if (failing.length === 0 || signal.aborted) return;
    try {
      const configuration = parts.configuration();
      refuseOtherForm(configuration, named, only);
      await openThose(failing, loadAll(configuration), { asked: false });
    } catch (error) {
      for (const entry of failing) fail(entry, error, { asked: false });
    }
  };

  const openFirst = async (): Promise<void> => {
    const loaded = loadAll(first);
    entries = namesOf(first).map((name) => entryOf(name));
    const [only, ...others] = entries;
    const settings = loaded.get(only?.name ?? "");
    if (only !== undefined && others.length === 0 && settings !== undefined) {
      if (isFault(settings)) throw settings;
      return openEntry(only, settings);
    }
    opening = openThose(entries, loaded, { asked: true });
    await Promise.race([opening, after(startPatienceMs)]);
    const faults = entries.flatMap(({ name }) => {
      const fault = loaded.get(name);
      return fault !== undefined && isFault(fault) ? fault.message.split("\n") : [null];
    });
    if (!faults.includes(null)) throw new UsageError(joinFaults([...new Set(faults.map(String))]));
  };

  // A reload and a retry never overlap, because both change the jobs.
  let asked = false;
  const work = onceAtATime(async () => {
    await opening;
    const isReload = asked;
    asked = false;
    await (isReload ? reloadOnce() : retryOnce());
  });

  const close = async (): Promise<void> => {
    await opening;
    await Promise.all(entries.map(({ running }) => running?.close()));
  };
  try {
    await openFirst();
  } catch (error) {
    await close();
    throw error;
  }
  const timer = setInterval(() => void work(), retryMs);
  timer.unref();

  return {
    named,
    all: () => entries.map(shown),
    find: (name) => {
      const entry = entries.find((one) => one.name === name);
      return entry === undefined ? undefined : shown(entry);
    },
    start: () => {
      started = true;
      for (const { running } of entries) running?.start();
    },
    reload: () => {
      asked = true;
      return work();
    },
    stop: async () => {
      clearInterval(timer);
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
      clearInterval(timer);
      await close();
    },
  };
}

/** Does not keep the process from ending. */
function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

function sayNotOpened(log: ProcessLog, error: unknown): void {
  const stack = error instanceof Error && !(error instanceof DomainError) ? error.stack : undefined;
  log.error(
    { error: errorText(error), stack },
    "the job could not be opened and does not run: this is tried again every minute, and the other jobs go on",
  );
}

function shown({ name, running, fault }: Entry): JobEntry {
  return { name, view: running?.view ?? null, fault: fault ?? running?.view.waitsFor() ?? null };
}

/** A job that is no longer configured: what its cycle has in flight is finished. */
async function removeJob({ name, running }: Entry, log: ProcessLog): Promise<void> {
  if (running === null) return;
  await running.stop("the job was removed from the configuration; what was sent is recorded");
  await running.close();
  log.info({ job: name }, "job closed: it is no longer in the configuration");
}

/** A configuration with jobs names its jobs everywhere: another form needs another process. @throws UsageError */
function refuseOtherForm(configuration: Configuration, named: boolean, only: string | undefined): void {
  if (configuration.named !== named) {
    throw new UsageError(
      `the configuration ${named ? "no longer has" : "now has"} jobs, and that needs a restart of the daemon`,
    );
  }
  if (only !== undefined && !configuration.names.includes(only)) {
    throw new UsageError(`the configuration no longer has the job ${only}, which this daemon runs (--job)`);
  }
}
