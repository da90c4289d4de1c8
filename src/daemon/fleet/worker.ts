import { AccessRefusedError, errorText, LeaseHeldError } from "../../domain/errors.ts";
import type { FleetTurns, FleetWork, FleetWorkers, JobTimes, Timetable, Worker } from "../../domain/fleet.ts";
import type { ProcessLog } from "../../domain/logger.ts";
import type { NextFiring } from "../firing.ts";
import type { JobFault } from "../http/daemon-view.ts";
import { dueAt } from "./due.ts";
import { planEntries, planLooks } from "./entries.ts";
import { type PerformParts, performer, type WorkerJob } from "./perform.ts";
import type { Claim, Queue, QueueName } from "./queue.ts";
import { repeat } from "./repeat.ts";
import { createStanding } from "./standing.ts";

export interface FleetWorkerParts {
  readonly self: Worker;
  readonly queue: Queue;
  readonly fleet: FleetWorkers & FleetTurns & FleetWork;
  /** The jobs as they are configured now, and the announcement of each to the other daemons. */
  readonly jobs: () => readonly WorkerJob[];
  /** Most cycles of the schedule at the same time. */
  readonly maxAtOnce: () => number;
  readonly nextFiring: NextFiring;
  /** How long a worker may be silent before another one takes its jobs over, milliseconds. */
  readonly silenceMs: number;
  /** How often it asks the database. Default: each second for jobs, every five seconds for the common schedule. */
  readonly pace?: FleetPace;
  readonly log: Pick<ProcessLog, "info" | "warn" | "error">;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
}

/** How often a worker asks the database, milliseconds. */
interface FleetPace {
  /** Between two looks for jobs that are due. */
  readonly pollMs: number;
  /** Between two readings of the common schedule. */
  readonly tickMs: number;
  /** The shortest time between two readings: one covers all jobs, so jobs that end shortly after one another share it. */
  readonly leastTickMs: number;
}

/** A daemon that shares the jobs of a database with others. */
export interface FleetWorker {
  /**
   * Announces the jobs to the other daemons as they are configured now. A job that a living daemon has for another tenant or Lattice waits
   * until that daemon has ended, and the log says so.
   */
  announce(): Promise<void>;
  /** Announces to the other daemons soon that the jobs, or their configurations, have changed. */
  reconfigured(): void;
  /** Begins to take jobs. */
  start(): void;
  /** Why the job waits for another daemon to end; `null` if it does not. */
  waitsFor(job: string): JobFault | null;
  /** Why another daemon goes on with the job, and this one does not; `null` if it does. */
  standsAside(job: string): JobFault | null;
  /** Takes the next job sooner, because work was asked for. */
  wake(): void;
  /** The job's times as they were read last; `null` if they were not read yet. */
  timesOf(job: string): {
    readonly times: JobTimes;
    readonly dueAt: number | null;
    /** When any of the daemons looks for leavers next; `null` if none does, or one is looking now. */
    readonly nextLookAt: number | null;
  } | null;
  /** Takes no more jobs; resolves when those under way have ended. */
  stop(): Promise<void>;
}

const usualPace: FleetPace = { pollMs: 1_000, tickMs: 5_000, leastTickMs: 1_000 };
/** Most works that people have asked for at the same time. They do not wait behind the schedule. */
const mostAsked = 2;
/** Most looks for leavers at the same time. A look is one short request if no one has left. */
const mostLooks = 4;

