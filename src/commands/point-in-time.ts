import { parseDuration } from "../config/duration.ts";

/** A moment, or a day: its first and its last millisecond since the epoch. */
export interface PointInTime {
  readonly first: number;
  readonly last: number;
}

const written =
  /^(?<date>\d{4}-\d{2}-\d{2})(?:[T ](?<time>\d{2}:\d{2})(?<seconds>:\d{2})?(?:\.\d{1,3})?(?<zone>Z|[+-]\d{2}:\d{2})?)?$/i;

/**
 * Reads how long ago (`7d`, `1h30m`), a day (`2026-01-31`) or a time (`2026-01-31T08:30`, optionally with seconds and a zone).
 * Without a zone it is UTC, as in everything that this program shows.
 * @returns `null` if the text is none of these, or not a day of the calendar
 */
export function parsePointInTime(text: string, now: number): PointInTime | null {
  const agoMs = parseDuration(text);
  if (agoMs !== null) return { first: now - agoMs, last: now - agoMs };
  const { date, time, zone } = written.exec(text)?.groups ?? {};
  if (date === undefined || !isDay(date)) return null;
  if (time === undefined) {
    const first = Date.parse(`${date}T00:00:00Z`);
    return { first, last: first + 86_399_999 };
  }
  const moment = Date.parse(`${text.replace(" ", "T")}${zone === undefined ? "Z" : ""}`.toUpperCase());
  return Number.isNaN(moment) ? null : { first: moment, last: moment };
}

function isDay(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}
