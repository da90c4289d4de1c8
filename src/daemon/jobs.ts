import type { Configuration, LoadedConfig } from "../config/load.ts";
import { isFault, type LoadedJobs, loadJobs, soundJobs } from "../config/load-jobs.ts";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import type { JobList } from "./http/daemon-view.ts";
import {
  createJobEntries,
  type Entry,
  type JobEntries,
  type JobEntriesParts,
  removeJob,
  shown,
} from "./job-entries.ts";
import { onceAtATime, sayRefused } from "./reload.ts";

/** The start waits for this long until the jobs are open. The others are opened while the daemon works. */
const startPatienceMs = 10_000;
/** How often a job that could not be opened is tried again. */
const retryMs = 60_000;

/** The jobs of a daemon. The others run even if a job cannot be opened. */
export interface DaemonJobs extends JobList {
  /** Lets cycles start, also those of jobs that are opened later. */
  start(): void;
  /** Reads the configuration again: jobs are added, removed and changed. The log says the result; nothing is thrown. */
  reload(): Promise<void>;
  /** Starts no more cycles; resolves when those under way have ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface DaemonJobsParts extends JobEntriesParts {
  /** Reads the configuration file. @throws UsageError */
  readonly configuration: () => Configuration;
  /** The only job to run (`--job`); `undefined`: all. */
  readonly only: string | undefined;
  /** Called with the settings of the process after a reload. */
  readonly reconfigured: (settings: LoadedConfig) => void;
}

/** The configuration of the jobs as it is read again and again. */
interface JobsInFile {
  readonly named: boolean;
  /** All jobs that are configured right, as last read. */
  sound(): readonly LoadedConfig[];
  /** @throws UsageError if the file cannot be read, or has another form than at the start */
  readAgain(): Configuration;
  load(configuration: Configuration): LoadedJobs;
  /** The jobs of the configuration that this daemon runs. */
  namesOf(configuration: Configuration): readonly string[];
}

/**
 * Opens all jobs.
 * @param first the configuration, read already
 * @throws UsageError, StateError if there is one job and it cannot be opened; UsageError if no job of several is configured right
 */
export async function openJobs(first: Configuration, parts: DaemonJobsParts): Promise<DaemonJobs> {
  const file = jobsInFile(first, parts);
  const jobs = createJobEntries(parts, { named: file.named, configured: file.sound });
  try {
    await openFirst(first, file, jobs);
  } catch (error) {
    await jobs.close();
    throw error;
  }

  // A reload and a retry never overlap, because both change the jobs.
  let asked = false;
  const work = onceAtATime(async () => {
    await jobs.opened();
    const isReload = asked;
    asked = false;
    await (isReload ? reloadJobs(file, jobs, parts) : retryJobs(file, jobs, parts));
  });
  const timer = setInterval(() => void work(), retryMs);
  timer.unref();

  return {
    named: file.named,
    all: () => jobs.all().map(shown),
    find: (name) => {
      const entry = jobs.all().find((one) => one.name === name);
      return entry === undefined ? undefined : shown(entry);
    },
    start: () => jobs.start(),
    reload: () => {
      asked = true;
      return work();
    },
    stop: async () => {
      clearInterval(timer);
      await jobs.stop();
    },
    close: async () => {
      clearInterval(timer);
      await jobs.close();
    },
  };
}

/** Opens the jobs at the start; with many, the last of them while the daemon works. @throws as `openJobs` */
async function openFirst(first: Configuration, file: JobsInFile, jobs: JobEntries): Promise<void> {
  const loaded = file.load(first);
  jobs.configure(file.namesOf(first));
  const [only, ...others] = jobs.all();
  const settings = loaded.get(only?.name ?? "");
  if (only !== undefined && others.length === 0 && settings !== undefined) {
    if (isFault(settings)) throw settings;
    return jobs.open(only, settings);
  }
  await Promise.race([jobs.openAll(loaded), after(startPatienceMs)]);
  const faults = jobs.all().flatMap(({ name }) => {
    const fault = loaded.get(name);
    return fault !== undefined && isFault(fault) ? fault.message.split("\n") : [null];
  });
  if (!faults.includes(null)) throw new UsageError(joinFaults([...new Set(faults.map(String))]));
}

/** Reads the configuration again, and adds, removes and changes jobs. The log says the result; nothing is thrown. */
async function reloadJobs(
  file: JobsInFile,
  jobs: JobEntries,
  { metrics, log, signal, reconfigured }: DaemonJobsParts,
): Promise<void> {
  if (signal.aborted) return;
  let configuration: Configuration;
  try {
    configuration = file.readAgain();
  } catch (error) {
    metrics.reload("refused");
    return sayRefused(log, error);
  }
  const loaded = file.load(configuration);
  const gone = jobs.configure(file.namesOf(configuration));
  const kept = jobs.all();
  for (const entry of kept) {
    const settings = loaded.get(entry.name);
    if (settings !== undefined && isFault(settings)) jobs.fail(entry, settings, { asked: true });
  }
  await Promise.all(gone.map((entry) => removeJob(entry, log)));
  const sound = kept.flatMap((entry) => {
    const settings = loaded.get(entry.name);
    return settings === undefined || isFault(settings) ? [] : [{ entry, settings }];
  });
  const open = sound.filter(({ entry }) => entry.running !== null);
  const closed = sound.filter(({ entry }) => entry.running === null).map(({ entry }) => entry);
  // One after the other, so that each is compared with what the jobs before it have in force by then.
  for (const { entry, settings } of open) {
    if (signal.aborted) return;
    await jobs.apply(entry, settings, { asked: true });
  }
  const [settings] = sound;
  if (settings !== undefined) reconfigured(settings.settings);
  const isNew = ({ fault }: Entry): boolean => fault === null;
  await jobs.applyAll([...closed.filter(isNew), ...closed.filter((entry) => !isNew(entry))], loaded, {
    asked: true,
  });
  metrics.reload(kept.some(({ fault }) => fault !== null) ? "refused" : "applied");
}

/** Tries the jobs again that could not be opened. Nothing is thrown. */
async function retryJobs(file: JobsInFile, jobs: JobEntries, { signal }: DaemonJobsParts): Promise<void> {
  const failing = jobs.all().filter(({ running }) => running === null);
  if (failing.length === 0 || signal.aborted) return;
  try {
    await jobs.applyAll(failing, file.load(file.readAgain()), { asked: false });
  } catch (error) {
    for (const entry of failing) jobs.fail(entry, error, { asked: false });
  }
}

function jobsInFile(first: Configuration, { configuration, only, embedded }: DaemonJobsParts): JobsInFile {
  const { named } = first;
  let sound: readonly LoadedConfig[] = [];
  return {
    named,
    sound: () => sound,
    readAgain: () => {
      const read = configuration();
      refuseOtherForm(read, named, only);
      return read;
    },
    load: (read) => {
      const loaded = loadJobs(read, embedded);
      sound = soundJobs(loaded);
      return loaded;
    },
    namesOf: ({ names }) => (only === undefined ? names : names.filter((name) => name === only)),
  };
}

/** Resolves after this time. The process may end before. */
function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
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
