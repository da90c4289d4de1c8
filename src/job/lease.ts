import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../domain/clock.ts";
import { LeaseHeldError } from "../domain/errors.ts";
import { heldBy } from "../domain/lease-held.ts";
import { timeText } from "../domain/sentence.ts";
import type { Fence } from "../domain/state/fence.ts";
import type { LeaseHolder } from "../domain/state/lease.ts";
import type { StateStore } from "../domain/state/store.ts";
import { hasEnded, identifyProcess } from "./process-identity.ts";

/** How long a lease lasts if it is not renewed. */
export const leaseTtlMs = 60_000;
const heartbeatMs = 15_000;
const pollMs = 500;
/** Three heartbeats: a holder that misses all of them has died. */
const silenceMs = 45_000;
/** A request of a killed run can still arrive. If its effect is looked up before, the request is sent a second time. */
const settleMs = 3_000;

export interface LeaseOptions {
  readonly signal: AbortSignal;
  /** How long a command waits for another run to end, milliseconds. A daemon does not wait, and leaves it out. */
  readonly waitMs?: number;
}

/**
 * Runs `action` while it holds the lease. The action's signal aborts if the lease is lost or if `signal` aborts; its commits
 * name the fence. The lease of a process that has certainly ended is taken over at once, any other one when it expires.
 * @throws LeaseHeldError
 */
export async function withLease<T>(
  store: StateStore,
  clock: Clock,
  options: LeaseOptions,
  action: (signal: AbortSignal, fence: Fence) => Promise<T>,
): Promise<T> {
  const owner = [hostname(), process.pid, randomUUID(), identifyProcess() ?? ""].join("/");
  const { tookOver } = await acquire(store, clock, owner, options);
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    store.renewLease(owner, clock.now(), leaseTtlMs).then(
      (kept) => {
        if (!kept) lost.abort(new LeaseHeldError("the lease was taken over by another run; this one stops"));
      },
      (error: unknown) => lost.abort(error),
    );
  }, heartbeatMs);
  try {
    const signal = AbortSignal.any([options.signal, lost.signal]);
    if (tookOver && (await store.openIntents()).length > 0) await clock.sleep(settleMs, signal);
    return await action(signal, { owner });
  } finally {
    clearInterval(heartbeat);
    await store.releaseLease(owner);
  }
}

async function acquire(
  store: StateStore,
  clock: Clock,
  owner: string,
  options: LeaseOptions,
): Promise<{ readonly tookOver: boolean }> {
  let watched: LeaseHolder | null = null;
  let silentForMs = 0;
  // Count the time slept: the clock can be set during the wait.
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const silent = watched !== null && silentForMs >= silenceMs ? watched : undefined;
    let answer = await store.acquireLease(owner, clock.now(), leaseTtlMs, silent);
    if (answer.acquired) return { tookOver: false };
    if (hasDied(answer.holder)) {
      answer = await store.acquireLease(owner, clock.now(), leaseTtlMs, answer.holder);
      if (answer.acquired) return { tookOver: true };
    }
    const { holder } = answer;
    // No lease is taken for this long: the clock was set back since, or the holder's clock is ahead of this one. The lease
    // could block for years, so only a heartbeat shows whether its holder still runs.
    const implausible = holder.expiresAt - clock.now() > 2 * leaseTtlMs;
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