export function createFleetWorker(parts: FleetWorkerParts): FleetWorker {
  const { self, queue, fleet, jobs, maxAtOnce, nextFiring, silenceMs, log, signal, pace = usualPace } = parts;
  const running = new Map<
    string,
    { readonly claim: Claim; readonly lost: AbortController; readonly ended: Promise<void> }
  >();
  let table: Timetable | null = null;
  let due = new Map<string, number | null>();
  /** When this daemon first looked at each of its jobs, by the server's clock. */
  let knownSince = new Map<string, number>();
  let looks: ReadonlyMap<string, number> = new Map();
  /** Jobs of other daemons that appeared after the common schedule was last read. */
  const unknown = new Set<string>();
  const standing = createStanding({ self, fleet, jobs, log });

  const busyJobs = (): string[] => [...running.values()].map(({ claim }) => claim.job);
  /** Jobs that this daemon does not take: those of others, and those for which others have a newer configuration or go on in its place. */
  const apart = ({ jobs: times, others }: Timetable): string[] => {
    const served = new Set(jobs().map(({ name }) => name));
    return [
      ...others,
      ...unknown,
      ...times.filter(({ name, inForce }) => !inForce || !served.has(name)).map(({ name }) => name),
    ];
  };
  const standAside: PerformParts["standAside"] = async (fault, { name, access }, stop) => {
    if (!(fault instanceof AccessRefusedError)) return false;
    // If not, the run began with a credential that is no longer in force, and the refusal says nothing about the new one.
    const inForce = !jobs().some((job) => job.name === name && job.access !== access);
    if (inForce) {
      if (!(await standing.leave(name, fault.message, () => table?.now ?? Date.now()))) return false;
      if (table !== null) table = withoutForce(table, name);
    }
    stop.abort(new LeaseHeldError("another worker goes on with this job; this run stops"));
    return true;
  };
  const tick = async (): Promise<void> => {
    if (table !== null) standing.tryRefused(table.now);
    if (!(await fleet.seen(self.id)) || !standing.isAnnounced()) await standing.announce();
    // Look again soon, so that the job is taken over soon after the other daemon has ended.
    if (standing.waits()) ticks.soon();
    const read = await fleet.timetable(self.id);
    standing.sayOutdated(read);
    const own = new Map(jobs().map((job) => [job.name, job]));
    // Never a time in the future: the server's clock may have been set back.
    knownSince = new Map(
      [...own.keys()].map((name) => [name, Math.min(knownSince.get(name) ?? read.now, read.now)]),
    );
    due = new Map(
      read.jobs.map((times) => {
        const job = own.get(times.name);
        if (job === undefined) return [times.name, null];
        const { schedule, access } = job;
        const when = { now: read.now, knownSince: knownSince.get(times.name) ?? read.now, access };
        return [times.name, dueAt(times, schedule, when, nextFiring)];
      }),
    );
    table = read;
    unknown.clear();
    await planEntries(queue, read, { due, busy: new Set(busyJobs()) });
    looks = await planLooks(queue, read, new Map([...own].map(([name, job]) => [name, job.looksEveryMs])));
  };

  const poll = async (): Promise<void> => {
    if (table === null) return;
    const queues: readonly (readonly [QueueName, number])[] = [
      ["asked-2", mostAsked],
      ["asked", mostAsked],
      ["schedule", maxAtOnce()],
      ["leavers", mostLooks],
    ];
    for (const [name, most] of queues) {
      const free = most - [...running.values()].filter(({ claim }) => isLike(name, claim.queue)).length;
      if (free <= 0 || signal.aborted) continue;
      const served = new Set(jobs().map((job) => job.name));
      const claims = await queue.take(name, free, [...apart(table), ...busyJobs()]);
      for (const claim of claims.filter(({ job }) => served.has(job))) begin(claim);
      for (const claim of claims.filter(({ job }) => !served.has(job))) {
        unknown.add(claim.job);
        await queue.giveBack(claim);
      }
    }
  };
  const perform = performer({
    self,
    fleet,
    jobs,
    log,
    signal,
    failuresOf: (job) => table?.jobs.find(({ name }) => name === job)?.turn?.failures ?? 0,
    standAside,
    stay: standing.stay,
  });
  const begin = (claim: Claim): void => {
    const lost = new AbortController();
    const ended = perform(claim, lost)
      .catch((error: unknown) => {
        log.error({ job: claim.job, error: errorText(error) }, "a job could not be run");
        return "ended" as const;
      })
      .then((ended) => (ended === "notBegun" ? queue.giveBack(claim) : queue.done(claim)))
      // Its entry is given to another worker, as if this one had died.
      .catch((error: unknown) =>
        log.warn({ job: claim.job, error: errorText(error) }, "a job's entry could not be ended"),
      )
      .finally(() => {
        running.delete(claim.entry.id);
        ticks.soon();
        polls.soon();
      });
    running.set(claim.entry.id, { claim, lost, ended });
  };
  const keep = async (): Promise<void> => {
    const claims = [...running.values()].map(({ claim }) => claim);
    if (claims.length === 0) return;
    for (const claim of await queue.keep(claims)) {
      running
        .get(claim.entry.id)
        ?.lost.abort(new LeaseHeldError("another worker took this job over; this run stops"));
    }
  };

  /** A daemon that stops finishes its writes first. Other daemons can take the jobs that it is not working on at once. */
  const leaveIdleJobs = async (): Promise<void> => {
    const busy = new Set(busyJobs());
    if (busy.size === 0) return;
    try {
      await fleet.announce(
        self,
        standing.served().filter(({ name }) => busy.has(name)),
      );
    } catch (error) {
      log.warn({ error: errorText(error) }, "the other daemons could not be told which jobs this one leaves");
    }
  };

  const onFault = (what: string) => (error: unknown, again: boolean) => {
    if (!again) log.warn({ error: errorText(error) }, `${what}; it is tried again`);
  };
  const ticks = repeat(
    pace.tickMs,
    tick,
    onFault("the daemons' common schedule could not be read"),
    pace.leastTickMs,
  );
  const polls = repeat(pace.pollMs, poll, onFault("the queue of jobs could not be read"));
  const heartbeats = repeat(
    silenceMs / 3,
    keep,
    onFault("the queue of jobs could not be told that this daemon lives"),
  );

  return {
    announce: standing.announce,
    reconfigured: () => {
      standing.reconfigured();
      ticks.soon();
    },
    start: () => {
      for (const one of [ticks, polls, heartbeats]) one.start();
    },
    waitsFor: standing.waitsFor,
    standsAside: (job) => {
      const isLeft = table?.jobs.some(({ name, inForce }) => name === job && inForce) !== true;
      return isLeft ? standing.refusedFor(job) : null;
    },
    wake: polls.soon,
    timesOf: (job) => {
      const times = table?.jobs.find(({ name }) => name === job);
      if (times === undefined) return null;
      return { times, dueAt: due.get(job) ?? null, nextLookAt: looks.get(job) ?? null };
    },
    stop: async () => {
      await Promise.all([ticks.stop(), polls.stop()]);
      await leaveIdleJobs();
      await Promise.all([...running.values()].map(({ ended }) => ended));
      await heartbeats.stop();
      await fleet.leave(self.id);
    },
  };
}

/** All work that people have asked for counts together, whichever level it has. */
function isLike(one: QueueName, other: QueueName): boolean {
  return one === other || (one.startsWith("asked") && other.startsWith("asked"));
}

/** The common schedule after this daemon has left a job to another one. */
function withoutForce(table: Timetable, job: string): Timetable {
  return {
    ...table,
    jobs: table.jobs.map((one) => (one.name === job ? { ...one, inForce: false } : one)),
  };
}
