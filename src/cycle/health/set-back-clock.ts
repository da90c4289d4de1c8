import type { LeavingEvent } from "../../domain/plan.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import type { Writing } from "../ports/ports.ts";
import { pauseNoLaterThan } from "./sending-pause.ts";

const pageSize = 500;

/** Notes that are times of something that has happened. */
const pastTimes = [
  "watermarkAt",
  "targetListedAt",
  "targetReachedAt",
  "reconciledAt",
  "digestedAt",
  "expiryCheckedAt",
  "goodCycleAt",
] as const satisfies readonly (keyof Meta)[];

/**
 * Moves times that lie in the future to `now` (milliseconds since the epoch): they were written before the clock was set
 * back, and would otherwise delay retries and the full comparison, and fill the guard's window, until the clock is there again.
 */
export async function forgetTheFuture({ store, fence }: Writing, now: number): Promise<void> {
  for (let after = ""; ; ) {
    const page = await store.failedAfter(now, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) break;
    await store.commit(foldFailedInFuture(page, now), fence);
    after = last.objectId;
  }
  for (let after = ""; ; ) {
    const page = await store.leavingAfter(now, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) break;
    await store.commit(foldLeavingInFuture(page, now), fence);
    after = last.objectId;
  }
  const meta = await store.meta();
  const notes = { ...notesNoLaterThan(meta, now), ...pauseNoLaterThan(meta, now) };
  await store.commit({ noLaterThan: now, notes }, fence);
}

/** A retry keeps its delay. */
function foldFailedInFuture(failed: readonly RetryRecord[], now: number): StateChange {
  return {
    retries: {
      put: failed.map((retry) => ({
        ...retry,
        firstFailedAt: Math.min(retry.firstFailedAt, now),
        lastFailedAt: now,
        nextTryAt: retry.nextTryAt - (retry.lastFailedAt - now),
      })),
    },
  };
}

/** The delay of a leaver begins again: when it is over is worked out again as well. */
function foldLeavingInFuture(
  leaving: readonly { readonly objectId: string; readonly events: ReadonlyMap<LeavingEvent, number> }[],
  now: number,
): StateChange {
  return {
    leaving: leaving.map(({ objectId, events }) => ({
      objectId,
      events: new Map([...events].map(([event, since]) => [event, Math.min(since, now)])),
    })),
    lookAgain: { objectIds: leaving.map(({ objectId }) => objectId), at: now },
  };
}

function notesNoLaterThan(meta: Partial<Meta>, now: number): Partial<Meta> {
  return Object.fromEntries(
    pastTimes.filter((key) => Number(meta[key]) > now).map((key) => [key, String(now)]),
  );
}
