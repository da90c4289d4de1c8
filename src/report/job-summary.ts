import type { JobInFleet, SeenWorker, WorkKind } from "../domain/fleet.ts";
import { iso, sentence } from "../domain/sentence.ts";
import { heldCount } from "./situation.ts";
import type { Status } from "./status.ts";

/** The present work of a job, or the nearest trouble that it has. */
export type JobCondition =
  /** It could not be opened or read, or its last cycle failed. */
  | "failing"
  | "quarantined"
  /** Daemons share the database, and none that lives takes this job. */
  | "untaken"
  /** Its next cycle should have begun more than one interval ago. */
  | "overdue"
  /** The guard holds a part of the plan. */
  | "held"
  /** A person has paused sending. */
  | "paused"
  | "running"
  | "idle";

/** The daemons of a database, as far as they concern one job. */
export interface JobsWorkers {
  readonly job: JobInFleet;
  /** All daemons of the database that were seen within a day. */
  readonly workers: readonly SeenWorker[];
}

/** The known data of a job. */
export interface JobFacts {
  /** Why it could not be opened or read, in sentences; `null` if all is well. */
  readonly fault: string | null;
  /** `null` if it could not be read, or no cycle has run yet. */
  readonly status: Status | null;
  /** The time between two starts of the schedule, milliseconds; `null` if a cron expression decides. */
  readonly intervalMs: number | null;
  /** `null` if no daemons share its database. */
  readonly fleet: JobsWorkers | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A job as one line of a list. Times are milliseconds since the epoch. */
export interface JobSummary {
  readonly condition: JobCondition;
  /** Why, if there is more to say than the condition does; one or more sentences. */
  readonly reason: string | null;
  /** A run has the lease now, whatever the condition is. */
  readonly running: boolean;
  /** Milliseconds since the next cycle was due; 0 before. */
  readonly overdueMs: number;
  /** The host of the daemon, or of another run, that has the job now; `null` if none has. */
  readonly worker: string | null;
  /** The hosts of living daemons that take the job; `null` if no daemons share its database. */
  readonly workers: readonly string[] | null;
  /** Living daemons that have the job and do not take it. `worker`: the host; `reason`: one or more sentences. */
  readonly aside: readonly { readonly worker: string; readonly reason: string }[];
  /** Work that people have asked the daemons for, and that has not ended, the oldest first. */
  readonly asked: readonly AskedWork[];
}

/** Work that a person has asked for. Times are milliseconds since the epoch. */
export interface AskedWork {
  readonly kind: WorkKind;
  readonly askedAt: number;
  /** `null` as long as no daemon has begun. */
  readonly startedAt: number | null;
  /** The host of the living daemon that does it; `null` if none does, although one may have begun. */
  readonly worker: string | null;
}

const nearestFirst: readonly JobCondition[] = [
  "failing",
  "quarantined",
  "untaken",
  "overdue",
  "held",
  "paused",
  "running",
  "idle",
];

/** The present work of a job, and the obstacle that keeps it from working. */
export function summaryOf(facts: JobFacts): JobSummary {
  const { fault, status, fleet, now } = facts;
  const running = status?.running ?? null;
  const isRunning = running !== null || (fleet !== null && fleet.job.worker !== null);
  const due = status?.nextDueAt ?? null;
  const overdueMs = isRunning || due === null ? 0 : Math.max(0, now - due);
  return {
    ...conditionOf(facts, { overdueMs, isRunning }),
    running: isRunning,
    overdueMs,
    worker:
      fault === null && fleet?.job.worker != null
        ? hostOf(fleet, fleet.job.worker)
        : (running?.owner.split("/")[0] ?? null),
    workers:
      fleet === null || fleet.workers.length === 0 ? null : fleet.job.takers.map((id) => hostOf(fleet, id)),
    aside: (fleet?.job.aside ?? []).map(({ worker, reason }) => ({ worker: hostOf(fleet, worker), reason })),
    asked: (fleet?.job.asked ?? []).map((work) => ({ ...work, worker: livingHost(fleet, work.worker) })),
  };
}

function conditionOf(
  { fault, status, intervalMs, fleet }: JobFacts,
  { overdueMs, isRunning }: { readonly overdueMs: number; readonly isRunning: boolean },
): Pick<JobSummary, "condition" | "reason"> {
  if (fault !== null) return { condition: "failing", reason: fault };
  if (status !== null && status.quarantine !== null)
    return { condition: "quarantined", reason: status.quarantine.reason };
  const last = status?.lastConclusive ?? null;
  if (last?.outcome === "failed") return { condition: "failing", reason: last.error };
  // An installation whose runs are started by a timer has no daemons at all.
  if (fleet !== null && fleet.workers.length > 0 && fleet.job.takers.length === 0)
    return { condition: "untaken", reason: null };
  if (intervalMs !== null && overdueMs > intervalMs) return { condition: "overdue", reason: null };
  if (status !== null && heldCount(status) > 0)
    return { condition: "held", reason: status.weighed?.guard?.reasons.map(sentence).join(" ") ?? null };
  if (status !== null && status.sendingPause !== null)
    return { condition: "paused", reason: status.sendingPause.reason };
  return { condition: isRunning ? "running" : "idle", reason: null };
}

function hostOf(fleet: JobsWorkers | null, id: string): string {
  return fleet?.workers.find((worker) => worker.id === id)?.host ?? id;
}

function livingHost(fleet: JobsWorkers | null, id: string | null): string | null {
  return fleet?.workers.find((worker) => worker.id === id && worker.alive)?.host ?? null;
}

/** The summary for programs. */
export function summaryDocument({ running, overdueMs, asked, ...summary }: JobSummary) {
  const { condition, reason, worker, workers, aside } = summary;
  const overdueSeconds = Math.floor(overdueMs / 1_000);
  const shown = asked.map((work) => ({
    ...work,
    askedAt: iso(work.askedAt),
    startedAt: iso(work.startedAt),
  }));
  return { condition, reason, working: running, overdueSeconds, worker, workers, aside, asked: shown };
}

/** Jobs with the nearest trouble first; of equal ones, those with more people who fail. Otherwise in the order given. */
export function troubledFirst<T extends { readonly summary: JobSummary; readonly failing: number }>(
  jobs: readonly T[],
): readonly T[] {
  const rank = ({ summary }: T): number => nearestFirst.indexOf(summary.condition);
  return jobs.toSorted((one, other) => rank(one) - rank(other) || other.failing - one.failing);
}

/** The number of jobs in each condition that occurs, the nearest trouble first. */
export function countedConditions(
  jobs: readonly { readonly summary: JobSummary }[],
): readonly (readonly [JobCondition, number])[] {
  return nearestFirst
    .map(
      (condition) =>
        [condition, jobs.filter(({ summary }) => summary.condition === condition).length] as const,
    )
    .filter(([, number]) => number > 0);
}

/**
 * Daemons that died, and that no other one has replaced: each one that has started since replaces one of them. One that ends in
 * order is not known any more, and one that died a day ago is forgotten.
 */
export function missingWorkers(workers: readonly SeenWorker[]): readonly SeenWorker[] {
  const free = workers.filter(({ alive }) => alive).map(({ startedAt, host }) => ({ startedAt, host }));
  const dead = workers.filter(({ alive }) => !alive).toSorted((one, other) => one.seenAt - other.seenAt);
  // One on the same host is the same container, which was started again.
  const left = dead.filter(
    (worker) => !take(free, (one) => one.host === worker.host && one.startedAt > worker.startedAt),
  );
  return left.filter((worker) => !take(free, (one) => one.startedAt >= worker.seenAt));
}

function take<T>(from: T[], fits: (one: T) => boolean): boolean {
  const at = from.findIndex(fits);
  if (at >= 0) from.splice(at, 1);
  return at >= 0;
}
