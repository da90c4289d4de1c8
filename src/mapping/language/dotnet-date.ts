import { RE2JS } from "re2js";
import { MappingError } from "../../domain/errors.ts";
import { remembered } from "./remembered.ts";
import type { Instant } from "./value.ts";

// Custom and standard date formats of .NET ("Custom date and time format strings", invariant culture), in UTC.

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;
const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** The custom format that a format of one letter stands for. */
const standard: { readonly [letter: string]: string } = {
  d: "MM/dd/yyyy",
  D: "dddd, dd MMMM yyyy",
  f: "dddd, dd MMMM yyyy HH:mm",
  F: "dddd, dd MMMM yyyy HH:mm:ss",
  g: "MM/dd/yyyy HH:mm",
  G: "MM/dd/yyyy HH:mm:ss",
  M: "MMMM dd",
  m: "MMMM dd",
  O: "yyyy-MM-dd'T'HH:mm:ss.fffffffK",
  o: "yyyy-MM-dd'T'HH:mm:ss.fffffffK",
  R: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  r: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  s: "yyyy-MM-dd'T'HH:mm:ss",
  t: "HH:mm",
  T: "HH:mm:ss",
  u: "yyyy-MM-dd HH:mm:ss'Z'",
  U: "dddd, dd MMMM yyyy HH:mm:ss",
  Y: "yyyy MMMM",
  y: "yyyy MMMM",
};

/** The longest run of each letter that has its own meaning. A longer run means the same as the longest. */
const longest: { readonly [letter: string]: number } = {
  d: 4,
  f: 7,
  F: 7,
  g: 2,
  h: 2,
  H: 2,
  K: 1,
  m: 2,
  M: 4,
  s: 2,
  t: 2,
  y: 5,
  z: 3,
};

const longestFormat = 200;

type Token = { readonly letter: string; readonly count: number } | { readonly literal: string };

/** @throws MappingError if it is not a format */
export function parseDateFormat(format: string): readonly Token[] {
  const written = format.length === 1 ? standard[format] : format;
  if (written === undefined || written === "") {
    throw new MappingError(`"${format}" is not a .NET date format; write a format such as "yyyy-MM-dd"`);
  }
  if (written.length > longestFormat) {
    throw new MappingError(
      `a date format can have at most ${longestFormat} characters, but this one has ${written.length}`,
    );
  }
  const tokens: Token[] = [];
  for (let at = 0; at < written.length; ) {
    const character = written.charAt(at);
    if (character === "'" || character === '"') {
      const end = written.indexOf(character, at + 1);
      if (end < 0) throw new MappingError(`the date format "${format}" has an unpaired quotation mark`);
      tokens.push({ literal: written.slice(at + 1, end) });
      at = end + 1;
    } else if (character === "\\") {
      if (at + 1 === written.length)
        throw new MappingError(`the date format "${format}" ends in a backslash`);
      tokens.push({ literal: written.charAt(at + 1) });
      at += 2;
    } else if (character === "%") {
      // Marks the next letter as a custom format of one letter.
      at += 1;
    } else if (Object.hasOwn(longest, character)) {
      let count = 1;
      while (written.charAt(at + count) === character) count += 1;
      if ((character === "f" || character === "F") && count > 7) {
        throw new MappingError(
          `the date format "${format}" has more than seven digits for fractions of a second`,
        );
      }
      tokens.push({ letter: character, count: Math.min(count, longest[character] ?? count) });
      at += count;
    } else {
      tokens.push({ literal: character });
      at += 1;
    }
  }
  return tokens;
}

/** The date in this format, in UTC. */
export function formatDate({ epochMs }: Instant, format: string): string {
  const date = new Date(epochMs);
  return tokensOf(format)
    .map((token) => ("literal" in token ? token.literal : written(date, token)))
    .join("");
}

