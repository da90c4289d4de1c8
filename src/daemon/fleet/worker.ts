import { createHash } from "node:crypto";
import { parsePause } from "../../cycle/health/pause.ts";
import { parseQuarantine, type StandAside } from "../../cycle/health/quarantine.ts";
import {
  AccessRefusedError,
  type ConfigurationError,
  errorText,
  LeaseHeldError,
} from "../../domain/errors.ts";
import type {
  FleetStore,
  JobTimes,
  ServedJob,
  TakenWork,
  Timetable,
  TurnEnd,
  Worker,
} from "../../domain/fleet.ts";
import { sentences } from "../../domain/sentence.ts";
import type { JobFault } from "../http/daemon-view.ts";
import type { Schedule } from "../scheduler.ts";
import { dueAt, type NextFiring } from "./due.ts";
import type { Claim, DueJob, Queue, QueueName } from "./queue.ts";
import { repeat } from "./repeat.ts";
import { isKnownWork } from "./work-form.ts";

/** A job that this daemon can run. */
export interface RunnableJob {
  readonly name: string;
  readonly schedule: Schedule;
  /** A digest of its configuration with the credentials (`Quarantine.access`). */
  readonly access: string;
  /** Runs a cycle of the schedule. It ends with its signal. @param failures how often in a row it could not do its work before */
  cycle(how: RunHow & { readonly failures: number }): Promise<TurnEnd>;
  /** How often leavers are looked for between two cycles, milliseconds; `null`: never. */
  readonly looksEveryMs: number | null;
  /** Looks for leavers once. It ends with its signal, and never throws. */
  look(how: RunHow): Promise<void>;
  /**
   * Does what a person has asked for. It ends with its signal, and reports how it ended.
   * @returns `stopped` if it ended before it was done, because of its signal: another worker goes on
   */
  asked(work: TakenWork, how: RunHow): Promise<"ended" | "stopped">;
}

export interface RunHow {
  /** Aborts if another worker has taken the job over, or if the daemon stops. */
  readonly signal: AbortSignal;
  /** Another worker has begun with it before, and died. */
  readonly takenOver: boolean;
  /**
   * If this daemon's credential was refused and another daemon with the same configuration lives, that one goes on with the job, and this run
   * ends with its signal. Another fault of the configuration is everybody's.
   */
  readonly standAside: StandAside;
}

