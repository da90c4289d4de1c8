import type { Clock } from "../../src/domain/clock.ts";

/** A clock on which waiting takes no time but counts: `sleep` moves `now` on as soon as all else has had its turn. */
export interface VirtualClock extends Clock {
  /** Each `sleep`, in milliseconds, in order. */
  readonly sleeps: readonly number[];
  advance(milliseconds: number): void;
}

export function createVirtualClock(start = Date.UTC(2026, 0, 5, 9)): VirtualClock {
  let now = start;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      sleeps.push(milliseconds);
      // Whole milliseconds, as the system's clock counts.
      const until = now + Math.ceil(milliseconds);
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      now = Math.max(now, until);
    },
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}
