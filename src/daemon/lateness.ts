import { createFirings } from "./firing.ts";
import type { Schedule } from "./scheduler.ts";

/** Times of a cron expression are counted from this far back: a job with a yearly cycle is late after two years without one. */
const longestAgoMs = 2 * 366 * 86_400_000;

/**
 * `true` if the schedule asked for two more cycles since one ended: two intervals are over, or the cron expression has fired twice. So a
 * daemon that works on weekdays alone is not late on Sunday. Times are milliseconds since the epoch.
 */
export type IsLate = (schedule: Schedule, endedAt: number, now: number) => boolean;

export function createLateness(): IsLate {
  const nextFiring = createFirings(longestAgoMs);
  return (schedule, endedAt, now) => {
    if (schedule.kind === "every") return now - endedAt >= 2 * schedule.everyMs;
    const next = nextFiring(schedule, endedAt);
    const afterIt = next === null || next > now ? null : nextFiring(schedule, next);
    return afterIt !== null && afterIt <= now;
  };
}
