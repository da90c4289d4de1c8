import { setTimeout as sleep } from "node:timers/promises";
import type { CycleResult } from "../cycle/course/request.ts";
import type { Progress } from "../cycle/ports/ports.ts";
import { askForWork, type WorkOrder } from "../daemon/fleet/asking.ts";
import { openQueueToAsk } from "../daemon/fleet/queue.ts";
import type { StoredResult } from "../daemon/fleet/shared-works.ts";
import { levelOf } from "../daemon/fleet/work-form.ts";
import type { CommandReport, WorkResult } from "../daemon/works.ts";
import { errorText, FailedElsewhereError, LeaseHeldError, StateError, UsageError } from "../domain/errors.ts";
import type { FleetStore, JobInFleet, SeenWorker, WorkRow } from "../domain/fleet.ts";
import { withoutStop } from "../domain/sentence.ts";
import type { StateStore } from "../domain/state/store.ts";
import { configurationDigest } from "../job/configuration-digest.ts";
import { createFleetFacts, refuseOtherCompanies } from "../job/fleet-facts.ts";
import type { Job } from "../job/job.ts";
import { commandLine, type Place, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, note } from "../process/io.ts";
import { openProgress } from "./progress.ts";

const pollMs = 500;
const askAgainMs = 1_000;
/** After this long the command says that no daemon has begun. */
const slowMs = 10_000;
/** How often the command checks whether the daemons live. */
const lookMs = 1_000;

