import { laneRest } from "../cycle/health/lane-rest.ts";
import type { StandAside } from "../cycle/health/quarantine.ts";
import { type LaneResult, parseLeaversDue, runLeaverLane } from "../cycle/leavers/leaver-lane.ts";
import { mayHaveLeftScope } from "../cycle/leavers/scope-leavers.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  LeaseHeldError,
  WatermarkExpiredError,
} from "../domain/errors.ts";
import type { StateEvent } from "../domain/event.ts";
import type { Fence } from "../domain/state/fence.ts";
import type { Meta } from "../domain/state/meta.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { EntraSource } from "../entra/source.ts";
import { accessDigest } from "./configuration-digest.ts";
import { isTakenElsewhere, refuseOtherCompanies } from "./fleet-facts.ts";
import type { Job, RunRequest, Watchers } from "./job.ts";
import { notifyAtTheEnd } from "./notifying.ts";
import { onBothEnds, recorded } from "./run-cycle.ts";
import { sayEvent } from "./say-event.ts";
import { onScratch, underLease } from "./under-lease.ts";

/** The result of a look for leavers between two cycles. */
export type LaneRun =
  | LaneResult
  /** Entra has no changes: nothing was written. */
  | { readonly kind: "noNews" }
  /** Another run of the job is under way. `held`: it has the lease, and who it is. */
  | { readonly kind: "busy"; readonly held?: LeaseHeldError };

/** A look for leavers. */
export interface LaneRequest extends Pick<RunRequest, "dryRun" | "signal" | "waitMs" | "standAside"> {
  /** A connection to Entra that is kept, so that it does not sign in again each time. Default: a new one. */
  readonly source?: EntraSource | undefined;
  /**
   * Does the part that takes the lease, unless other work of this process is under way: then it returns `null`, and the look ends as `busy`.
   * Default: the part is always done.
   */
  readonly alone?: (<T>(work: () => Promise<T>) => Promise<T> | null) | undefined;
}

/**
 * Looks for people who were disabled or deleted since the last read of Entra, and deactivates their accounts (`runLeaverLane`). If
 * Entra has no changes, that is one request, without the lease and without a write. A fault is noted as a cycle notes it:
 * a quarantine, or a pause that Entra or Lattice asks for. While one of them lasts, a look does nothing.
 * @throws ConfigurationError, HostUnavailableError, InterruptedError, StateError; UsageError if daemons have the job for other companies
 */
export async function runLane(job: Job, request: LaneRequest, watchers: Watchers = {}): Promise<LaneRun> {
  const source = request.source ?? (await job.source());
  if (request.dryRun) return dryLane(job, { ...request, source }, watchers);
  if (request.standAside === undefined) await refuseOtherCompanies(job);
  const store = await job.state();
  const meta = await store.meta();
  const rest = laneRest(meta, job.settings, job.clock.now());
  if (rest !== null) return { kind: "rested", rest };
  const notifier = watchers.notifier ?? notifyAtTheEnd(job, store, { metrics: false });
  const { alone = (work) => work(), waitMs, signal } = request;
  let ran = false;
  let good = false;
  try {
    const news = await hasNews(source, meta, signal);
    if (news instanceof WatermarkExpiredError) return { kind: "rested", rest: "watermarkExpired" };
    if (news === false) return { kind: "noNews" };
    const looked = alone(() =>
      underLease(job, store, { signal, waitMs }, async ({ signal: until, ...leased }) => {
        ran = true;
        const run = { ...leased, signal: until, full: false, dryRun: false, store, source };
        const standAside = request.standAside ?? (() => isTakenElsewhere(job));
        return noting(job, { ...run, standAside }, async (onEvent) => {
          // `noting` notes the fault and throws it again.
          if (news !== true) throw news;
          return recorded(store, watchers, () =>
            onBothEnds(job, { ...run, onEvent }, watchers, (ports) => runLeaverLane(ports, run)),
          );
        });
      }),
    );
    if (looked === null) return { kind: "busy" };
    const result = await looked;
    if (result.kind === "ran") await watchers.ended?.({ ...nothingDecided, result: result.result }, store);
    good = true;
    return result;
  } catch (error) {
    if (error instanceof LeaseHeldError && !ran) return { kind: "busy", held: error };
    throw error;
  } finally {
    if (ran) await notifier.ended({ ping: "none", ran, good }, signal);
  }
}

/**
 * Whether a person may have left the scope since the last cycle, so that the next one should not wait (`mayHaveLeftScope`).
 * One request, without the lease and without a write.
 * @throws ConfigurationError, HostUnavailableError, InterruptedError, StateError
 */
export async function scopeLeaversMayWait(
  job: Job,
  source: EntraSource,
  signal: AbortSignal,
): Promise<boolean> {
  return mayHaveLeftScope({ source, store: await job.state(), settings: job.settings }, signal);
}

const nothingDecided = { decided: { released: [], rejected: [], undone: [] }, changedSinceHeld: [] } as const;

async function dryLane(
  job: Job,
  { signal, source }: LaneRequest & { readonly source: EntraSource },
  watchers: Watchers,
): Promise<LaneRun> {
  return onScratch(job, async (scratch) => {
    const run = { dryRun: true, full: false, fence: "private", signal } as const;
    const result = await onBothEnds(
      job,
      { ...run, store: scratch, source, onEvent: () => {} },
      watchers,
      (ports) => runLeaverLane(ports, run),
    );
    if (result.kind === "ran") await watchers.ended?.({ ...nothingDecided, result: result.result }, scratch);
    return result;
  });
}

/**
 * Whether Entra shows any change since the watermark, or people of an earlier look are still due.
 * An expired watermark, and a fault that must be noted under the lease, are returned instead of thrown.
 * @throws HostUnavailableError, InterruptedError
 */
async function hasNews(
  source: EntraSource,
  meta: Partial<Meta>,
  signal: AbortSignal,
): Promise<boolean | ConfigurationError | HostUnavailableError | WatermarkExpiredError> {
  if (parseLeaversDue(meta).length > 0) return true;
  const pages = source.readChanges(meta.watermark ?? "", signal);
  try {
    for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
      if (page.value.length > 0) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof WatermarkExpiredError || error instanceof ConfigurationError) return error;
    if (error instanceof HostUnavailableError && error.retryAt !== undefined) return error;
    throw error;
  } finally {
    await pages.return({ watermark: "" });
  }
}

interface NotingIn {
  readonly store: StateStore;
  readonly fence: Fence;
  readonly standAside: StandAside;
}

/** Notes a fault of the configuration as a quarantine, and remembers a pause that is asked for. */
async function noting<T>(
  job: Job,
  { store, fence, standAside }: NotingIn,
  work: (onEvent: (event: StateEvent) => void) => Promise<T>,
): Promise<T> {
  const [{ withQuarantineStarted }, { withPause }] = await Promise.all([
    import("../cycle/health/quarantine.ts"),
    import("../cycle/health/pause.ts"),
  ]);
  const { clock, settings, log } = job;
  const onEvent = (event: StateEvent): void => sayEvent(log, event);
  const ports = { store, fence, clock, settings, onEvent };
  return withQuarantineStarted(ports, () => withPause(ports, () => work(onEvent)), {
    standAside,
    access: accessDigest(job),
  });
}
