import { MappingError } from "../../../domain/errors.ts";
import { formatDate, parseDateExact, parseDateFormat } from "../dotnet-date.ts";
import { type Instant, toText, type Value } from "../value.ts";
import { type ExpressionFunction, instant, integer, text } from "./definition.ts";

const intervals = ["yyyy", "m", "d", "ww", "h", "n", "s"] as const;
type Interval = (typeof intervals)[number];

const interval = {
  name: "interval",
  type: "text",
  check: (value: Value) => void intervalOf(toText(value)),
} as const;
const format = (name: string) =>
  ({ name, type: "text", check: (value: Value) => void parseDateFormat(toText(value)) }) as const;

/** 100 ns from 1601 to 1970. */
const fileTimeOfEpoch = 116_444_736_000_000_000n;
const dayMs = 86_400_000;
const lengths: { readonly [one in Interval]?: number } = {
  d: dayMs,
  ww: 7 * dayMs,
  h: 3_600_000,
  n: 60_000,
  s: 1_000,
};

export const dateFunctions: readonly ExpressionFunction[] = [
  {
    name: "CDate",
    parameters: [{ name: "expression", type: "date" }],
    summary: "Converts text to a date in UTC. Text without an offset is read as UTC.",
    example: { expression: 'CDate("2021-06-30+08:00")', result: "6/29/2021 4:00:00 PM" },
    evaluate: ([value]) => instant(value, "expression of CDate"),
  },
  {
    name: "DateAdd",
    parameters: [interval, { name: "value", type: "number" }, { name: "dateTime", type: "date" }],
    summary:
      "Adds a number of years (yyyy), months (m), days (d), weeks (ww), hours (h), minutes (n) or seconds (s) to a date.",
    example: {
      expression: 'DateAdd("m", 10, CDate([employeeHireDate]))',
      attributes: { employeeHireDate: "2012-03-16-07:00" },
      result: "1/16/2013 7:00:00 AM",
    },
    evaluate: ([unit, value, date]) => {
      const from = instant(date, "dateTime of DateAdd");
      return from === null ? null : added(from, intervalOf(text(unit)), integer(value, "value of DateAdd"));
    },
  },
  {
    name: "DateDiff",
    parameters: [interval, { name: "date1", type: "date" }, { name: "date2", type: "date" }],
    summary:
      "The time from the first date to the second, in whole units. Weeks begin on Sunday; months and years are calendar months and years.",
    example: {
      expression: 'DateDiff("d", CDate("2021-08-18+08:00"), CDate("2021-08-31+08:00"))',
      result: "13",
    },
    evaluate: ([unit, from, to]) => {
      const [first, second] = [instant(from, "date1 of DateDiff"), instant(to, "date2 of DateDiff")];
      return first === null || second === null ? null : between(first, second, intervalOf(text(unit)));
    },
  },
  {
    name: "DateFromNum",
    parameters: [{ name: "value", type: "number" }],
    summary: "Converts a number of Active Directory (100 ns since 1601) to a date.",
    example: { expression: "DateFromNum(129699324000000000)", result: "1/1/2012 11:00:00 PM" },
    evaluate: ([value]) => {
      const written = text(value).trim();
      if (written === "") return null;
      if (!/^\d{1,19}$/.test(written))
        throw new MappingError("value of DateFromNum must be a whole number", { given: written });
      return instantOf(Number((BigInt(written) - fileTimeOfEpoch) / 10_000n));
    },
  },
  {
    name: "FormatDateTime",
    parameters: [
      { name: "source", type: "text" },
      {
        name: "dateTimeStyles",
        type: "text",
        optional: true,
        check: (value) => void stylesOf(toText(value)),
      },
      format("inputFormat"),
      format("outputFormat"),
    ],
    summary:
      "Converts a date to another format; both are .NET custom formats. Without styles, white space at the ends is ignored.",
    example: {
      expression: 'FormatDateTime([extensionAttribute1], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")',
      attributes: { extensionAttribute1: "20150123105347.1Z" },
      result: "2015-01-23",
    },
    evaluate: ([source, styles, input, output], environment) => {
      const written = text(source);
      if (written === "") return null;
      const { leading, trailing, inner } = stylesOf(text(styles));
      const trimmed = leading ? written.trimStart() : written;
      const date = parseDateExact(trailing ? trimmed.trimEnd() : trimmed, text(input), {
        now: environment.now(),
        innerWhite: inner,
      });
      if (date === null) {
        throw new MappingError(`source of FormatDateTime must be a date in the format "${text(input)}"`, {
          given: written,
        });
      }
      return formatDate(date, text(output));
    },
  },
  {
    name: "Now",
    parameters: [],
    summary:
      "The current time in UTC. Values that depend on it are computed when the person changes, and in each full comparison.",
    varies: "time",
    example: { expression: "Now()", result: null },
    evaluate: (_, environment) => instantOf(environment.now()),
  },
  {
    name: "NumFromDate",
    parameters: [{ name: "value", type: "date" }],
    summary: "Converts a date to a number of Active Directory (100 ns since 1601).",
    example: { expression: 'NumFromDate("2012-01-01T23:00:00Z")', result: "129699324000000000" },
    evaluate: ([value]) => {
      const date = instant(value, "value of NumFromDate");
      // As text: the number has more digits than a number in JavaScript keeps.
      return date === null ? null : String(BigInt(date.epochMs) * 10_000n + fileTimeOfEpoch);
    },
  },
];

