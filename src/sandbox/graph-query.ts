import type { Json, JsonObject } from "../domain/json.ts";
import { isJsonObject } from "../domain/json.ts";
import { emptyValue, isUserProperty, type PersonRow, propertiesOf } from "./person.ts";

/** A refusal in Graph's form: `{error: {code, message}}`. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The OData options of one request, by lower-case name (`$select` and `select` are the same to Graph). */
export type QueryOptions = ReadonlyMap<string, string>;

/** Properties that Graph returns if nothing was selected. "List users", Graph v1.0 reference. */
export const defaultSelect: readonly string[] = [
  "businessPhones",
  "displayName",
  "givenName",
  "jobTitle",
  "mail",
  "mobilePhone",
  "officeLocation",
  "preferredLanguage",
  "surname",
  "userPrincipalName",
  "id",
];

/** The manager as expanded; `select` holds the properties asked of them. */
export interface Expansion {
  readonly select: readonly string[];
}

export function readQuery(url: URL): QueryOptions {
  const options = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    options.set(name.toLowerCase().replace(/^\$/, ""), value);
  }
  return options;
}

/** @throws GraphRefusal on a name that a user does not have */
export function readSelect(raw: string | undefined, allowed: readonly string[] = []): readonly string[] {
  if (raw === undefined || raw.trim() === "") return defaultSelect;
  const names = raw.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!isUserProperty(name) && !allowed.includes(name)) {
      throw new GraphRefusal(
        400,
        "BadRequest",
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.user'.`,
      );
    }
  }
  return names.includes("id") ? names : [...names, "id"];
}

/** @throws GraphRefusal if it is not a number from 1 to 999 */
export function readTop(raw: string | undefined, pageSize = 100): number {
  if (raw === undefined) return pageSize;
  const top = Number(raw);
  if (!Number.isInteger(top) || top < 1 || top > 999) {
    throw new GraphRefusal(
      400,
      "Request_BadRequest",
      `Invalid page size specified: '${raw}'. Must be between 1 and 999 inclusive.`,
    );
  }
  return top;
}

/** Reads `manager` and `manager($select=…)`. @throws GraphRefusal on any other relationship */
export function readExpand(raw: string | undefined): Expansion | undefined {
  if (raw === undefined) return undefined;
  const match = /^manager(?:\((.*)\))?$/.exec(raw.trim());
  if (match === null) {
    throw new GraphRefusal(
      400,
      "Request_UnsupportedQuery",
      `The sandbox expands 'manager' only, not '${raw}'.`,
    );
  }
  const select = (match[1] ?? "")
    .split(";")
    .map((option) => option.trim())
    .find((option) => option.toLowerCase().startsWith("$select="));
  return { select: readSelect(select?.slice("$select=".length)) };
}

/** Reads `<property> eq '<value>'` with doubled quotes inside. @throws GraphRefusal on any other filter */
export function readEquality(
  raw: string,
  properties: readonly string[],
): { property: string; value: string } {
  const match = /^\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*$/.exec(raw);
  const property = match?.[1];
  if (match === null || property === undefined || !properties.includes(property)) {
    throw new GraphRefusal(
      400,
      "Request_UnsupportedQuery",
      `The sandbox does not support the filter "${raw}" here.`,
    );
  }
  return { property, value: (match[2] ?? "").replaceAll("''", "'") };
}

/** The selected properties as Graph lists them: a property without a value is null. */
export function renderUser(row: PersonRow, select: readonly string[]): Record<string, Json> {
  const properties = propertiesOf(row);
  const shown: Record<string, Json> = {};
  for (const name of select) shown[name] = shownValue(properties, name);
  return shown;
}

/** One value in Graph's form. */
export function shownValue(properties: JsonObject, name: string): Json {
  const value = properties[name] ?? emptyValue(name);
  return name === "onPremisesExtensionAttributes" && isJsonObject(value)
    ? { ...noExtensions, ...value }
    : value;
}

const noExtensions: JsonObject = Object.fromEntries(
  Array.from({ length: 15 }, (_, index) => [`extensionAttribute${index + 1}`, null]),
);

/** The opaque token of a link. */
export function writeToken(content: JsonObject): string {
  return Buffer.from(JSON.stringify(content)).toString("base64url");
}

/** The content of our token; `undefined` for any other text. */
export function readToken(token: string): JsonObject | undefined {
  try {
    const content: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return isJsonObject(content) ? content : undefined;
  } catch {
    // Not JSON: not a token of ours, which is what `undefined` says.
    return undefined;
  }
}

/** The place at which a listing continues: the position in the link's `$skiptoken`, 0 without one. @throws GraphRefusal on a foreign token */
export function readPosition(query: QueryOptions): number {
  const raw = query.get("skiptoken");
  if (raw === undefined) return 0;
  const position = readToken(raw)?.after;
  if (typeof position !== "number") {
    throw new GraphRefusal(
      400,
      "Directory_ExpiredPageToken",
      "The specified page token value has expired or is invalid.",
    );
  }
  return position;
}

/** The absolute link to the page after `position`, with the options of this one. */
export function nextLink(origin: string, url: URL, position: number): string {
  const options = [...url.searchParams]
    .filter(([name]) => name.toLowerCase() !== "$skiptoken")
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${origin}${url.pathname}?${[...options, `$skiptoken=${writeToken({ after: position })}`].join("&")}`;
}

/** One page: the items, and the link to the next where there is more. Takes one row more than fits. */
export function pageOf<Row extends { readonly seq: number }>(
  rows: readonly Row[],
  top: number,
  linkTo: (position: number) => string,
  render: (row: Row) => JsonObject,
): JsonObject {
  const shown = rows.slice(0, top);
  const last = shown.at(-1);
  const more = rows.length > top && last !== undefined;
  return { ...(more ? { "@odata.nextLink": linkTo(last.seq) } : {}), value: shown.map(render) };
}
