import type { JobSituation, Situation } from "../../report/metrics.ts";
import { situationOf } from "../../report/situation.ts";
import { readStatus, type Status } from "../../report/status.ts";
import type { DaemonView, JobEntry, JobView } from "./daemon-view.ts";

/** Results are reused for this long: however many clients ask, the database is read once in that time. */
const situationAgeMs = 5_000;
const textAgeMs = 1_000;
const readyAgeMs = 1_000;
const patienceMs = 5_000;
const shownCycles = 8;

/** The status, with the time of the next cycle, which only the scheduler knows. Held operations are counted, not read. */
export async function currentStatus(view: JobView): Promise<Status> {
  const status = await readStatus(view.glance, view.schedule(), view.now(), {
    cycles: shownCycles,
    mostHeld: 0,
  });
  return status.nextDueAt === null ? { ...status, nextDueAt: view.scheduler.nextCronAt() } : status;
}

/** The text of `/metrics`, made at most once a second. */
export function metricsText({ jobs, metrics, now }: DaemonView): () => Promise<string> {
  const situations = kept(situationAgeMs, now, () => Promise.all(jobs.all().map(jobSituation)));
  return kept(textAgeMs, now, async () => metrics.text(await situations(), now()));
}

async function jobSituation({ name, view, fault }: JobEntry): Promise<JobSituation> {
  const situation = view === null ? null : await readSituation(view).catch(() => null);
  return { name, situation, failing: fault !== null };
}

async function readSituation(view: JobView): Promise<Situation> {
  return situationOf(view.glance, await currentStatus(view));
}

/** Whether a daemon works, and of how many jobs this can be said. */
export interface Readiness {
  readonly jobs: number;
  readonly notReady: number;
}

/**
 * Whether the jobs work: each is open, its state database answers, and a cycle of everybody was completed less than two
 * intervals ago.
 */
export function readiness({ jobs, now }: DaemonView): () => Promise<Readiness> {
  return kept(readyAgeMs, now, async () => {
    const ready = await Promise.all(jobs.all().map(({ view }) => view !== null && inTime(view)));
    return { jobs: ready.length, notReady: ready.filter((one) => !one).length };
  });
}

async function inTime(view: JobView): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  try {
    return await Promise.race([isReady(view), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

async function isReady(view: JobView): Promise<boolean> {
  const cycles = await view.glance.recentCycles(50);
  const last = cycles.find(
    ({ kind, outcome }) =>
      kind !== "on-demand" && outcome !== null && outcome !== "failed" && outcome !== "interrupted",
  );
  if (last === undefined || last.finishedAt === null) return false;
  return view.now() - last.finishedAt < 2 * view.scheduler.intervalMs();
}

/** Reuses the result of `make` for `ageMs`. Requests that come while it is made wait for the same result. */
export function kept<T>(ageMs: number, now: () => number, make: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  let madeAt = 0;
  return () => {
    const age = now() - madeAt;
    if (answer === null || age >= ageMs || age < 0) {
      madeAt = now();
      answer = make();
      answer.catch(() => {
        answer = null;
      });
    }
    return answer;
  };
}
