import { errorText } from "../../domain/errors.ts";
import type { FleetWorkers, ServedJob, Timetable, Worker } from "../../domain/fleet.ts";
import type { Logger } from "../../domain/logger.ts";
import { sentences } from "../../domain/sentence.ts";
import type { JobFault } from "../http/daemon-view.ts";

/** The jobs that this daemon leaves to others, and its announcements. */
export interface WorkerStanding {
  /** The jobs as they are configured now, as they are announced to the other daemons. */
  served(): readonly ServedJob[];
  /** Announces all jobs. If another daemon has one of them for another tenant, the other jobs still run. */
  announce(): Promise<void>;
  /** `true` if the newest configuration was announced. */
  isAnnounced(): boolean;
  /** The configuration has changed: another credential may be accepted. */
  reconfigured(): void;
  /** Tries the jobs again for which this daemon was refused, after some time. @param now by the server's clock */
  tryRefused(now: number): void;
  /**
   * Leaves a job to another daemon, because this one was refused.
   * @param now by the server's clock
   * @returns `false` if there is no other daemon to go on with it
   */
  leave(job: string, refusal: string, now: () => number): Promise<boolean>;
  /** A run of the job has ended without a refusal, or there was no other daemon to go on with it. */
  stay(job: string): void;
  /** `true` if any job waits for another daemon to end. */
  waits(): boolean;
  /** Why the job waits for another daemon to end; `null` if it does not. */
  waitsFor(job: string): JobFault | null;
  /** Why this daemon was refused for the job; `null` if it was not. */
  refusedFor(job: string): JobFault | null;
  /** Logs it once if others run jobs by a newer configuration. */
  sayOutdated(read: Timetable): void;
}

/** After this long a refused daemon tries again: Entra or Lattice may accept it without a new configuration, for example after a permission was given. */
const asideMs = 3_600_000;

export function createStanding({
  self,
  fleet,
  jobs,
  log,
}: {
  readonly self: Worker;
  readonly fleet: FleetWorkers;
  readonly jobs: () => readonly Pick<ServedJob, "name" | "digest" | "identity">[];
  readonly log: Pick<Logger, "info" | "warn">;
}): WorkerStanding {
  /** Counts the configurations of this daemon: the last one may not have been announced yet. */
  let configured = 0;
  let announced = -1;
  let outdated = "";
  /** Jobs that another daemon has for another tenant or Lattice. */
  let waiting: ReadonlyMap<string, JobFault> = new Map();
  /** Jobs for which this daemon's credential was refused, so that another one goes on. `until`: by the server's clock. */
  const refused = new Map<string, JobFault & { readonly until: number }>();

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
  return {
    served,
    announce: async () => {
      const now = configured;
      const all = served();
      const strangers = await fleet.announce(self, all);
      if (strangers.length === 0) announced = now;
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
    },
    isAnnounced: () => announced === configured,
    reconfigured: () => {
      refused.clear();
      configured += 1;
    },
    tryRefused: (now) => {
      for (const [job, { until }] of refused) {
        // Further away than that: the server's clock was set back.
        if (until > now && until <= now + asideMs) continue;
        refused.delete(job);
        configured += 1;
      }
    },
    leave: async (job, refusal, now) => {
      try {
        const reason = asideSentence(refusal);
        if (!(await fleet.standAside(job, self.id, reason))) return false;
        refused.set(job, { reason, since: Date.now(), until: now() + asideMs });
      } catch (error) {
        log.warn({ job, error: errorText(error) }, "the other daemons could not be asked to go on");
        return false;
      } finally {
        // An announcement of the same moment may have written something else: the next one says what is known here.
        configured += 1;
      }
      log.warn(
        { job, reason: refusal },
        "Entra or Lattice refuses this daemon: another one goes on with the job",
      );
      return true;
    },
    stay: (job) => {
      if (refused.delete(job)) configured += 1;
    },
    waits: () => waiting.size > 0,
    waitsFor: (job) => waiting.get(job) ?? null,
    refusedFor: (job) => refused.get(job) ?? null,
    sayOutdated: ({ jobs: times }) => {
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
    },
  };
}

interface Stranger {
  readonly job: string;
  readonly host: string;
  readonly identity: string;
}

/** Changes the announcement of each job that another daemon has for another tenant or Lattice: this daemon waits for the end of that one. */
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