function written(date: Date, { letter, count }: { letter: string; count: number }): string {
  const padded = (value: number): string => String(value).padStart(count, "0");
  const hour = date.getUTCHours();
  const fraction = `${String(date.getUTCMilliseconds()).padStart(3, "0")}0000`.slice(0, count);
  switch (letter) {
    case "d":
      return count > 2 ? abbreviated(days[date.getUTCDay()] ?? "", count) : padded(date.getUTCDate());
    case "M":
      return count > 2
        ? abbreviated(months[date.getUTCMonth()] ?? "", count)
        : padded(date.getUTCMonth() + 1);
    case "y": {
      const year = date.getUTCFullYear();
      return count <= 2 ? padded(year % 100) : padded(year);
    }
    case "H":
      return padded(hour);
    case "h":
      return padded(hour % 12 === 0 ? 12 : hour % 12);
    case "m":
      return padded(date.getUTCMinutes());
    case "s":
      return padded(date.getUTCSeconds());
    case "f":
      return fraction;
    case "F":
      return fraction.replace(/0+$/, "");
    case "t":
      return (hour < 12 ? "AM" : "PM").slice(0, count);
    case "g":
      return "A.D.";
    case "K":
      return "Z";
    default:
      return ["+0", "+00", "+00:00"][count - 1] ?? "";
  }
}

function abbreviated(name: string, count: number): string {
  return count === 3 ? name.slice(0, 3) : name;
}

/**
 * Reads a date that has exactly this format. If the format has no part of the date, the date is that of `now`. Otherwise a
 * missing year is that of `now`, and a missing month or day is the first. A date without an offset counts as UTC.
 * @returns `null` if it has another format
 */
export function parseDateExact(
  source: string,
  format: string,
  options: { readonly now: number; readonly innerWhite?: boolean },
): Instant | null {
  const { names, pattern } = readerOf(format, options.innerWhite === true);
  const found = pattern.matcher(source);
  if (!found.matches()) return null;
  const parts = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const given = found.group(index + 1);
    if (given !== null && given !== "") parts.set(name, given);
  }
  return fromParts(parts, options.now);
}

interface Reader {
  readonly names: readonly string[];
  readonly pattern: RE2JS;
}

/** A pattern for the format, which is matched in linear time, whatever the format and the text are. */
function makeReader(format: string, innerWhite: boolean): Reader {
  const names: string[] = [];
  const pattern = tokensOf(format)
    .map((token) => {
      if ("literal" in token) {
        return innerWhite && token.literal.trim() === "" ? "\\s*" : RE2JS.quote(token.literal);
      }
      const [name, part] = readable(token);
      if (name !== "") names.push(name);
      return part;
    })
    .join("");
  return { names, pattern: RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE) };
}

/** The name of the part, and a pattern with one group for it; without a group if the name is empty. */
function readable({ letter, count }: { letter: string; count: number }): readonly [string, string] {
  const digits = count === 1 ? "(\\d{1,2})" : "(\\d{2})";
  switch (letter) {
    case "d":
      if (count > 2) return ["", `(?:${alternatives(days, count)})`];
      return ["day", digits];
    case "M":
      return count > 2 ? ["month", `(${alternatives(months, count)})`] : ["month", digits];
    case "y":
      return ["year", count > 2 ? `(\\d{${count}})` : digits];
    case "H":
      return ["hour", digits];
    case "h":
      return ["halfHour", digits];
    case "m":
      return ["minute", digits];
    case "s":
      return ["second", digits];
    case "f":
      return ["fraction", `(\\d{${count}})`];
    case "F":
      return ["fraction", `(\\d{0,${count}})`];
    case "t":
      return ["half", count === 1 ? "([AP])" : "([AP]M)"];
    case "g":
      return ["", "(?:A\\.D\\.)"];
    case "K":
      return ["offset", "(Z|[+-]\\d{2}:?\\d{2})?"];
    default:
      return ["offset", ["([+-]\\d{1,2})", "([+-]\\d{2})", "([+-]\\d{2}:?\\d{2})"][count - 1] ?? ""];
  }
}

function alternatives(names: readonly string[], count: number): string {
  return names.map((name) => abbreviated(name, count)).join("|");
}

