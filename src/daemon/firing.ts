import { createTask, parse } from "node-cron";
import type { Schedule } from "./scheduler.ts";

/** The first time after a moment at which a cron expression fires, milliseconds since the epoch; `null` if it never fires again. */
export type NextFiring = (schedule: Extract<Schedule, { kind: "cron" }>, after: number) => number | null;

const mostKept = 2_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** The offsets of time zones are multiples of this, so the minute modulo this is the same in each of them. */
const offsetMinutes = 15;
/** More firings than there can be in the time by which this machine's clock is behind the server's. */
const mostRuns = 4_096;

/**
 * When cron expressions fire. The answer depends on the time that is asked for alone: not on when it is asked, nor on this machine's clock,
 * which may differ from the server's.
 * @param longestAgoMs a time that is past is looked for up to this far back. Default: far enough for a monthly one
 */
export function createFirings(longestAgoMs = 32 * dayMs): NextFiring {
  const kept = new Map<string, number | null>();
  return ({ cron, timezone }, after) => {
    const key = JSON.stringify([cron, timezone, after]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const at = firstFiring(cron, timezone, after, longestAgoMs);
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, at);
    return at;
  };
}

function firstFiring(cron: string, timezone: string, after: number, longestAgoMs: number): number | null {
  const task = createTask(cron, () => {}, { timezone });
  try {
    // node-cron knows the times that follow now. Times that are past by this machine's clock are looked for before.
    const now = Date.now();
    const fires = (date: Date): boolean => task.match(date) && !comesAgain(cron, timezone, date);
    const past = firstMatch(cron, fires, Math.max(after, now - longestAgoMs), now);
    if (past !== null) return past;
    for (let count = 1; count <= mostRuns; count *= 4) {
      const found = task.getNextRuns(count).find((date) => date.getTime() > after);
      if (found !== undefined) return found.getTime();
    }
    return null;
  } finally {
    void task.destroy();
  }
}

/** The times by which clocks are set back at the end of summer time, milliseconds. */
const setBackMs = [60 * minuteMs, 30 * minuteMs];

/**
 * `true` if the clock of a time zone shows the same time once more later, because summer time ends. A cycle at certain hours then runs only
 * at the second of the two, as with node-cron. A cycle of every hour runs at both.
 */
function comesAgain(cron: string, timezone: string, date: Date): boolean {
  if (parse(cron).hour.length === 24) return false;
  const { format } = new Intl.DateTimeFormat("en", {
    timeZone: timezone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  return setBackMs.some((ms) => format(date.getTime() + ms) === format(date));
}

/** The first time after `after`, and not after `until`, at which an expression fires; `null` if there is none. */
function firstMatch(
  cron: string,
  match: (date: Date) => boolean,
  after: number,
  until: number,
): number | null {
  const { second: seconds, minute: minutes } = parse(cron);
  const wanted = new Set(minutes.map((minute) => minute % offsetMinutes));
  for (let at = Math.floor(after / minuteMs) * minuteMs; at <= until; at += minuteMs) {
    if (!wanted.has((at / minuteMs) % offsetMinutes)) continue;
    for (const second of seconds) {
      const time = at + second * 1_000;
      if (time > after && time <= until && match(new Date(time))) return time;
    }
  }
  return null;
}
