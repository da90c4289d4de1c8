import type { FleetStore, JobInFleet, SeenWorker, WorkRow } from "../../domain/fleet.ts";
import type { JobsWorkers } from "../../report/job-summary.ts";
import { kept } from "./kept.ts";

/** A database that daemons share, as one of them takes part. */
export interface SharedDatabase {
  /** The id of this daemon. */
  readonly id: string;
  readonly store: Pick<FleetStore, "workers" | "jobs" | "recentWorks">;
}

/** The daemons that share the databases of the jobs, at one moment. */
export interface FleetNow {
  readonly databases: readonly {
    readonly self: string;
    readonly workers: readonly SeenWorker[];
    readonly jobs: readonly JobInFleet[];
    /** Works that a daemon has begun and not ended. */
    readonly underWay: readonly WorkRow[];
  }[];
  /** The daemons as they concern a job; `null` if its state is not shared. */
  of(job: string): JobsWorkers | null;
}

const ageMs = 1_000;
/** More than can be under way at a time. */
const mostWorks = 1_000;

/** Reads about the daemons, at most once a second. @throws StateError */
export function fleetReader({
  fleets,
  now,
}: {
  readonly fleets?: (() => readonly SharedDatabase[]) | undefined;
  readonly now: () => number;
}): () => Promise<FleetNow> {
  return kept(ageMs, now, async () => {
    const databases = await Promise.all(
      (fleets?.() ?? []).map(async ({ id, store }) => {
        const [workers, jobs, works] = await Promise.all([
          store.workers(),
          store.jobs(),
          store.recentWorks(mostWorks),
        ]);
        const underWay = works.filter(({ finishedAt, worker }) => finishedAt === null && worker !== null);
        return { self: id, workers, jobs, underWay };
      }),
    );
    return { databases, of: (name) => ofJob(name, databases) };
  });
}

/** The job in the database in which this daemon has it. If this daemon could not open it: in a database in which another daemon has it. */
function ofJob(name: string, databases: FleetNow["databases"]): JobsWorkers | null {
  const known = databases.flatMap(({ self, workers, jobs }) => {
    const job = jobs.find((one) => one.name === name);
    const own = workers.some((worker) => worker.id === self && worker.jobs.includes(name));
    return job === undefined || (!own && job.takers.length === 0) ? [] : [{ job, workers, own }];
  });
  return known.find(({ own }) => own) ?? known[0] ?? null;
}

/** Resolves to no daemons if they cannot be read: the jobs can be shown without them. */
export async function orAlone(reading: Promise<FleetNow>): Promise<FleetNow> {
  return reading.catch(() => ({ databases: [], of: () => null }));
}
