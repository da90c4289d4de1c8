import { retryDueAt } from "../cycle/health/schedule.ts";
import { ConfigurationError, errorText, HostUnavailableError, StateError } from "../domain/errors.ts";
import type { EntraSource } from "../entra/source.ts";
import type { Job, Notifier } from "../job/job.ts";
import type { LaneRun } from "../job/run-lane.ts";
import type { JobMetrics } from "../report/metrics.ts";
import type { Slot } from "./slot.ts";
import type { Conditions } from "./work.ts";

/** How a look for leavers ended, for the log and the metrics. */
export type LookEnd = LaneRun["kind"] | "failed";

/** Looks for leavers between two cycles of a job, when it is asked to. */
export interface LeaverLane {
  /** How often it looks, milliseconds; `null`: the configuration switches it off. */
  everyMs(): number | null;
  /** Looks once. It never throws. */
  look(under?: Conditions): Promise<LookEnd>;
  /** Failures in a row: an outage is logged once, and once that it is over. */
  failures(): number;
}

export interface LeaverLaneParts {
  /** The job in force. */
  readonly current: () => Job;
  readonly slot: Slot;
  readonly metrics: Pick<JobMetrics, "cycle" | "look">;
  readonly notifier: Notifier;
  /**
   * Starts a cycle of everybody at once: there are more leavers than the guard allows, and it holds them; or a person may have left
   * the scope, and it reads the scope.
   */
  readonly startCycle: () => Promise<unknown>;
  readonly signal: AbortSignal;
}

const laneModule = (): Promise<typeof import("../job/run-lane.ts")> => import("../job/run-lane.ts");

export function createLeaverLane(parts: LeaverLaneParts): LeaverLane {
  const { current, slot, metrics, notifier, signal } = parts;
  let failures = 0;
  let connected: { readonly job: Job; readonly source: EntraSource } | null = null;

  /** The connection is kept, so that it does not sign in each time. */
  const sourceOf = async (job: Job): Promise<EntraSource> => {
    if (connected?.job !== job) connected = { job, source: await job.source() };
    return connected.source;
  };
  const run = async (job: Job, under: Conditions): Promise<LaneRun> => {
    const { runLane } = await laneModule();
    return runLane(
      job,
      {
        dryRun: false,
        source: await sourceOf(job),
        alone: (work) => aloneIn(slot, work),
        ...under,
      },
      { notifier, onRecorded: metrics.cycle },
    );
  };
  /** Why a cycle of everybody should begin now; `null` if it can wait for its time. */
  const whyAtOnce = async (
    job: Job,
    ran: LaneRun,
    under: Conditions,
  ): Promise<"tooMany" | "leftScope" | null> => {
    if (ran.kind === "ran" && ran.tooMany) return "tooMany";
    // A look that rests leaves everything to the cycles. If something is under way, it may be the cycle that sees who has left the scope.
    if (ran.kind === "rested" || ran.kind === "busy" || slot.busy()) return null;
    const { scopeLeaversMayWait } = await laneModule();
    return (await scopeLeaversMayWait(job, await sourceOf(job), under.signal)) ? "leftScope" : null;
  };
  const sayFault = (job: Job, error: unknown): void => {
    const expected =
      error instanceof HostUnavailableError ||
      error instanceof ConfigurationError ||
      error instanceof StateError;
    const stack = expected || !(error instanceof Error) ? undefined : error.stack;
    const level = failures === 1 ? "warn" : "debug";
    job.log[level](
      { error: errorText(error), stack },
      "could not look for leavers between two cycles; it is tried again",
    );
  };

  return {
    everyMs: () => current().config.leavers.everyMs,
    failures: () => failures,
    look: async (under = { signal }) => {
      const job = current();
      try {
        const ran = await run(job, under);
        const atOnce = await whyAtOnce(job, ran, under);
        if (failures > 0) job.log.info({}, "leavers are looked for between two cycles again");
        failures = 0;
        metrics.look(atOnce ?? ran.kind);
        if (atOnce === "leftScope")
          job.log.info({}, "a person was removed from a group of the scope; a cycle begins now");
        if (atOnce !== null) await parts.startCycle();
        return ran.kind;
      } catch (error) {
        // It may have signed in with a credential that is no longer in force.
        connected = null;
        if (under.signal.aborted) return "busy";
        failures += 1;
        metrics.look("failed");
        sayFault(job, error);
        return "failed";
      }
    },
  };
}

/** Does `work` as the one thing that the job does in this process; `null` if something else is under way. */
function aloneIn<T>(slot: Slot, work: () => Promise<T>): Promise<T> | null {
  let result: Promise<T> | undefined;
  const taken = slot.take(async () => {
    result = work();
    await result;
  });
  if (taken === null || result === undefined) return null;
  // The caller sees the same error in `result`.
  taken.catch(() => {});
  return result;
}

/** When leavers are looked for next, by a daemon that is alone with its job. */
export interface LaneTimer {
  /** Milliseconds since the epoch; `null` if it is switched off, or not started. */
  nextAt(): number | null;
  start(): void;
  /** Call after another configuration has come in force. */
  reconfigured(): void;
  /** Looks no more; resolves when the look under way has ended. */
  stop(): Promise<void>;
}

/**
 * Lets a lane look again and again. The first look is somewhere within the first interval, so that many jobs do not look at the same
 * moment; after a failure it is soon, and later again at the regular interval.
 * @param random 0 up to 1
 */
export function createLaneTimer(lane: LeaverLane, now: () => number, random: () => number): LaneTimer {
  let state: "ready" | "started" | "stopped" = "ready";
  let timer: NodeJS.Timeout | undefined;
  let nextAt: number | null = null;
  let underWay: Promise<unknown> = Promise.resolve();

  const waitUntil = (time: number | null): void => {
    clearTimeout(timer);
    nextAt = state === "started" ? time : null;
    if (nextAt === null) return;
    timer = setTimeout(
      () => {
        underWay = lane.look().then(() => waitUntil(nextLookAt(lane, now())));
      },
      Math.max(0, nextAt - now()),
    );
  };
  const begin = (): void => {
    const everyMs = lane.everyMs();
    waitUntil(everyMs === null ? null : now() + Math.ceil(everyMs * random()));
  };
  return {
    nextAt: () => nextAt,
    start: () => {
      state = "started";
      begin();
    },
    reconfigured: () => {
      if (state === "started") begin();
    },
    stop: async () => {
      state = "stopped";
      clearTimeout(timer);
      nextAt = null;
      await underWay;
    },
  };
}

/** When a lane looks next after it has looked; `null` if it is switched off. Milliseconds since the epoch. */
function nextLookAt(lane: Pick<LeaverLane, "everyMs" | "failures">, now: number): number | null {
  const everyMs = lane.everyMs();
  if (everyMs === null) return null;
  const failures = lane.failures();
  return failures === 0 ? now + everyMs : retryDueAt(now, everyMs, failures);
}
