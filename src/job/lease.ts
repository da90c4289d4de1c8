import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { formatDuration } from "../config/duration.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../domain/clock.ts";
import { LeaseHeldError, UsageError } from "../domain/errors.ts";
import { heldBy } from "../domain/lease-held.ts";
import type { SendingRight } from "../domain/sending-right.ts";
import { timeText } from "../domain/sentence.ts";
import type { Fence } from "../domain/state/fence.ts";
import type { LeaseHolder } from "../domain/state/lease.ts";
import type { StateStore } from "../domain/state/store.ts";
import { hasEnded, identifyProcess } from "./process-identity.ts";

/** How long a lease lasts if it is not renewed and nothing else is configured. */
export const leaseTtlMs = 60_000;
const longestHeartbeatMs = 15_000;
const pollMs = 500;
/** A request of a killed run can still arrive. If its effect is looked up before, the request is sent a second time. */
const settleMs = 3_000;

/** The part of a lease that is left for renewing it, beyond the longest request. */
const marginMs = 30_000;
const leastMarginMs = 3_000;

/**
 * How long the lease of a job lasts: it outlives a request that was sent just before it was to be renewed.
 * @throws UsageError if it is configured shorter than that
 */
export function leaseMsOf({ lattice, workers }: Pick<Config, "lattice" | "workers">): number {
  const { timeoutMs } = lattice;
  const { leaseMs = Math.max(leaseTtlMs, timeoutMs + marginMs) } = workers;
  if (leaseMs >= timeoutMs + leastMarginMs) return leaseMs;
  throw new UsageError(
    `workers.lease (${formatDuration(leaseMs)}) must be at least ${formatDuration(leastMarginMs)} longer than lattice.timeout (${formatDuration(timeoutMs)}): otherwise a request could still be under way when another run has the lease`,
  );
}

/** The methods of a store that taking a lease needs. */
export type LeasedStore = Pick<StateStore, "acquireLease" | "renewLease" | "releaseLease" | "openIntents">;

export interface LeaseOptions {
  readonly signal: AbortSignal;
  /** How long a command waits for another run to end, milliseconds. A daemon does not wait, and leaves it out. */
  readonly waitMs?: number;
  /** How long the lease lasts if it is not renewed, milliseconds. Default 60,000. */
  readonly ttlMs?: number;
}

/** A run that has the lease. */
export interface Leased {
  /** Aborts if the lease is lost, or if the run is to end. */
  readonly signal: AbortSignal;
  /** The commits of the run name it. */
  readonly fence: Fence;
  /** Asked before each request that writes. */
  readonly right: SendingRight;
}

/**
 * Runs `action` while it holds the lease. The lease of a process that has certainly ended is taken over at once, any other one when
 * it expires.
 * @throws LeaseHeldError
 */
export async function withLease<T>(
  store: LeasedStore,
  clock: Clock,
  options: LeaseOptions,
  action: (leased: Leased) => Promise<T>,
): Promise<T> {
  const { ttlMs = leaseTtlMs } = options;
  const owner = [hostname(), process.pid, randomUUID(), identifyProcess() ?? ""].join("/");
  const { tookOver, takenAt } = await acquire(store, clock, owner, { ...options, ttlMs });
  const lost = new AbortController();
  const { right, renew } = createRight({ store, clock, owner, ttlMs, takenAt });
  const ensure = async (forMs: number): Promise<void> => {
    try {
      lost.signal.throwIfAborted();
      await right.ensure(forMs);
    } catch (error) {
      lost.abort(error);
      throw error;
    }
  };
  const heartbeat = setInterval(
    () => {
      renew().catch((error: unknown) => lost.abort(error));
    },
    Math.min(longestHeartbeatMs, ttlMs / 4),
  );
  try {
    const signal = AbortSignal.any([options.signal, lost.signal]);
    if (tookOver && (await store.openIntents()).length > 0) await clock.sleep(settleMs, signal);
    return await action({ signal, fence: { owner }, right: { ...right, ensure } });
  } finally {
    clearInterval(heartbeat);
    // If this fails, its error comes instead of the run's own, which may say that everything is recorded.
    await store.releaseLease(owner);
  }
}

/** A moment by both clocks: one may be set, and the other may stand still while the machine sleeps. */
interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

