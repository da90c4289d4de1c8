import type { NextFiring } from "./firing.ts";
import type { Schedule } from "./scheduler.ts";

/**
 * `true` if the schedule asked for two more cycles since one ended: two intervals are over, or the cron expression has fired twice. So a
 * daemon that works on weekdays alone is not late on Sunday. Times are milliseconds since the epoch.
 */
export function isLate(schedule: Schedule, endedAt: number, now: number, nextFiring: NextFiring): boolean {
  if (schedule.kind === "every") return now - endedAt >= 2 * schedule.everyMs;
  const next = nextFiring(schedule, endedAt);
  const afterIt = next === null || next > now ? null : nextFiring(schedule, next);
  return afterIt !== null && afterIt <= now;
}
