import { createTask } from "node-cron";
import type { NextFiring } from "./due.ts";

const mostKept = 2_000;

/**
 * When cron expressions fire. The answer for a start is found when it is first asked for, soon after that start, and kept: a time at
 * which the expression fired during the cycle is still to come then, so that it is caught up.
 */
export function createFirings(): NextFiring {
  const kept = new Map<string, number | null>();
  return (schedule, startedAt) => {
    const key = JSON.stringify([schedule.cron, schedule.timezone, startedAt]);
    const known = startedAt === null ? undefined : kept.get(key);
    if (known !== undefined) return known;
    const at = nextRun(schedule.cron, schedule.timezone);
    if (startedAt !== null) {
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, at);
    }
    return at;
  };
}

function nextRun(cron: string, timezone: string): number | null {
  const task = createTask(cron, () => {}, { timezone });
  try {
    return task.getNextRuns(1)[0]?.getTime() ?? null;
  } finally {
    void task.destroy();
  }
}
