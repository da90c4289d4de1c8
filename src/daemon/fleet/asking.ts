import { randomUUID } from "node:crypto";
import { countPeople, type ReleaseRequest, resolveRelease } from "../../cycle/guard/release.ts";
import type { FleetStore, WorkKind, WorkRequest } from "../../domain/fleet.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Job } from "../../job/job.ts";
import { refuseRevert } from "../start-revert.ts";
import type { AskedRevert, Started, WorkDecision } from "../works.ts";
import type { Queue } from "./queue.ts";
import { levelOf } from "./work-form.ts";

/** Work that no daemon has begun counts as under way for this long. */
const patienceMs = 60_000;

/** Work to ask for. */
export interface WorkOrder {
  readonly kind: WorkKind;
  readonly request: WorkRequest;
  readonly decision: WorkDecision | null;
}

/**
 * A decision about held changes, as work to ask for. It is decided again under the lease.
 * @throws UsageError if the plan is unknown, holds nothing, or holds nothing of a person who is named
 */
export async function releaseToAsk(reader: StateStore, release: ReleaseRequest): Promise<WorkOrder> {
  const decision = countPeople(await resolveRelease(reader, release));
  return { kind: "release", request: { full: false, release }, decision };
}

/**
 * A revert, or the preview of one, as work to ask for. It is checked again under the lease.
 * @throws UsageError if the cycle cannot be taken back, or sending is paused
 */
export async function revertToAsk(
  job: Pick<Job, "config" | "clock">,
  reader: StateStore,
  { dryRun, ...revert }: AskedRevert,
): Promise<WorkOrder> {
  await refuseRevert(job, reader, { dryRun, ...revert });
  return { kind: dryRun ? "dryRun" : "revert", request: { full: false, revert }, decision: null };
}

/**
 * Asks the daemons that share a database for work on a job.
 * @returns `busy` if one of them works on the job already, and nothing was asked for
 */
export async function askForWork(
  { store, queue }: { readonly store: FleetStore; readonly queue: Pick<Queue, "ask"> },
  job: string,
  { kind, request, decision }: WorkOrder,
): Promise<Started> {
  if (await isBusy(store, job)) return "busy";
  const id = randomUUID();
  await store.addWork({ id, job, kind, trigger: "hand", request, decision, worker: null });
  if (await queue.ask(job, id, levelOf(kind, request))) return { id };
  await store.withdrawWork(id);
  return "busy";
}

/** `true` if a living daemon works on the job, or work on it was asked for within the last minute. */
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
