import { randomUUID } from "node:crypto";
import type { FleetStore, WorkRequest } from "../../domain/fleet.ts";
import type { Started, Work, WorkDecision } from "../works.ts";
import type { Queue } from "./queue.ts";

/** How long work that nobody has begun counts as under way. */
const patienceMs = 60_000;

/**
 * Asks the daemons that share a database for work on a job.
 * @returns `busy` if one of them works on the job already, and nothing was asked for
 */
export async function askForWork(
  { store, queue }: { readonly store: FleetStore; readonly queue: Pick<Queue, "ask"> },
  job: string,
  kind: Work["kind"],
  request: WorkRequest,
  decision: WorkDecision | null,
): Promise<Started> {
  if (await isBusy(store, job)) return "busy";
  const id = randomUUID();
  await store.addWork({ id, job, kind, trigger: "hand", request, decision, worker: null });
  if (await queue.ask(job, id)) return { id };
  await store.withdrawWork(id);
  return "busy";
}

/** Whether a living daemon works on the job. */
async function isBusy(store: FleetStore, job: string): Promise<boolean> {
  const open = (await store.recentWorks(5, job)).filter(({ finishedAt }) => finishedAt === null);
  if (open.length === 0) return false;
  const workers = await store.workers();
  const alive = new Set(workers.filter((worker) => worker.alive).map(({ id }) => id));
  const now = Math.max(...workers.map(({ seenAt }) => seenAt));
  return open.some(({ worker, askedAt }) =>
    worker === null ? now - askedAt < patienceMs : alive.has(worker),
  );
}