function intervalOf(written: string): Interval {
  const found = intervals.find((one) => one === written);
  if (found === undefined)
    throw new MappingError(
      `interval must be one of ${intervals.join(", ")}, but is "${written.slice(0, 60)}"`,
    );
  return found;
}

/** Adding a month gives the same day of the next month, or its last day if it is shorter. */
function added({ epochMs }: Instant, unit: Interval, count: number): Instant {
  const length = lengths[unit];
  if (length !== undefined) return instantOf(epochMs + count * length);
  const from = new Date(epochMs);
  const month = from.getUTCMonth() + (unit === "yyyy" ? 12 * count : count);
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const to = new Date(epochMs);
  to.setUTCFullYear(from.getUTCFullYear(), month, Math.min(from.getUTCDate(), lastDay));
  return instantOf(to.getTime());
}

function between(first: Instant, second: Instant, unit: Interval): number {
  const [from, to] = [new Date(first.epochMs), new Date(second.epochMs)];
  const years = to.getUTCFullYear() - from.getUTCFullYear();
  if (unit === "yyyy") return years;
  if (unit === "m") return 12 * years + to.getUTCMonth() - from.getUTCMonth();
  if (unit === "ww") return (sundayBefore(to) - sundayBefore(from)) / (7 * dayMs);
  const difference = Math.trunc((second.epochMs - first.epochMs) / (lengths[unit] ?? dayMs));
  return difference === 0 ? 0 : difference;
}

function sundayBefore(date: Date): number {
  return Math.floor(date.getTime() / dayMs) * dayMs - date.getUTCDay() * dayMs;
}

/** @throws MappingError if the date is outside the years 1 to 9999 */
function instantOf(epochMs: number): Instant {
  const year = new Date(epochMs).getUTCFullYear();
  if (!(year >= 1 && year <= 9999))
    throw new MappingError("the result is a date outside the years 1 to 9999");
  return { epochMs };
}

interface Styles {
  readonly leading: boolean;
  readonly trailing: boolean;
  readonly inner: boolean;
}

const white: { readonly [style: string]: Partial<Styles> } = {
  none: {},
  allowleadingwhite: { leading: true },
  allowtrailingwhite: { trailing: true },
  allowinnerwhite: { inner: true },
  allowwhitespaces: { leading: true, trailing: true, inner: true },
  nocurrentdatedefault: {},
  adjusttouniversal: {},
  assumelocal: {},
  assumeuniversal: {},
  roundtripkind: {},
};

/** All dates are in UTC here, so only the styles about white space matter. */
function stylesOf(written: string): Styles {
  if (written.trim() === "") return { leading: true, trailing: true, inner: false };
  const styles = { leading: false, trailing: false, inner: false };
  for (const name of written.split(/[,|]/)) {
    const style = name
      .trim()
      .replace(/^DateTimeStyles\./i, "")
      .toLowerCase();
    if (!Object.hasOwn(white, style)) {
      throw new MappingError(`"${name.trim().slice(0, 60)}" is not one of .NET's DateTimeStyles`);
    }
    Object.assign(styles, white[style]);
  }
  return styles;
}
