import type { FastifyInstance } from "fastify";
import { iso } from "../../domain/sentence.ts";
import { missingWorkers } from "../../report/job-summary.ts";
import type { DaemonView } from "./daemon-view.ts";
import type { FleetNow } from "./fleet-view.ts";
import { jobsInTrouble } from "./routes-jobs.ts";

/** Shows all jobs, the nearest trouble first, and the daemons that share their databases: who lives, and who is doing what. */
export function fleetRoutes(
  app: FastifyInstance,
  { jobs, now }: DaemonView,
  readFleet: () => Promise<FleetNow>,
): void {
  app.get("/fleet", async () => {
    const fleet = await readFleet();
    return {
      now: iso(now()),
      shared: fleet.databases.length > 0,
      workers: fleet.databases.flatMap(workersOf),
      jobs: await jobsInTrouble(jobs, fleet, now()),
    };
  });
}

function workersOf({ self, workers, underWay }: FleetNow["databases"][number]) {
  const missing = new Set(missingWorkers(workers));
  return workers.map((worker) => {
    const { id, host, version, startedAt, seenAt, alive, jobs } = worker;
    return {
      id,
      self: id === self,
      host,
      version,
      startedAt: iso(startedAt),
      seenAt: iso(seenAt),
      alive,
      missing: missing.has(worker),
      jobs,
      working: underWay
        .filter((work) => work.worker === id)
        .map(({ job, kind, trigger, startedAt: since }) => ({ job, kind, trigger, startedAt: iso(since) })),
    };
  });
}
