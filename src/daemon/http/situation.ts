import { lastOfEverybody } from "../../domain/state/last-of-everybody.ts";
import { type JobsWorkers, missingWorkers, summaryOf } from "../../report/job-summary.ts";
import type { JobSituation, Situation } from "../../report/metrics.ts";
import { situationOf } from "../../report/situation.ts";
import { readStatus, type Status } from "../../report/status.ts";
import { createLateness, type IsLate } from "../lateness.ts";
import type { DaemonView, JobEntry, JobView } from "./daemon-view.ts";
import type { FleetNow } from "./fleet-view.ts";
import { kept } from "./kept.ts";

/** Results are reused for this long: however many clients ask, the database is read once in that time. */
const situationAgeMs = 5_000;
const textAgeMs = 1_000;
const readyAgeMs = 1_000;
/** With hundreds of jobs, results about all of them are reused for this long per job. */
const ageMsOfEachJob = 20;
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
export function metricsText(
  { jobs, metrics, now }: DaemonView,
  readFleet: () => Promise<FleetNow>,
): () => Promise<string> {
  const age = (): number => Math.max(situationAgeMs, ageMsOfEachJob * jobs.all().length);
  const situations = kept(age, now, async () => {
    const fleet = await readFleet();
    const read = await Promise.all(jobs.all().map((entry) => jobSituation(entry, fleet)));
    const workers = fleet.databases.flatMap((database) => database.workers);
    const counts = {
      alive: workers.filter(({ alive }) => alive).length,
      missing: fleet.databases.flatMap((database) => missingWorkers(database.workers)).length,
    };
    return { jobs: read, workers: workers.length === 0 ? null : counts };
  });
  return kept(textAgeMs, now, async () => {
    const read = await situations();
    return metrics.text(read.jobs, now(), read.workers);
  });
}

async function jobSituation({ name, view, fault }: JobEntry, fleet: FleetNow): Promise<JobSituation> {
  const shared = fleet.of(name);
  const read = view === null ? null : await readSituation(view, shared).catch(() => null);
  return {
    name,
    situation: read?.situation ?? null,
    turn: read?.turn ?? null,
    failing: fault !== null,
    workers: shared && { taking: shared.job.takers.length, aside: shared.job.aside.length },
  };
}

async function readSituation(
  view: JobView,
  fleet: JobsWorkers | null,
): Promise<{ readonly situation: Situation; readonly turn: JobSituation["turn"] }> {
  const status = await currentStatus(view);
  const intervalMs = view.scheduler.intervalMs();
  const { running, overdueMs } = summaryOf({ fault: null, status, intervalMs, fleet, now: view.now() });
  return {
    situation: await situationOf(view.glance, status),
    turn: { intervalMs, overdueMs, running, looksEveryMs: view.looksEveryMs() },
  };
}

/** The number of jobs, and how many of them are not ready. */
export interface Readiness {
  readonly jobs: number;
  readonly notReady: number;
}

/**
 * Counts the jobs that are ready: the job is open, its state database answers, and the schedule has not asked for two cycles since one of everybody
 * was completed (`IsLate`). A job that waits for another daemon to end counts as ready, because that daemon may end only once this one is
 * ready. A job for which Entra or Lattice refuses this daemon is not ready here, although another daemon goes on with it.
 */
export function readiness({ jobs, now }: DaemonView): () => Promise<Readiness> {
  const isLate = createLateness();
  const ageMs = (): number => Math.max(readyAgeMs, ageMsOfEachJob * jobs.all().length);
  return kept(ageMs, now, async () => {
    const ready = await Promise.all(
      jobs.all().map(({ view }) => view !== null && (view.waitsFor() !== null || inTime(view, isLate))),
    );
    return { jobs: ready.length, notReady: ready.filter((one) => !one).length };
  });
}

async function inTime(view: JobView, isLate: IsLate): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  try {
    return await Promise.race([isReady(view, isLate), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

async function isReady(view: JobView, isLate: IsLate): Promise<boolean> {
  if (view.standsAside() !== null) return false;
  const last = await lastOfEverybody(
    view.glance,
    ({ outcome }) => outcome !== null && outcome !== "failed" && outcome !== "interrupted",
  );
  if (last === undefined || last.finishedAt === null) return false;
  return !isLate(view.schedule(), last.finishedAt, view.now());
}
