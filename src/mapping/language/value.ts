import { MappingError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";

/** A point in time: what date functions pass to one another. */
export interface Instant {
  readonly epochMs: number;
}

/** The attribute shall be neither set nor cleared this time (IgnoreFlowIfNullOrEmpty). */
export const ignoreFlow: unique symbol = Symbol("ignore flow");

/** What an attribute or an expression can be; `null` is "no value". */
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

/** Characters that it takes to handle the value: for each of several a few more. */
export function lengthOf(value: Value): number {
  if (typeof value === "string") return 1 + value.length;
  return isList(value) ? value.reduce((sum, item) => sum + 8 + item.length, 1) : 1;
}

/** Nothing that Lattice or Entra holds is as long as this. */
const longestText = 20_000;

/** @throws MappingError if a text becomes too long; asked before it is made */
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
  // Each value of each person is looked at: nearly all begin with something else than a space or a nought.
  const first = text.charCodeAt(0);
  if (first > 32 && first !== 48) return false;
  return /^(0001-01-0[12]|0000-12-31)(T[\d:.,]*(Z|[+-]\d\d:?\d\d)?)?$|^(00010101|00010102|00001231)\d{6}([.,]\d+)?Z$/i.test(
    text.trim(),
  );
}

/** A Graph property as a value; objects have none, and a date of the year 1 is none. */
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
