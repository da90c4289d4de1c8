import { isNoDate, toText, type Value } from "./value.ts";

/** The time in which a clause holds, without its end; milliseconds since the epoch, `null` for no bound. */
export interface Period {
  readonly from: number | null;
  readonly until: number | null;
}

/** The time in which a clause on this date holds; `null` if the value is not a date. */
export type Dated = (value: Value) => Period | null;

const dayMs = 86_400_000;

interface DateOperator {
  /** Takes a number of days. */
  readonly days: boolean;
  readonly period: (date: Bounds, days: number) => Period;
}

/** The beginning and the end of a date: different for a whole day, the same for a moment. */
interface Bounds {
  readonly start: (offsetDays: number) => number;
  readonly end: (offsetDays: number) => number;
}

/** Operators that Entra does not have. A whole day counts as reached when it begins. */
export const dateOperators: { readonly [name: string]: DateOperator } = {
  "IN THE PAST": { days: false, period: ({ start }) => ({ from: start(0), until: null }) },
  "IN THE FUTURE": { days: false, period: ({ start }) => ({ from: null, until: start(0) }) },
  "WITHIN DAYS": { days: true, period: ({ start, end }, days) => ({ from: start(-days), until: end(days) }) },
  "UP TO DAYS AHEAD": { days: true, period: ({ start }, days) => ({ from: start(-days), until: null }) },
  "UP TO DAYS AGO": { days: true, period: ({ end }, days) => ({ from: null, until: end(days) }) },
};

/**
 * @param name one of `dateOperators`
 * @param timeZone IANA name; decides when a day begins
 */
export function datedTest(name: string, days: number, timeZone: string): Dated {
  const operator = dateOperators[name];
  const startOfDay = daysIn(timeZone);
  return (value) => {
    const date = dateOf(value);
    if (date === null || operator === undefined) return null;
    const { at, wholeDay } = date;
    const shifted = (offsetDays: number): number => at + offsetDays * dayMs;
    return operator.period(
      wholeDay
        ? {
            start: (offsetDays) => startOfDay(shifted(offsetDays)),
            end: (offsetDays) => startOfDay(shifted(offsetDays + 1)),
          }
        : { start: shifted, end: shifted },
      days,
    );
  };
}

export function holdsAt({ from, until }: Period, now: number): boolean {
  return (from === null || now >= from) && (until === null || now < until);
}

/** The next moment at which the period begins or ends; `null` if both are over. */
export function nextChange({ from, until }: Period, now: number): number | null {
  if (from !== null && now < from) return from;
  return until !== null && now < until ? until : null;
}

/**
 * A date as Graph and on-premises directories write it. Graph writes a day without a time (such as a hire date) as midnight
 * in UTC: it means that day in every time zone. A date without an offset counts as UTC.
 */
function dateOf(value: Value): { readonly at: number; readonly wholeDay: boolean } | null {
  const text = typeof value === "string" ? value.trim() : toText(value);
  if (isNoDate(text)) return null;
  const general = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/.exec(text);
  const written =
    general === null ? text : `${general.slice(1, 4).join("-")}T${general.slice(4, 7).join(":")}Z`;
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(
    written,
  );
  if (parts === null) return null;
  const [, day = "", time = "00:00", offset = "Z"] = parts;
  // Date.parse reads a day that does not exist (31 February) as one of the next month.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return null;
  const at = Date.parse(`${day}T${time}${offset.toUpperCase()}`);
  if (Number.isNaN(at)) return null;
  return { at, wholeDay: /^(Z|[+-]00:00)$/i.test(offset) && at === midnight };
}

const mostDays = 10_000;

/** A function that takes a day (its midnight in UTC) and gives the moment at which it begins in the time zone. */
function daysIn(timeZone: string): (midnight: number) => number {
  if (timeZone === "UTC") return (midnight) => midnight;
  const format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  const known = new Map<number, number>();
  return (midnight) => {
    const found = known.get(midnight);
    if (found !== undefined) return found;
    const start = startOfDay(midnight, format);
    if (known.size >= mostDays) known.clear();
    known.set(midnight, start);
    return start;
  };
}

/** If clocks change at midnight, the day begins late, or its first hour comes twice: then the first one counts. */
function startOfDay(midnight: number, format: Intl.DateTimeFormat): number {
  const candidates = [midnight - dayMs, midnight + dayMs]
    .map((near) => midnight - offsetMs(near, format))
    .sort((left, right) => left - right);
  const first = candidates.find((start) => start + offsetMs(start, format) >= midnight);
  return first ?? midnight - offsetMs(midnight, format);
}

/** How far the time zone is ahead of UTC. */
function offsetMs(at: number, format: Intl.DateTimeFormat): number {
  const name = format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const parts = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name);
  if (parts === null) return 0;
  const [, sign, hours, minutes, seconds = "0"] = parts;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === "-" ? -ms : ms;
}
