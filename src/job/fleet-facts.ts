import { errorText, UsageError } from "../domain/errors.ts";
import type { SeenWorker } from "../domain/fleet.ts";
import type { JobsWorkers } from "../report/job-summary.ts";
import { companiesOf } from "./configuration-digest.ts";
import type { Job } from "./job.ts";
import type { StatePlace } from "./state-place.ts";

/** The daemons of the databases that some jobs have their state in. Each database is asked once. */
export interface FleetFacts {
  /** `null` if the state is in a file, or the database has no tables yet. @throws StateError */
  of(job: string, place: StatePlace): Promise<JobsWorkers | null>;
  /** All daemons that were found so far. */
  workers(): readonly SeenWorker[];
}

/** Reads what the daemons have stored about each other, without taking part. */
export function createFleetFacts(): FleetFacts {
  const asked = new Map<string, ReturnType<typeof read>>();
  let found: readonly SeenWorker[] = [];
  return {
    of: async (job, place) => {
      if (place.kind === "file") return null;
      const { url } = place.database;
      const reading = asked.get(url) ?? read(place);
      if (!asked.has(url)) {
        asked.set(url, reading);
        found = [...found, ...((await reading)?.workers ?? [])];
      }
      const facts = await reading;
      if (facts === null) return null;
      const known = facts.jobs.find(({ name }) => name === job);
      return {
        workers: facts.workers,
        job: known ?? {
          name: job,
          takers: [],
          digest: null,
          identity: null,
          worker: null,
          aside: [],
          asked: [],
        },
      };
    },
    workers: () => found,
  };
}

type SharedJob = Pick<Job, "name" | "statePlace" | "log" | "entra" | "lattice">;

/**
 * Refuses a job that the daemons which share its database have for another tenant or Lattice: a run would mix two companies.
 * @throws UsageError, StateError
 */
export async function refuseOtherCompanies(job: SharedJob): Promise<void> {
  const identity = (await createFleetFacts().of(job.name, job.statePlace))?.job.identity ?? null;
  const own = companiesOf(job);
  if (identity === null || identity === own) return;
  throw new UsageError(
    `the daemons that share the database have the job ${job.name} for ${identity}, and the configuration of this command has it for ${own}. Nothing was done. Use the configuration of the daemons; if these are two installations, give the job another name (jobs), or set another state.url`,
  );
}

/** Whether daemons that share the database take the job. If they do, a fault of this process says nothing about the job. It never throws. */
export async function isTakenElsewhere({ name, statePlace, log }: SharedJob): Promise<boolean> {
  try {
    const facts = await createFleetFacts().of(name, statePlace);
    const isTaken = (facts?.job.takers.length ?? 0) > 0;
    if (isTaken)
      log.warn(
        {},
        "the job is not quarantined because of this run: daemons that share its database go on with it",
      );
    return isTaken;
  } catch (error) {
    log.warn(
      { error: errorText(error) },
      "the daemons that share the database could not be read: the job is treated as if there were none",
    );
    return false;
  }
}

async function read({ database }: Extract<StatePlace, { kind: "postgres" }>) {
  const { openFleetReader } = await import("../state/postgres/fleet/store.ts");
  const reader = await openFleetReader(database);
  if (reader === null) return null;
  try {
    return { workers: await reader.workers(), jobs: await reader.jobs() };
  } finally {
    await reader.close();
  }
}
