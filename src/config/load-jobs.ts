import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { collisionsOf } from "./collisions.ts";
import type { Configuration, LoadedConfig } from "./load.ts";

/** All jobs of a configuration: each with its settings, or with its faults. */
export type LoadedJobs = ReadonlyMap<string, LoadedConfig | UsageError>;

/**
 * Reads all jobs and compares them with each other. A fault of one job does not affect the others; a collision affects both jobs.
 * @param embedded the ends that a sandbox replaces
 */
export function loadJobs(configuration: Configuration, embedded?: "both" | "lattice"): LoadedJobs {
  const loaded = new Map<string, LoadedConfig | UsageError>();
  for (const name of configuration.names) {
    try {
      loaded.set(name, configuration.load(name));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      loaded.set(name, error);
    }
  }
  const faults = new Map<string, string[]>();
  for (const { jobs, fault } of collisionsOf(soundJobs(loaded), { embedded })) {
    for (const job of jobs) faults.set(job, [...(faults.get(job) ?? []), fault]);
  }
  for (const [job, found] of faults) loaded.set(job, new UsageError(joinFaults(found)));
  return loaded;
}

/** The jobs without a fault. */
export function soundJobs(jobs: LoadedJobs): readonly LoadedConfig[] {
  return [...jobs.values()].flatMap((one) => (isFault(one) ? [] : [one]));
}

/** `true` if a job could not be loaded because of a fault. */
export function isFault(job: LoadedConfig | UsageError): job is UsageError {
  return job instanceof UsageError;
}

/** Every fault of every job once, one a line; `null` if there is none. A fault of the shared part is reported once. */
export function faultsOf(jobs: LoadedJobs): string | null {
  const lines = [...jobs.values()].flatMap((one) => (isFault(one) ? one.message.split("\n") : []));
  return lines.length === 0 ? null : [...new Set(lines)].join("\n");
}

/**
 * Refuses a job that collides with another one, before it writes. A fault of another job does not stop it.
 * @returns the jobs that are configured right; none without `jobs`
 * @throws UsageError that names every collision of this job
 */
export function refuseCollisions(
  configuration: Configuration,
  loaded: LoadedConfig,
  embedded?: "both" | "lattice",
): readonly LoadedConfig[] {
  if (!configuration.named) return [];
  const jobs = loadJobs(configuration, embedded);
  const fault = jobs.get(loaded.job);
  if (fault instanceof UsageError) throw fault;
  return soundJobs(jobs);
}
