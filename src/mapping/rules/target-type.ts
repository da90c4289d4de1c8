import { MappingError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";
import type { AttributeType } from "../../domain/target.ts";
import { isTimeZone } from "../../domain/time-zone.ts";
import { parseDate } from "../language/dotnet-date.ts";
import { remembered } from "../language/remembered.ts";
import { isEmpty, isInstant, isNoDate, toText, type Value } from "../language/value.ts";
import { isEmailAddress } from "./email-address.ts";

/** The kind of value that a target attribute accepts. */
export interface TypedTarget {
  readonly type: AttributeType;
  /** The time zone that decides the day of a moment (type `date`). */
  readonly zone: string;
}

/**
 * A value in the form that its attribute accepts. An empty text means no value: SCIM has no use for it, and Entra does not send it.
 * @throws MappingError if the value is of another type
 */
export function typedValue({ type, zone }: TypedTarget, value: Value): Json {
  if (isEmpty(value)) return null;
  switch (type) {
    case "number":
      return numberOf(value);
    case "boolean":
      return booleanOf(value);
    case "date":
      return isBeforeDates(value) ? null : dayOf(value, zone);
    case "dateTime":
      return isBeforeDates(value) ? null : new Date(momentOf(value)).toISOString().replace(".000Z", "Z");
    case "timezone":
      return isNamedTimeZone(toText(value))
        ? toText(value)
        : wrong("must be a time zone such as America/Los_Angeles", value);
    case "email":
      return isEmailAddress(toText(value)) ? toText(value) : wrong("must be an e-mail address", value);
    default:
      return toText(value);
  }
}

/** Whether two values mean the same to an attribute of this type, however they are written. */
export function sameValue(type: AttributeType, left: Json, right: Json): boolean {
  if (left === null || right === null || typeof left === "object" || typeof right === "object") return false;
  switch (type) {
    case "number":
      return String(left).trim() !== "" && Number(left) === Number(right);
    case "boolean":
      return String(left).toLowerCase() === String(right).toLowerCase();
    case "date":
      return withoutMidnight(String(left)) === withoutMidnight(String(right));
    case "dateTime":
      return Date.parse(String(left)) === Date.parse(String(right));
    default:
      return false;
  }
}

/** Whether this Node knows the IANA (Olson) time zone; an offset is not one. */
export const isNamedTimeZone: (name: string) => boolean = remembered(
  (name) => /^[A-Za-z]/.test(name) && isTimeZone(name),
);

function numberOf(value: Value): number {
  const written = toText(value).trim();
  const number = Number(written);
  // JSON numbers keep fewer digits: the value would arrive changed.
  const kept = Number.isFinite(number) && written.replaceAll(/\D/g, "").length <= 15;
  if (/^[+-]?\d+(\.\d+)?$/.test(written) && kept) return number;
  return wrong("must be a number", value);
}

function booleanOf(value: Value): boolean {
  const written = toText(value).toLowerCase();
  if (written === "true") return true;
  return written === "false" ? false : wrong("must be True or False", value);
}

/** The year 1 means no date, as in .NET; a time zone may put its first moment a day earlier. */
function isBeforeDates(value: Value): boolean {
  return (!isInstant(value) && isNoDate(toText(value))) || momentOf(value) < endOfNoDate;
}

const endOfNoDate = Date.parse("0001-01-03T00:00:00Z");

/**
 * The day as `yyyy-MM-dd`. A date stays as it is. Midnight in UTC, which Graph writes for a day, is that day in every time
 * zone. Any other moment gives its day in `zone`. Scoping filters read dates in the same way (`date-operators.ts`).
 */
function dayOf(value: Value, zone: string): string {
  const epochMs = momentOf(value);
  const isDay = epochMs % dayMs === 0 && !isMidnightElsewhere(value);
  if (isDay || zone === "UTC") return new Date(epochMs).toISOString().slice(0, 10);
  const parts = new Map(
    calendar(zone)
      .formatToParts(epochMs)
      .map((part) => [part.type, part.value]),
  );
  return `${(parts.get("year") ?? "").padStart(4, "0")}-${parts.get("month")}-${parts.get("day")}`;
}

const dayMs = 86_400_000;

/** Whether a text is midnight in UTC, written with the offset of another time zone. */
function isMidnightElsewhere(value: Value): boolean {
  return !isInstant(value) && otherOffset.test(toText(value).trim());
}

const otherOffset = /:\d\d(?::\d\d(?:[.,]\d+)?)?\s*[+-](?!00:?00$)\d\d:?\d\d$/;

const calendar = remembered(
  (timeZone) =>
    new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }),
);

function momentOf(value: Value): number {
  if (isInstant(value)) return value.epochMs;
  const parsed = parseDate(toText(value));
  return parsed === null ? wrong("must be a date such as 2026-01-31", value) : parsed.epochMs;
}

/** Some servers show a date as its midnight. */
function withoutMidnight(written: string): string {
  return written.replace(/T00:00(:00(\.0+)?)?(Z|[+-]00:?00)?$/i, "");
}

function wrong(rule: string, value: Value): never {
  throw new MappingError(rule, { given: toText(value) });
}
