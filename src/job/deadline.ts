import { createTask } from "node-cron";
import type { Config } from "../config/schema.ts";

/** The time that the last of these cycles may take. */
const graceMs = 10 * 60_000;

/**
 * The time at which this many cycles after `from` were due and had time to end, milliseconds since the epoch.
 * @param from now: a cron expression is always counted from the present
 */
export function silenceDeadline(schedule: Config["schedule"], intervals: number, from: number): number {
  if (schedule.kind === "every") return from + intervals * schedule.everyMs + graceMs;
  const task = createTask(schedule.cron, () => {}, { timezone: schedule.timezone });
  try {
    const last = task.getNextRuns(intervals).at(-1);
    return (last?.getTime() ?? from) + graceMs;
  } finally {
    void task.destroy();
  }
}
