import type { FastifyInstance } from "fastify";
import { iso } from "../../report/status.ts";
import type { DaemonView } from "./daemon-view.ts";
import { kept } from "./situation.ts";

const listAgeMs = 1_000;
/** More than can be under way at a time. */
const mostWorks = 1_000;

/** Lists the daemons that share the database: who lives, and who is doing what. */
export function fleetRoutes(app: FastifyInstance, { fleet, now }: DaemonView): void {
  const list = kept(listAgeMs, now, async () => {
    if (fleet === undefined || fleet === null) return { shared: false, workers: [] };
    const { id: self, store } = fleet;
    const [workers, works] = await Promise.all([store.workers(), store.recentWorks(mostWorks)]);
    const underWay = works.filter(({ finishedAt, worker }) => finishedAt === null && worker !== null);
    return {
      shared: true,
      workers: workers.map(({ id, host, version, startedAt, seenAt, alive, jobs }) => ({
        id,
        self: id === self,
        host,
        version,
        startedAt: iso(startedAt),
        seenAt: iso(seenAt),
        alive,
        jobs,
        working: underWay
          .filter(({ worker }) => worker === id)
          .map(({ job, kind, trigger, startedAt: since }) => ({ job, kind, trigger, startedAt: iso(since) })),
      })),
    };
  });
  app.get("/fleet", () => list());
}
