import type { StandAside } from "../../cycle/health/quarantine.ts";
import type { ConfigurationError } from "../../domain/errors.ts";
import { errorText } from "../../domain/errors.ts";
import type { FleetTurns, FleetWork, ServedJob, TakenWork, TurnEnd, Worker } from "../../domain/fleet.ts";
import type { Logger } from "../../domain/logger.ts";
import type { Schedule } from "../scheduler.ts";
import type { Claim } from "./queue.ts";
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
  /** Another worker has begun it before, and died. */
  readonly takenOver: boolean;
  /**
   * If this daemon's credential was refused and another daemon with the same configuration lives, that one goes on with the job, and this run
   * ends with its signal. Any other fault of the configuration concerns all daemons.
   */
  readonly standAside: StandAside;
}

/** A job that this daemon can run, and its announcement to the other daemons. */
export type WorkerJob = RunnableJob & Pick<ServedJob, "digest" | "identity">;

/** Work that no daemon has begun for this long is not done: the person who asked for it no longer expects it. */
const mostWaitMs = 6 * 3_600_000;

export interface PerformParts {
  readonly self: Worker;
  readonly fleet: FleetTurns & FleetWork;
  readonly jobs: () => readonly WorkerJob[];
  readonly log: Pick<Logger, "info" | "warn">;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
  /** How often in a row the job could not do its work before. */
  readonly failuresOf: (job: string) => number;
  /** See `RunHow.standAside`. @param stop ends the run */
  readonly standAside: (
    fault: ConfigurationError,
    job: RunnableJob,
    stop: AbortController,
  ) => Promise<boolean>;
  /** A cycle of the job has ended without a refusal, or there was no other daemon to go on with it. */
  readonly stay: (job: string) => void;
}

/** Carries out what this daemon has taken from the queue. */
export function performer(
  parts: PerformParts,
): (claim: Claim, lost: AbortController) => Promise<"ended" | "notBegun"> {
  const { self, fleet, jobs, signal, failuresOf, standAside, stay } = parts;
  // `notBegun`: another worker is to take the entry.
  return async (claim, lost) => {
    const until = AbortSignal.any([signal, lost.signal]);
    const job = jobs().find(({ name }) => name === claim.job);
    // It was removed from the configuration, or the daemon stops, after the entry was taken.
    if (job === undefined || until.aborted) return claim.work === null ? "ended" : "notBegun";
    const how: RunHow = {
      signal: until,
      takenOver: claim.takenOver,
      standAside: (fault) => standAside(fault, job, lost),
    };
    if (claim.work !== null) return performAsked(parts, job, { id: claim.work, how, lost: lost.signal });
    if (claim.queue === "leavers") {
      // It may have been planned before the configuration switched it off.
      if (job.looksEveryMs !== null) await job.look(how);
      return "ended";
    }
    await fleet.beginTurn(claim.job, self.id);
    const end = await job.cycle({ ...how, failures: failuresOf(claim.job) });
    if (!lost.signal.aborted) stay(claim.job);
    await fleet.endTurn(claim.job, self.id, end);
    return "ended";
  };
}

/** Does what a person has asked for, if this daemon still may. */
async function performAsked(
  { self, fleet, log }: Pick<PerformParts, "self" | "fleet" | "log">,
  job: WorkerJob,
  { id, how, lost }: { readonly id: string; readonly how: RunHow; readonly lost: AbortSignal },
): Promise<"ended" | "notBegun"> {
  let work: TakenWork | null;
  try {
    work = await fleet.takeWork(id, self.id);
  } catch (error) {
    log.warn({ job: job.name, error: errorText(error) }, "work that was asked for could not be begun");
    return "notBegun";
  }
  if (work === null) return "ended";
  const refused = whyNot(work, job.digest, self);
  if (refused === null && (await job.asked(work, how)) === "stopped") {
    log.info({ job: job.name, work: work.kind }, "work that was asked for is handed over to another daemon");
    // A cycle can begin again from its start. Of any other work, a part may have been done.
    if (lost.aborted && work.kind === "cycle" && !work.begunBefore) await fleet.returnWork(id, self.id);
    return "notBegun";
  }
  // Does nothing if the end is stored already. It is not stored only if the database had a fault in the meantime.
  await fleet.finishWork(
    id,
    { error: refused ?? "its end could not be stored: history shows what was done" },
    self.id,
  );
  return "ended";
}

/** Why work is not done here, in a sentence; `null` if it is. */
function whyNot(work: TakenWork, digest: string, self: Worker): string | null {
  if (!isKnownWork(work)) {
    return `the daemon on ${self.host} has version ${self.version}, which does not know this kind of work (${work.kind}), so nothing was done: update that daemon, and ask again`;
  }
  const { configuration } = work.request;
  if (configuration !== undefined && configuration !== digest) {
    return `the daemons have another configuration of the job ${work.job} since this was asked for, so nothing was done: ask again`;
  }
  if (work.startedAt !== null && work.startedAt - work.askedAt > mostWaitMs) {
    return work.begunBefore
      ? "the daemon that began this ended, and no other one went on within six hours of the request: history shows what was sent, ask again for what is left"
      : "no daemon began this within six hours, so nothing was done: ask again";
  }
  return null;
}