/** The place of the state, and the patience of the command that asks. */
export interface Asker extends Place {
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

/** A cycle that a daemon has run. */
export interface RunElsewhere extends CommandReport {
  readonly result: CycleResult;
  /** Released people whose change was no longer due as it was. */
  readonly changedSinceHeld: WorkResult["notLetGo"];
}

/**
 * Has the daemons that share the job's database run a cycle, of any kind, and waits for its end.
 * @param prepare makes the work to ask for from the state, if a daemon is asked; it may throw a fault of the order
 * @returns `null` if none of them does, so that this process must run it; stderr says why, unless there are no daemons or no state yet
 * @throws LeaseHeldError if another run is under way; UsageError if daemons have the job for another tenant or Lattice; FailedElsewhereError, UsageError if the cycle failed; the reason of `io.signal`
 */
export async function runInFleet(
  job: Job,
  prepare: (reader: StateStore) => Promise<WorkOrder>,
  asker: Asker,
  io: CommandIO,
): Promise<RunElsewhere | null> {
  const { statePlace: place } = job;
  if (place.kind === "file") return null;
  const facts = await createFleetFacts().of(job.name, place);
  const daemons = facts?.workers ?? [];
  if (facts === null || daemons.length === 0) return null;
  await refuseOtherCompanies(job);
  const configuration = configurationDigest(job.loaded);
  const why = reasonForHere(facts.job, configuration);
  if (why !== null) return runHere(why, io);
  const work = await prepared(job, prepare, configuration);
  if (work === null) return null;
  const level = levelOf(work.kind, work.request);
  if (!daemons.some(({ id, workLevel }) => facts.job.takers.includes(id) && workLevel >= level)) {
    return runHere(
      `the daemons that have the job ${job.name} are of an older version, which does not know this kind of work`,
      io,
    );
  }
  const { openFleetStore } = await import("../state/postgres/fleet/store.ts");
  let queue: Awaited<ReturnType<typeof openQueueToAsk>>;
  try {
    queue = await openQueueToAsk(place.database, (error) =>
      job.log.debug({ error: errorText(error) }, "the queue of jobs reported a fault"),
    );
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return runHere(withoutStop(error.message), io);
  }
  const store = await openFleetStore(place.database);
  try {
    return await askAndFollow({ store, queue }, job.name, work, asker, io);
  } finally {
    await queue.close();
    await store.close();
  }
}

/** @returns `null` if there is no state yet */
async function prepared(
  job: Job,
  prepare: (reader: StateStore) => Promise<WorkOrder>,
  configuration: string,
): Promise<WorkOrder | null> {
  const reader = await job.readState();
  if (reader === null) return null;
  try {
    const { request, ...work } = await prepare(reader);
    return { ...work, request: { ...request, configuration, report: true } };
  } finally {
    await reader.close();
  }
}

function runHere(why: string, io: CommandIO): null {
  note(io, `This process runs the cycle itself: ${why}.`);
  return null;
}

/** Why no daemon is asked; `null` if one is. */
function reasonForHere({ name, takers, digest }: JobInFleet, own: string): string | null {
  if (takers.length === 0) return `no daemon that lives has the job ${name}`;
  if (digest !== own) return `the daemons have another configuration of the job ${name} than this command`;
  return null;
}

interface Asking {
  readonly store: FleetStore;
  readonly queue: Awaited<ReturnType<typeof openQueueToAsk>>;
}

async function askAndFollow(
  fleet: Asking,
  job: string,
  work: WorkOrder,
  asker: Asker,
  io: CommandIO,
): Promise<RunElsewhere | null> {
  const until = performance.now() + asker.waitSeconds * 1_000;
  for (;;) {
    const started = await askForWork(fleet, job, work);
    const mayWait = performance.now() < until;
    if (started !== "busy") {
      const row = await follow(fleet, { ...work, id: started.id, job }, asker, io);
      if (row === null) return runHere(`no daemon that lives has begun the job ${job}`, io);
      const code = row.error === null ? exitCode.done : codeOf(row);
      if (code !== exitCode.leaseHeld || !mayWait) {
        return resultOf(row, code, await fleet.store.takeReport(row.id));
      }
    } else if (!mayWait) {
      throw new LeaseHeldError(
        `a daemon works on the job ${job} at the moment: wait for it to end, or use --wait SECONDS. To look at it: ${commandLine(`status${flagsOf(asker, job)}`)}`,
      );
    }
    await sleep(askAgainMs, undefined, { signal: io.signal }).catch(() => io.signal.throwIfAborted());
  }
}

/** Waits until the work has ended, and shows its progress. @returns `null` if no daemon has begun it, and none will */
async function follow(
  fleet: Asking,
  asked: WorkOrder & { readonly id: string; readonly job: string },
  asker: Asker,
  io: CommandIO,
): Promise<WorkRow | null> {
  const { store } = fleet;
  const { id, job } = asked;
  const bar = await openProgress(io);
  const began = performance.now();
  let workers: readonly SeenWorker[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  let shown: string | null = null;
  let saidSlow = false;
  try {
    for (;;) {
      const row = await store.findWork(id);
      if (row === null)
        throw new StateError(
          `the cycle that was asked for is no longer in the database. ${toLook(asker, job)}`,
        );
      const isNew = row.worker !== null && row.worker !== shown;
      if (isNew || performance.now() - lookedAt > lookMs) {
        workers = await store.workers();
        lookedAt = performance.now();
        if (row.finishedAt === null && isAbandoned(row, workers, await store.jobs())) {
          if (row.worker === null && (await withdrawn(fleet, asked))) return null;
          if (row.worker !== null) {
            const also = row.kind === "cycle" ? ", and so does sync --here" : ". history shows what was sent";
            throw new FailedElsewhereError(
              `the daemon on ${hostOf(row.worker, workers)} that ran this cycle ended before it was done, and no other one that lives has the job ${job}: a daemon that is started within six hours goes on with it${also}`,
            );
          }
        }
      }
      if (isNew) {
        note(
          io,
          `The daemon on ${hostOf(row.worker, workers)} ${row.finishedAt === null ? "runs" : "ran"} this cycle.`,
        );
        shown = row.worker;
      }
      if (row.finishedAt !== null) return row;
      if (row.worker === null && !saidSlow && performance.now() - began > slowMs) {
        note(io, "No daemon has begun this cycle yet: all of them are busy.");
        saidSlow = true;
      }
      // Only this program writes it.
      if (row.progress !== null) bar.update(row.progress as Progress);
      await sleep(pollMs, undefined, { signal: io.signal }).catch(() => io.signal.throwIfAborted());
    }
  } catch (error) {
    if (io.signal.aborted) {
      bar.stop();
      // If the database does not answer, a daemon may have begun it.
      const isWithdrawn = await withdrawn(fleet, asked).catch(() => false);
      note(
        io,
        isWithdrawn
          ? "No daemon had begun the cycle, so it will not be run."
          : `The cycle was not stopped: a daemon runs it. ${toLook(asker, job)}.`,
      );
    }
    throw error;
  } finally {
    bar.stop();
  }
}

/** `true` if no daemon that lives works on it, and none that lives would begin it. */
function isAbandoned(
  { worker, job }: WorkRow,
  workers: readonly SeenWorker[],
  jobs: readonly JobInFleet[],
): boolean {
  const takers = jobs.find(({ name }) => name === job)?.takers ?? [];
  return takers.length === 0 && !workers.some(({ id, alive }) => id === worker && alive);
}

/** Takes work back that was not begun. @returns `false` if it was begun in between */
async function withdrawn(
  { store, queue }: Asking,
  { id, kind, request }: WorkOrder & { readonly id: string },
): Promise<boolean> {
  await store.withdrawWork(id);
  if ((await store.findWork(id)) !== null) return false;
  await queue.unask(id, levelOf(kind, request));
  return true;
}

function codeOf({ result }: WorkRow): number {
  // Only this program writes it; an older version wrote none.
  const { exitCode: code = exitCode.error } = (result ?? {}) as { readonly exitCode?: number };
  return code;
}

/** @throws the error with which the cycle failed */
function resultOf({ error, result }: WorkRow, code: number, report: unknown): RunElsewhere {
  if (error !== null) {
    if (code === exitCode.leaseHeld) throw new LeaseHeldError(error);
    throw code === exitCode.usage ? new UsageError(error) : new FailedElsewhereError(error);
  }
  // Only this program writes it.
  const { run, notLetGo = [] } = result as Partial<StoredResult>;
  // Only this program writes it, too.
  const more = (report ?? {}) as CommandReport;
  if (run !== undefined) {
    const { revert } = more;
    return {
      ...more,
      result: { ...run, ...(revert === undefined ? {} : { revert }) },
      changedSinceHeld: notLetGo,
    };
  }
  throw new FailedElsewhereError(
    "the cycle has ended, and the daemon that ran it is of an older version, which gives no report: status and history show it",
  );
}

function hostOf(worker: string | null, workers: readonly SeenWorker[]): string {
  return workers.find(({ id }) => id === worker)?.host ?? "another machine";
}

function toLook(asker: Asker, job: string): string {
  return `To look at it: ${commandLine(`status${flagsOf(asker, job)}`)}`;
}

/** Flags of a command in the same place. @param job is named if the command was given `--job`, or ran for each of several jobs */
function flagsOf(asker: Asker, job: string): string {
  return placeFlags({ ...asker, ...(asker.job === undefined ? {} : { job }) });
}
