import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { retryDueAt } from "../../cycle/health/schedule.ts";
import { errorText, InterruptedError, LeaseHeldError } from "../../domain/errors.ts";
import type { FleetStore, TakenWork, TurnEnd } from "../../domain/fleet.ts";
import type { ProcessLog } from "../../domain/logger.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { accessDigest, companiesOf, configurationDigest } from "../../job/configuration-digest.ts";
import type { Job } from "../../job/job.ts";
import { leaseMsOf } from "../../job/lease.ts";
import { exitCode } from "../../process/io.ts";
import { packageVersion } from "../../process/package-root.ts";
import type { PostgresPlace } from "../../state/postgres/connection/place.ts";
import { createFirings } from "../firing.ts";
import type { LeaverLane } from "../leaver-lane.ts";
import type { CycleSource, Schedule, Scheduler } from "../scheduler.ts";
import type { Slot } from "../slot.ts";
import type { Conditions, DaemonWork } from "../work.ts";
import type { Started, WorkReport, WorkStarter } from "../works.ts";
import { askForWork, releaseToAsk, revertToAsk, type WorkOrder } from "./asking.ts";
import type { RunHow, RunnableJob } from "./perform.ts";
import { openQueue, type Queue } from "./queue.ts";
import { createSharedWorks, type SharedWorks } from "./shared-works.ts";
import { knownLevel } from "./work-form.ts";
import { createFleetWorker, type FleetWorker } from "./worker.ts";

/** The daemons that share a database, as one of them takes part. */
export interface Fleet {
  /** The id of this daemon. */
  readonly id: string;
  readonly store: FleetStore;
  readonly queue: Queue;
  readonly worker: FleetWorker;
  /** Adds a job, or changes its configuration; the next `announce` says so to the other daemons. */
  serve(job: FleetJob): void;
  /** Takes a job out: it is no longer configured. */
  release(name: string): void;
}

/** A job of this daemon, as the fleet runs it. */
export interface FleetJob {
  readonly current: () => Job;
  readonly cycles: CycleSource;
  readonly lane: LeaverLane;
  readonly work: DaemonWork;
  readonly works: SharedWorks;
  readonly slot: Slot;
  /** Aborts when the job is removed from the configuration, or the daemon stops. */
  readonly signal: AbortSignal;
}

/** A worker that is silent for this long has died, seconds: the least that pg-boss allows. */
const heartbeatSeconds = 10;
const monitorSeconds = 1;

