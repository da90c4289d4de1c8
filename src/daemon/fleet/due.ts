import { parsePause } from "../../cycle/health/pause.ts";
import { parseQuarantine, probeDueAt } from "../../cycle/health/quarantine.ts";
import { nextDueAt } from "../../cycle/health/schedule.ts";
import type { JobTimes } from "../../domain/fleet.ts";
import type { Schedule } from "../scheduler.ts";

/**
 * The first time after a start at which a cron expression fires, milliseconds since the epoch; `null` if it does so no more.
 * @param startedAt `null`: after now
 */
export type NextFiring = (
  schedule: Extract<Schedule, { kind: "cron" }>,
  startedAt: number | null,
) => number | null;

/**
 * When the next cycle of a job is due, however many daemons run its cycles: counted from the last start, so that it stays even. A time
 * that was missed is caught up once. Times are milliseconds since the epoch, by the server's clock.
 */
export function dueAt(job: JobTimes, schedule: Schedule, now: number, nextFiring: NextFiring): number | null {
  const due = wantedAt(job, schedule, now, nextFiring);
  if (due === null) return null;
  const { notes } = job;
  return Math.max(due, probeDueAt(parseQuarantine(notes), now), parsePause(notes, now)?.until ?? 0);
}

function wantedAt(
  { turn, lastCycle }: JobTimes,
  schedule: Schedule,
  now: number,
  nextFiring: NextFiring,
): number | null {
  const after = (startedAt: number): number | null =>
    schedule.kind === "every" ? nextDueAt(startedAt, schedule.everyMs, now) : nextFiring(schedule, startedAt);
  if (turn !== null) {
    // Its worker died, and its entry in the queue is gone.
    if (turn.endedAt === null) return now;
    return turn.againAt ?? after(turn.startedAt);
  }
  if (lastCycle?.ended === true) return after(lastCycle.startedAt);
  return schedule.kind === "every" ? now : nextFiring(schedule, null);
}
