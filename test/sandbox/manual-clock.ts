import type { Clock } from "../../src/domain/clock.ts";

/** A clock that stands still until it is advanced. */
export function createManualClock(
  start = Date.UTC(2026, 0, 5, 9),
): Clock & { advance(milliseconds: number): void } {
  let now = start;
  return {
    now: () => now,
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}
