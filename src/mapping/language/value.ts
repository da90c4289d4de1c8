import { MappingError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";

/** A point in time, the form in which date functions pass a date to one another. */
export interface Instant {
  readonly epochMs: number;
}

/** The attribute is neither set nor cleared this time (IgnoreFlowIfNullOrEmpty). */
export const ignoreFlow: unique symbol = Symbol("ignore flow");

/** The value of an attribute or an expression; `null` is "no value". */
export type Value = string | number | boolean | readonly string[] | Instant | typeof ignoreFlow | null;

/** Text as Entra's expressions see it: booleans as `True` and `False`, several values joined by a comma, dates in UTC. */
export function toText(value: Value): string {
  if (value === null || value === ignoreFlow) return "";
  if (value === true) return "True";
  if (value === false) return "False";
  if (isList(value)) return value.join(",");
  return isInstant(value) ? instantText(value) : String(value);
}

export function isEmpty(value: Value): boolean {
  return value === null || value === "" || value === ignoreFlow || (isList(value) && value.length === 0);
}

/** The number of characters to handle for this value; each of several values counts as a few more. */
export function lengthOf(value: Value): number {
  if (typeof value === "string") return 1 + value.length;
  return isList(value) ? value.reduce((sum, item) => sum + 8 + item.length, 1) : 1;
}

/** No value in Lattice or Entra is as long as this. */
const longestText = 20_000;

/** Call before a text is made. @throws MappingError if it would be too long */
export function refuseLong(length: number): void {
  if (length > longestText) throw new MappingError(`the result has more than ${longestText} characters`);
}

export function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

export function isInstant(value: Value): value is Instant {
  return typeof value === "object" && value !== null && !isList(value);
}

/**
 * Whether a text is what .NET and on-premises directories write for "no date": the first moment of the year 1
 * (`DateTime.MinValue`), as a day or in any time zone.
 */
export function isNoDate(text: string): boolean {
  // A quick first check, because this runs for each value of each person: nearly none begins with a space or a zero.
  const first = text.charCodeAt(0);
  if (first > 32 && first !== 48) return false;
  return /^(0001-01-0[12]|0000-12-31)(T[\d:.,]*(Z|[+-]\d\d:?\d\d)?)?$|^(00010101|00010102|00001231)\d{6}([.,]\d+)?Z$/i.test(
    text.trim(),
  );
}

/** A Graph property as a value. An object and a date of the year 1 count as no value. */
export function fromJson(json: Json | undefined): Value {
  if (json === undefined || json === null) return null;
  if (typeof json === "string") return isNoDate(json) ? null : json;
  if (typeof json !== "object") return json;
  if (!Array.isArray(json)) return null;
  return json.flatMap((item) => (item === null || typeof item === "object" ? [] : toText(item)));
}

/** `M/d/yyyy h:mm:ss tt`, the form in which Entra's date functions return a date. */
function instantText({ epochMs }: Instant): string {
  const date = new Date(epochMs);
  const hour = date.getUTCHours();
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
  const time = `${hour % 12 === 0 ? 12 : hour % 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${time} ${hour < 12 ? "AM" : "PM"}`;
}
