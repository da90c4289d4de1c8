import { createTask } from "node-cron";
import type { Config } from "../config/schema.ts";

/** A cycle needs its time too. */
const graceMs = 10 * 60_000;

/** When so many cycles were due after `from` and had time to end, milliseconds since the epoch. */
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