export interface FleetWorkerParts {
  readonly self: Worker;
  readonly queue: Queue;
  readonly fleet: FleetStore;
  /** The jobs as they are configured now, and how each is told to the others. */
  readonly jobs: () => readonly (RunnableJob & Pick<ServedJob, "digest" | "identity">)[];
  /** Most cycles of the schedule at the same time. */
  readonly maxAtOnce: () => number;
  readonly nextFiring: NextFiring;
  /** How long a worker may be silent before another one takes its jobs over, milliseconds. */
  readonly silenceMs: number;
  readonly log: {
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
}

/** A daemon that shares the jobs of a database with others. */
export interface FleetWorker {
  /**
   * Tells the others of the jobs as they are configured now. A job that a living daemon has for another tenant or Lattice waits until that one has
   * ended, and the log says so.
   */
  announce(): Promise<void>;
  /** Tells the others soon that the jobs, or their configurations, have changed. */
  reconfigured(): void;
  /** Begins to take jobs. */
  start(): void;
  /** Why the job waits for another daemon to end; `null` if it does not. */
  waitsFor(job: string): JobFault | null;
  /** Why another daemon goes on with the job, and this one does not; `null` if it does. */
  standsAside(job: string): JobFault | null;
  /** Takes the next job sooner: something was asked for. */
  wake(): void;
  /** The job's times as they were read last; `null` if they were not read yet. */
  timesOf(job: string): {
    readonly times: JobTimes;
    readonly dueAt: number | null;
    /** When any of the daemons looks for leavers next; `null` if none does, or one is at it. */
    readonly nextLookAt: number | null;
  } | null;
  /** Takes no more jobs; resolves when those under way have ended. */
  stop(): Promise<void>;
}

const pollMs = 1_000;
const tickMs = 5_000;
/** A tick looks at all jobs: many that end one after the other do not need one each. */
const leastTickMs = 1_000;
/** What a person has asked for does not wait behind the schedule. */
const mostAsked = 2;
/** Work that nobody has begun for this long is not done any more: whoever asked for it does not expect it now. */
const mostWaitMs = 6 * 3_600_000;
/** A look for leavers is one short request, if nobody has left. */
const mostLooks = 4;
/** Entra or Lattice may accept this daemon again, without a new configuration: a permission was given, a key was allowed again. */
const asideMs = 3_600_000;
/** Entries whose time differs by less than this are left as they are. */
const toleranceMs = 2_000;

export function createFleetWorker(parts: FleetWorkerParts): FleetWorker {
  const { self, queue, fleet, jobs, maxAtOnce, nextFiring, silenceMs, log, signal } = parts;
  const running = new Map<
    string,
    { readonly claim: Claim; readonly lost: AbortController; readonly ended: Promise<void> }
  >();
  let table: Timetable | null = null;
  let due = new Map<string, number | null>();
  /** When this daemon first looked at each of its jobs, by the server's clock. */
  let knownSince = new Map<string, number>();
  let looks = new Map<string, number>();
  let outdated = "";
  /** Jobs of others that came after the common schedule was read last. */
  const unknown = new Set<string>();
  /** Counts the configurations of this daemon: the others may not have been told of the last one yet. */
  let configured = 0;
  let told = -1;
  /** Jobs that another daemon has for another tenant or Lattice. */
  let waiting: ReadonlyMap<string, JobFault> = new Map();
  /** Jobs for which this daemon's credential was refused, so that another one goes on. `until`: by the server's clock. */
  const refused = new Map<string, JobFault & { readonly until: number }>();

  const busyJobs = (): string[] => [...running.values()].map(({ claim }) => claim.job);
  /** Jobs that this daemon does not take: of others, or by an older configuration. */
  const apart = ({ jobs: times, others }: Timetable): string[] => {
    const served = new Set(jobs().map(({ name }) => name));
    return [
      ...others,
      ...unknown,
      ...times.filter(({ name, inForce }) => !inForce || !served.has(name)).map(({ name }) => name),
    ];
  };
  const sayOutdated = ({ jobs: times }: Timetable): void => {
    const names = times
      .filter(({ name, inForce }) => !inForce && !waiting.has(name) && !refused.has(name))
      .map(({ name }) => name);
    const before = outdated;
    outdated = names.join(", ");
    if (outdated === before) return;
    if (names.length > 0) {
      log.warn(
        { jobs: names },
        "another daemon has a newer configuration of these jobs and runs them; this one waits until it ends, or has the same configuration",
      );
    } else log.info({}, "this daemon has the newest configuration of all its jobs again");
  };

  const served = (): readonly ServedJob[] =>
    jobs().map(({ name, digest, identity }) => {
      const reason = refused.get(name)?.reason;
      return {
        name,
        digest,
        identity,
        ...(reason === undefined ? {} : { aside: { kind: "refused", reason } }),
      };
    });
  /** Tells the others of all jobs. One that another daemon has for another tenant keeps no other job from running. */
  const announce = async (): Promise<void> => {
    const now = configured;
    const all = served();
    const strangers = await fleet.announce(self, all);
    if (strangers.length === 0) told = now;
    else await fleet.announce(self, all.map(asStranger(strangers)));
    const before = waiting;
    waiting = new Map(
      strangers.map((stranger) => [
        stranger.job,
        before.get(stranger.job) ?? { reason: sentences(unlike(stranger)), since: Date.now() },
      ]),
    );
    for (const [job, { reason }] of waiting) {
      if (!before.has(job)) log.warn({ job, reason }, "the job waits for another daemon to end");
    }
    for (const job of before.keys()) {
      const isServed = all.some(({ name }) => name === job);
      if (!waiting.has(job) && isServed)
        log.info({ job }, "the other daemon has ended: this one takes the job over");
    }
  };
  /** Tries again, some time later, the jobs for which this daemon was refused. */
  const tryRefused = (now: number): void => {
    for (const [job, { until }] of refused) {
      // Further away than that: the server's clock was set back.
      if (until > now && until <= now + asideMs) continue;
      refused.delete(job);
      configured += 1;
    }
  };
  const standAside = async (
    fault: ConfigurationError,
    { name, access }: Pick<RunnableJob, "name" | "access">,
    stop: AbortController,
  ): Promise<boolean> => {
    if (!(fault instanceof AccessRefusedError)) return false;
    const end = (): true => {
      stop.abort(new LeaseHeldError("another worker goes on with this job; this run stops"));
      return true;
    };
    // The run began with a credential that is no longer in force.
    if (jobs().some((job) => job.name === name && job.access !== access)) return end();
    try {
      const reason = asideSentence(fault.message);
      if (!(await fleet.standAside(name, self.id, reason))) return false;
      const now = table?.now ?? Date.now();
      refused.set(name, { reason, since: Date.now(), until: now + asideMs });
    } catch (error) {
      log.warn({ job: name, error: errorText(error) }, "the other daemons could not be asked to go on");
      return false;
    } finally {
      // Whatever an announcement of the same moment has written, the next one tells what is known here.
      configured += 1;
    }
    if (table !== null) {
      const times = table.jobs.map((one) => (one.name === name ? { ...one, inForce: false } : one));
      table = { ...table, jobs: times };
    }
    log.warn(
      { job: name, reason: fault.message },
      "Entra or Lattice refuses this daemon: another one goes on with the job",
    );
    return end();
  };
  /** A run of the job has ended without a refusal, or there was nobody to go on with it. */
  const standsAsideNoMore = (job: string): void => {
    if (refused.delete(job)) configured += 1;
  };
  const tick = async (): Promise<void> => {
    if (table !== null) tryRefused(table.now);
    if (!(await fleet.seen(self.id)) || told !== configured) await announce();
    // It is taken over soon after the other daemon has ended.
    if (waiting.size > 0) ticks.soon();
    const read = await fleet.timetable(self.id);
    sayOutdated(read);
    const own = new Map(jobs().map((job) => [job.name, job]));
    // Not ahead: the server's clock was set back.
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
    await planEntries(read);
    await planLooks(read);
  };
  /**
   * Each job that looks for leavers has an entry. Each has its own moment in the interval, so that many jobs do not look at the same time, and keeps it when
   * daemons start again.
   */
  const planLooks = async (read: Timetable): Promise<void> => {
    const every = new Map(jobs().map(({ name, looksEveryMs }) => [name, looksEveryMs]));
    const waiting = new Map((await queue.waiting("leavers")).map(({ job, at }) => [job, at]));
    const missing: DueJob[] = [];
    looks = new Map();
    for (const { name, inForce } of read.jobs) {
      const everyMs = every.get(name) ?? null;
      const at = waiting.get(name);
      if (everyMs === null || (at === undefined && !inForce)) continue;
      const look = { job: name, at: momentAfter(read.now, name, everyMs) };
      // Further away than that: the interval is shorter now, or the server's clock was set back.
      const isFar = inForce && at !== undefined && at > read.now + everyMs + toleranceMs;
      if (at === undefined) missing.push(look);
      if (isFar) await queue.move(look, "leavers");
      looks.set(name, at === undefined || isFar ? look.at : at);
    }
    await queue.schedule(missing, "leavers");
  };
  /** Each job has an entry, at the time at which it is due. Whoever ran it last may have died before it made one. */
  const planEntries = async (read: Timetable): Promise<void> => {
    const busy = new Set(busyJobs());
    const wanted: DueJob[] = read.jobs.flatMap(({ name, inForce }) => {
      const at = due.get(name) ?? null;
      return !inForce || at === null || busy.has(name) ? [] : [{ job: name, at: Math.max(at, 0) }];
    });
    const waiting = new Map((await queue.waiting()).map(({ job, at }) => [job, at]));
    await queue.schedule(wanted.filter(({ job }) => !waiting.has(job)));
    for (const { job, at } of wanted) {
      const now = waiting.get(job);
      // One with another credential may have brought it forward, and knows better.
      if (now !== undefined && at > now && isRefused(read, job)) continue;
      const differs = now !== undefined && Math.abs(now - at) > toleranceMs;
      // What is overdue is taken when a worker is free, at whatever time it is due.
      if (differs && (now > read.now || at > read.now)) await queue.move({ job, at });
    }
  };

  /** Whether the job waits for the end of a quarantine, and for nothing that somebody has asked for. */
  const isRefused = ({ jobs: times, now }: Timetable, job: string): boolean => {
    const notes = times.find(({ name }) => name === job)?.notes ?? {};
    return parseQuarantine(notes)?.access !== undefined && parsePause(notes, now) === null;
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
  /** @returns `notBegun` if another worker is to take the entry */
  const perform = async (claim: Claim, lost: AbortController): Promise<"ended" | "notBegun"> => {
    const until = AbortSignal.any([signal, lost.signal]);
    const job = jobs().find(({ name }) => name === claim.job);
    // It was removed from the configuration, or the daemon stops, after the entry was taken.
    if (job === undefined || until.aborted) return claim.work === null ? "ended" : "notBegun";
    const how: RunHow = {
      signal: until,
      takenOver: claim.takenOver,
      standAside: (fault) => standAside(fault, job, lost),
    };
    if (claim.work !== null) return performAsked(job, claim.work, how, lost.signal);
    if (claim.queue === "leavers") {
      // It may have been planned before the configuration switched it off.
      if (job.looksEveryMs !== null) await job.look(how);
      return "ended";
    }
    await fleet.beginTurn(claim.job, self.id);
    const failures = table?.jobs.find(({ name }) => name === claim.job)?.turn?.failures ?? 0;
    const end = await job.cycle({ ...how, failures });
    if (!lost.signal.aborted) standsAsideNoMore(claim.job);
    await fleet.endTurn(claim.job, self.id, end);
    return "ended";
  };
  const performAsked = async (
    job: ReturnType<typeof jobs>[number],
    id: string,
    how: RunHow,
    lost: AbortSignal,
  ): Promise<"ended" | "notBegun"> => {
    let work: TakenWork | null;
    try {
      work = await fleet.takeWork(id, self.id);
    } catch (error) {
      log.warn({ job: job.name, error: errorText(error) }, "work that was asked for could not be begun");
      return "notBegun";
    }
    if (work === null) return "ended";
    const refused = whyNot(work, job.digest);
    if (refused === null && (await job.asked(work, how)) === "stopped") {
      log.info(
        { job: job.name, work: work.kind },
        "work that was asked for is handed over to another daemon",
      );
      // A cycle begins anew, as if nobody had begun. Of anything else a part may be done.
      if (lost.aborted && work.kind === "cycle" && !work.begunBefore) await fleet.returnWork(id, self.id);
      return "notBegun";
    }
    // Nothing if its end is stored, as it is if nothing was wrong with the database meanwhile.
    await fleet.finishWork(
      id,
      { error: refused ?? "its end could not be stored: history shows what was done" },
      self.id,
    );
    return "ended";
  };
  /** Why work is not done here, in a sentence; `null` if it is. */
  const whyNot = (work: TakenWork, digest: string): string | null => {
    if (!isKnownWork(work)) {
      return `the daemon on ${self.host} has version ${self.version}, which does not know this kind of work (${work.kind}), so nothing was done: update that daemon, and ask again`;
    }
    const { configuration } = work.request;
    if (configuration !== undefined && configuration !== digest) {
      return `the daemons have another configuration of the job ${work.job} since this was asked for, so nothing was done: ask again`;
    }
    if (work.startedAt !== null && work.startedAt - work.askedAt > mostWaitMs) {
      return work.begunBefore
        ? "the daemon that had begun with this ended, and no other one has gone on within six hours of the request: history shows what was sent, ask again for what is left"
        : "no daemon has begun with this for six hours, so nothing was done: ask again";
    }
    return null;
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

  /** A daemon that stops ends its writes first. Jobs of which it does nothing need not wait for that. */
  const leaveIdleJobs = async (): Promise<void> => {
    const busy = new Set(busyJobs());
    if (busy.size === 0) return;
    try {
      await fleet.announce(
        self,
        served().filter(({ name }) => busy.has(name)),
      );
    } catch (error) {
      log.warn({ error: errorText(error) }, "the other daemons could not be told which jobs this one leaves");
    }
  };

  const onFault = (what: string) => (error: unknown, again: boolean) => {
    if (!again) log.warn({ error: errorText(error) }, `${what}; it is tried again`);
  };
  const ticks = repeat(tickMs, tick, onFault("the daemons' common schedule could not be read"), leastTickMs);
  const polls = repeat(pollMs, poll, onFault("the queue of jobs could not be read"));
  const heartbeats = repeat(
    silenceMs / 3,
    keep,
    onFault("the queue of jobs could not be told that this daemon lives"),
  );

  return {
    announce,
    reconfigured: () => {
      // Another credential may be accepted.
      refused.clear();
      configured += 1;
      ticks.soon();
    },
    start: () => {
      for (const one of [ticks, polls, heartbeats]) one.start();
    },
    waitsFor: (job) => waiting.get(job) ?? null,
    standsAside: (job) => {
      const isLeft = table?.jobs.some(({ name, inForce }) => name === job && inForce) !== true;
      return isLeft ? (refused.get(job) ?? null) : null;
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

/** The next moment of a job in intervals of this length, milliseconds since the epoch: between nothing and one interval away. */
function momentAfter(now: number, job: string, everyMs: number): number {
  const share = createHash("sha256").update(job).digest().readUInt32BE(0) / 2 ** 32;
  const moment = Math.floor(share * everyMs);
  return now + everyMs - ((((now - moment) % everyMs) + everyMs) % everyMs);
}

/** What people have asked for counts together, whichever level it has. */
function isLike(one: QueueName, other: QueueName): boolean {
  return one === other || (one.startsWith("asked") && other.startsWith("asked"));
}

interface Stranger {
  readonly job: string;
  readonly host: string;
  readonly identity: string;
}

/** Tells of a job that it waits, if another daemon has it for another tenant or Lattice. */
function asStranger(strangers: readonly Stranger[]): (job: ServedJob) => ServedJob {
  const found = new Map(strangers.map((stranger) => [stranger.job, stranger]));
  return (job) => {
    const stranger = found.get(job.name);
    if (stranger === undefined) return job;
    // A daemon of a version that does not know of strangers must not take this one for the owner of the job.
    return {
      ...job,
      identity: stranger.identity,
      aside: { kind: "stranger", reason: sentences(unlike(stranger)) },
    };
  };
}

function asideSentence(reason: string): string {
  return sentences(
    `Entra or Lattice refuses this daemon, so another one with the same configuration goes on with the job, and this one tries again within the hour: ${reason}`,
  );
}

function unlike(stranger: Stranger): string {
  return `the daemon on ${stranger.host} runs the job "${stranger.job}" for ${stranger.identity} on the same database, so this daemon waits, and takes the job over when that one has ended. If these are two installations, give the job another name (jobs), or set another state.url`;
}