/** Opens the queue, and the data that this daemon shares with the others of its database. @throws StateError */
export async function openFleet(
  place: PostgresPlace,
  options: { readonly maxAtOnce: () => number; readonly log: ProcessLog; readonly signal: AbortSignal },
): Promise<Fleet & { close(): Promise<void> }> {
  const { maxAtOnce, log, signal } = options;
  const { openFleetStore } = await import("../../state/postgres/fleet/store.ts");
  const store = await openFleetStore(place);
  let queue: Queue;
  try {
    queue = await openQueue(place, {
      heartbeatSeconds,
      monitorSeconds,
      onError: (error) => log.debug({ error: errorText(error) }, "the queue of jobs reported a fault"),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  const self = { id: randomUUID(), host: hostname(), version: packageVersion(), workLevel: knownLevel };
  const served = new Map<string, ReturnType<typeof runnable>>();
  const worker = createFleetWorker({
    self,
    queue,
    fleet: store,
    jobs: () => [...served.values()],
    maxAtOnce,
    nextFiring: createFirings(),
    silenceMs: heartbeatSeconds * 1_000,
    log,
    signal,
  });
  return {
    id: self.id,
    store,
    queue,
    worker,
    serve: (job) => void served.set(job.current().name, runnable(job)),
    release: (name) => void served.delete(name),
    close: async () => {
      await queue.close();
      await store.close();
    },
  };
}

/** The works of a job, which all daemons see. */
export function worksOf({ store, id }: Fleet, { name, log }: Job): SharedWorks {
  return createSharedWorks(store, name, id, log);
}

function runnable(job: FleetJob): RunnableJob & { readonly digest: string; readonly identity: string } {
  const { current } = job;
  const { name, config, entra, lattice, loaded } = current();
  return {
    name,
    schedule: config.schedule,
    access: accessDigest(current()),
    digest: configurationDigest(loaded),
    identity: companiesOf({ entra, lattice }),
    cycle: (how) => cycleOf(job, config.schedule, how),
    looksEveryMs: job.lane.everyMs(),
    look: async (how) => {
      const signal = AbortSignal.any([how.signal, job.signal]);
      await job.lane.look({ signal, standAside: how.standAside });
    },
    asked: (work, how) => askedOf(job, work, how),
  };
}

async function cycleOf(
  { cycles, works, slot, current, signal }: FleetJob,
  schedule: Schedule,
  { failures, ...how }: RunHow & { readonly failures: number },
): Promise<TurnEnd> {
  const ended: ("finished" | "retrySoon")[] = [];
  const under = conditionsOf(current(), { ...how, signal: AbortSignal.any([how.signal, signal]) });
  await slot.take(async () => {
    ended.push(await cycles.run(under));
  });
  await works.settled();
  if (under.signal.aborted) return { kind: "interrupted" };
  const [result = "retrySoon"] = ended;
  if (result === "finished" || schedule.kind === "cron") return { kind: "finished" };
  return { kind: "again", inMs: retryDueAt(0, schedule.everyMs, failures + 1) };
}

async function askedOf(
  { work, works, slot, current, signal }: FleetJob,
  row: TakenWork,
  how: RunHow,
): Promise<"ended" | "stopped"> {
  const { begunBefore } = row;
  const told = begunBefore ? afterStop(works.resume(row)) : works.resume(row);
  let ended: "ended" | "stopped" = "ended";
  const report: WorkReport = {
    ...told,
    // This daemon stops, or stands aside, and another one goes on: for the person who has asked, it has not failed.
    fail: (error, code) => {
      if (how.signal.aborted) ended = "stopped";
      else told.fail(error, code);
    },
  };
  const under = conditionsOf(current(), { ...how, signal: AbortSignal.any([how.signal, signal]) });
  try {
    const taken = slot.take(() => work.perform(row.kind, row.request, { ...under, report, begunBefore }));
    if (taken === null) report.fail("The job was busy. Try again.", exitCode.leaseHeld);
    await taken;
  } catch (error) {
    if (error instanceof InterruptedError) return ended;
    const level = error instanceof LeaseHeldError ? "warn" : "error";
    current().log[level]({ work: row.kind, error: errorText(error) }, "work failed");
  } finally {
    await works.settled();
  }
  return ended;
}

/** Adds to a failure that the first daemon may have done a part: the text of the failure is only about the second attempt. */
function afterStop(report: WorkReport): WorkReport {
  return {
    ...report,
    fail: (error, code) =>
      report.fail(
        `The daemon that began this ended before it was done: history shows what it sent. The daemon that went on says: ${error}`,
        code === exitCode.usage ? exitCode.error : code,
      ),
  };
}

/** Waits for the lease if the daemon that had the job before has died: it may have held the lease, which then lasts a while. */
function conditionsOf({ config }: Job, { signal, takenOver, standAside }: RunHow): Conditions {
  return { signal, standAside, waitMs: takenOver ? leaseMsOf(config) + 5_000 : undefined };
}

/** The next time of the schedule, as the fleet knows it. For a cron expression, a day counts as the interval. */
export function fleetScheduler(
  { worker }: Fleet,
  current: () => Job,
): Pick<Scheduler, "nextCronAt" | "intervalMs"> {
  return {
    nextCronAt: () => worker.timesOf(current().name)?.dueAt ?? null,
    intervalMs: () => {
      const { schedule } = current().config;
      return schedule.kind === "every" ? schedule.everyMs : 86_400_000;
    },
  };
}

/** Has work that a person asks for done by any of the daemons. */
export function fleetStarter(
  fleet: Pick<Fleet, "store" | "queue">,
  job: string,
  parts: {
    readonly reader: StateStore;
    /** The job in force. */
    readonly current: () => Job;
    /** Called when something was asked for. */
    readonly wake: () => void;
  },
): WorkStarter {
  const start = async (asked: WorkOrder): Promise<Started> => {
    const started = await askForWork(fleet, job, asked);
    if (started !== "busy") parts.wake();
    return started;
  };
  return {
    startCycle: (request) => start({ kind: "cycle", request, decision: null }),
    startDryRun: (request) => start({ kind: "dryRun", request, decision: null }),
    startRelease: async (release) => start(await releaseToAsk(parts.reader, release)),
    startRevert: async (revert) => start(await revertToAsk(parts.current(), parts.reader, revert)),
  };
}