/** `null` if the parts are not a date (31 February, 25 o'clock). */
function fromParts(parts: ReadonlyMap<string, string>, now: number): Instant | null {
  const today = new Date(now);
  const dated = ["year", "month", "day"].some((name) => parts.has(name));
  const part = (name: string, otherwise: number): number => {
    const given = parts.get(name);
    return given === undefined ? otherwise : Number(given);
  };
  const year = yearOf(parts.get("year")) ?? today.getUTCFullYear();
  const month = monthOf(parts.get("month")) ?? (dated ? 1 : today.getUTCMonth() + 1);
  const day = part("day", dated ? 1 : today.getUTCDate());
  const hour = hourOf(parts);
  const [minute, second] = [part("minute", 0), part("second", 0)];
  const milliseconds = Math.floor(Number(`0.${parts.get("fraction") ?? "0"}`) * 1000);
  if (hour === null || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, milliseconds);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const offset = offsetMinutes(parts.get("offset"));
  return offset === null ? null : { epochMs: date.getTime() - offset * 60_000 };
}

/** Two digits mean a year from 1950 to 2049, as in .NET's invariant calendar. */
function yearOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (given.length > 2) return Number(given);
  return Number(given) + (Number(given) < 50 ? 2000 : 1900);
}

function monthOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const named = months.findIndex(
    (name) => name.slice(0, 3).toLowerCase() === given.slice(0, 3).toLowerCase(),
  );
  return named < 0 ? Number(given) : named + 1;
}

function hourOf(parts: ReadonlyMap<string, string>): number | null {
  const [full, half] = [parts.get("hour"), parts.get("halfHour")];
  if (full !== undefined) return Number(full);
  if (half === undefined) return 0;
  const hour = Number(half);
  if (hour < 1 || hour > 12) return null;
  const afternoon = parts.get("half")?.toUpperCase().startsWith("P") === true;
  return (hour % 12) + (afternoon ? 12 : 0);
}

function offsetMinutes(given: string | undefined): number | null {
  if (given === undefined || given.toUpperCase() === "Z") return 0;
  const found = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(given);
  if (found === null) return null;
  const minutes = Number(found[2]) * 60 + Number(found[3] ?? "0");
  if (minutes > 14 * 60) return null;
  return found[1] === "-" ? -minutes : minutes;
}

const isoDate =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;
const usDate =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(AM|PM)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;
const namedDate =
  /^(?:\w+,\s*)?(?:(\d{1,2})\s+([a-z]{3,9})|([a-z]{3,9})\s+(\d{1,2}),?)\s+(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(GMT|Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Reads a date in a common form: ISO 8601, `M/d/yyyy h:mm:ss tt`, or with the English name of a month. A date without an
 * offset counts as UTC. `null` if the text is not a date.
 */
export function parseDate(source: string): Instant | null {
  const written = source.trim();
  const iso = isoDate.exec(written);
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, fraction, offset] = iso;
    return fromGiven({ year, month, day, hour, minute, second, fraction, offset });
  }
  const us = usDate.exec(written);
  if (us !== null) {
    const [, month, day, year, hour, minute, second, fraction, half, offset] = us;
    const time = half === undefined ? { hour } : { halfHour: hour, half };
    return fromGiven({ year, month, day, minute, second, fraction, offset, ...time });
  }
  const named = namedDate.exec(written);
  if (named === null) return null;
  const [, before, month, otherMonth, after, year, hour, minute, second, offset] = named;
  const name = month ?? otherMonth ?? "";
  if (!months.some((known) => known.toLowerCase().startsWith(name.toLowerCase()))) return null;
  return fromGiven({
    year,
    month: name,
    day: before ?? after,
    hour,
    minute,
    second,
    offset: offset?.toUpperCase() === "GMT" ? "Z" : offset,
  });
}

function fromGiven(given: { readonly [name: string]: string | undefined }): Instant | null {
  const parts = new Map(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  // All parts of the date are given, so `now` is not used.
  return fromParts(parts, 0);
}

const tokensOf = remembered(parseDateFormat);
const readers = {
  strict: remembered((format) => makeReader(format, false)),
  loose: remembered((format) => makeReader(format, true)),
};

function readerOf(format: string, innerWhite: boolean): Reader {
  return (innerWhite ? readers.loose : readers.strict)(format);
}
