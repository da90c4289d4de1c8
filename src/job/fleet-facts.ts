import type { SeenWorker } from "../domain/fleet.ts";
import type { JobsWorkers } from "../report/job-summary.ts";
import type { Job } from "./job.ts";
import type { StatePlace } from "./state-place.ts";

/** The daemons of the databases that some jobs have their state in. Each database is asked once. */
export interface FleetFacts {
  /** `null` if the state is in a file, or the database has no tables yet. @throws StateError */
  of(job: string, place: StatePlace): Promise<JobsWorkers | null>;
  /** All daemons that were found so far. */
  workers(): readonly SeenWorker[];
}

/** Looks at the daemons, and takes no part. */
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

/**
 * Whether daemons that share the database of the job take it, so that a fault of this process says nothing about the job.
 * @throws StateError
 */
export async function isTakenElsewhere({
  name,
  statePlace,
  log,
}: Pick<Job, "name" | "statePlace" | "log">): Promise<boolean> {
  const facts = await createFleetFacts().of(name, statePlace);
  const isTaken = (facts?.job.takers.length ?? 0) > 0;
  if (isTaken)
    log.warn(
      {},
      "the job is not quarantined because of this run: daemons that share its database go on with it",
    );
  return isTaken;
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
