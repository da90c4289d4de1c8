import { parsePause } from "../../cycle/health/pause.ts";
import { parseQuarantine, probeDueAt, refusedAnother } from "../../cycle/health/quarantine.ts";
import { isAhead, nextDueAt } from "../../cycle/health/schedule.ts";
import type { JobTimes } from "../../domain/fleet.ts";
import type { NextFiring } from "../firing.ts";
import type { Schedule } from "../scheduler.ts";

/**
 * When the next cycle of a job is due, however many daemons run its cycles: counted from the last start, so that it stays even. A time
 * that was missed is caught up once. Times are milliseconds since the epoch, by the server's clock.
 * @param when `access`: this daemon's configuration and credentials (`Quarantine.access`); `knownSince`: the time since which this daemon
 * has the job. A job that was never run waits for the first time after it that its cron expression fires
 */
export function dueAt(
  job: JobTimes,
  schedule: Schedule,
  when: { readonly now: number; readonly knownSince: number; readonly access: string },
  nextFiring: NextFiring,
): number | null {
  const due = wantedAt(job, schedule, when, nextFiring);
  if (due === null) return null;
  const { now } = when;
  const quarantine = parseQuarantine(job.notes);
  const tried = refusedAnother(quarantine, when.access)
    ? onceCorrected(job, schedule, when, due)
    : Math.max(due, probeDueAt(quarantine, now));
  return Math.max(tried, parsePause(job.notes, now)?.until ?? 0);
}

/**
 * When a daemon tries whose credentials are not those that were refused. If no daemon has tried since it has the job, it tries at once: a
 * person may have given it other credentials to correct the fault. A cron expression keeps its times.
 */
function onceCorrected(
  { turn }: JobTimes,
  schedule: Schedule,
  { now, knownSince }: { readonly now: number; readonly knownSince: number },
  due: number,
): number {
  const isNew = turn !== null && turn.startedAt < knownSince && turn.againAt === null;
  return isNew && schedule.kind === "every" ? Math.min(due, now) : due;
}

function wantedAt(
  { turn, lastCycle }: JobTimes,
  schedule: Schedule,
  { now, knownSince }: { readonly now: number; readonly knownSince: number },
  nextFiring: NextFiring,
): number | null {
  const after = (startedAt: number): number | null => {
    if (schedule.kind === "every") return nextDueAt(startedAt, schedule.everyMs, now);
    return isAhead(startedAt, now) ? now : nextFiring(schedule, startedAt);
  };
  if (turn !== null) {
    // Its worker died, and its entry in the queue is gone.
    if (turn.endedAt === null) return now;
    const { againAt } = turn;
    const longestMs = schedule.kind === "every" ? schedule.everyMs : 0;
    // A retry that is further away than any dates from before the server's clock was set back.
    const isOld = againAt !== null && isAhead(againAt - longestMs, now);
    return againAt === null || isOld ? after(turn.startedAt) : againAt;
  }
  if (lastCycle?.ended === true) return after(lastCycle.startedAt);
  return schedule.kind === "every" ? now : nextFiring(schedule, Math.min(knownSince, now));
}