function momentOf(clock: Clock): Moment {
  return { wall: clock.now(), monotonic: performance.now() };
}

/** The time since `begun`, by the clock that has gone further. */
function elapsedMs(clock: Clock, begun: Moment): number {
  const now = momentOf(clock);
  return Math.max(now.wall - begun.wall, now.monotonic - begun.monotonic);
}

/** @param lease `takenAt`: the moment before the lease was asked for */
function createRight(lease: {
  readonly store: LeasedStore;
  readonly clock: Clock;
  readonly owner: string;
  readonly ttlMs: number;
  readonly takenAt: Moment;
}): { readonly right: SendingRight; renew(): Promise<void> } {
  const { store, clock, owner, ttlMs } = lease;
  // It lasts from this moment on, or from a later one: the answer takes time.
  let renewedAt = lease.takenAt;
  let underWay: Promise<void> | null = null;
  const renewOnce = async (): Promise<void> => {
    const begun = momentOf(clock);
    if (!(await store.renewLease(owner, begun.wall, ttlMs))) {
      throw new LeaseHeldError("the lease was taken over by another run; this one stops");
    }
    renewedAt = begun;
  };
  const renew = (): Promise<void> => {
    underWay ??= renewOnce().finally(() => {
      underWay = null;
    });
    return underWay;
  };
  const lasts = (forMs: number): boolean => elapsedMs(clock, renewedAt) + forMs < ttlMs;
  return {
    renew,
    right: {
      lasts,
      ensure: async (forMs) => {
        // The answer may have come late as well, or one that was asked for before the process was stopped.
        for (let attempt = 0; !lasts(forMs); attempt += 1) {
          if (attempt === mostRenewals) throw new LeaseHeldError(tooSlow);
          await renew();
        }
      },
    },
  };
}

const mostRenewals = 3;
const tooSlow =
  "the lease was renewed too slowly to send anything under it: this run stops, and the next one goes on; check that the state database answers quickly";

async function acquire(
  store: LeasedStore,
  clock: Clock,
  owner: string,
  options: LeaseOptions & { readonly ttlMs: number },
): Promise<{ readonly tookOver: boolean; readonly takenAt: Moment }> {
  const { ttlMs } = options;
  let watched: LeaseHolder | null = null;
  let silentForMs = 0;
  // Count the time slept: the clock can be set during the wait.
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    // A holder that was silent for as long as a lease lasts sends nothing more.
    const silent = watched !== null && silentForMs >= ttlMs ? watched : undefined;
    let takenAt = momentOf(clock);
    let answer = await store.acquireLease(owner, takenAt.wall, ttlMs, silent);
    if (answer.acquired) return { tookOver: false, takenAt };
    if (hasDied(answer.holder)) {
      takenAt = momentOf(clock);
      answer = await store.acquireLease(owner, takenAt.wall, ttlMs, answer.holder);
      if (answer.acquired) return { tookOver: true, takenAt };
    }
    const { holder } = answer;
    // No lease is taken for this long: the clock was set back since, or the holder's clock is ahead of this one. The lease
    // could block for years, so only a heartbeat shows whether its holder still runs.
    const implausible = holder.expiresAt - clock.now() > 2 * ttlMs;
    const renewed = watched?.owner === holder.owner && watched.expiresAt !== holder.expiresAt;
    silentForMs = watched?.expiresAt === holder.expiresAt ? silentForMs + pollMs : 0;
    watched = implausible ? holder : null;
    if ((!implausible || renewed) && waitedMs >= (options.waitMs ?? 0)) {
      throw new LeaseHeldError(held(holder, { mayWait: options.waitMs !== undefined }));
    }
    await clock.sleep(pollMs, options.signal);
  }
}

/** Host names are not unique, but two different names are two machines or containers. */
export function hasDied({ owner }: LeaseHolder): boolean {
  const [host, , , identity = ""] = owner.split("/");
  return host === hostname() && hasEnded(identity);
}

function held(holder: LeaseHolder, { mayWait }: { readonly mayWait: boolean }): string {
  const advice = mayWait ? "wait for it to end, or use --wait SECONDS" : "nothing was done";
  return `${heldBy(holder)}: ${advice}. If that run has died, its lease expires at ${timeText(holder.expiresAt)}`;
}
