import type { Json, JsonObject } from "../domain/json.ts";
import { isJsonObject } from "../domain/json.ts";
import {
  type AccountSchemas,
  type AttributeDefinition,
  coreURN,
  enterpriseURN,
  findAttribute,
  findURN,
} from "./scim-schema.ts";

/** A refusal in SCIM's form (RFC 7644 section 3.12). */
export class ScimRefusal extends Error {
  readonly status: number;
  readonly scimType: string | undefined;

  constructor(status: number, scimType: string | undefined, detail: string) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

/**
 * The attributes of an account that a client can write: core attributes by name, each extension's as an object under its URN.
 * Attributes without a value are absent; names are spelt as in the schema.
 */
export interface AccountDocument {
  [name: string]: Json;
}

/** How the service handles its input. */
export interface ReadingRules {
  readonly schemas: AccountSchemas;
  /** The treatment of an attribute that no schema has. */
  readonly unknownAttributes: "ignore" | "refuse";
}

/**
 * Reads a whole resource as sent with POST or PUT. Read-only attributes are ignored (RFC 7644 section 3.3).
 * @throws ScimRefusal
 */
export function readDocument(body: unknown, rules: ReadingRules): AccountDocument {
  if (!isJsonObject(body)) throw new ScimRefusal(400, "invalidSyntax", "The body must be a JSON object.");
  const schemas = Array.isArray(body.schemas) ? body.schemas.map((urn) => String(urn).toLowerCase()) : [];
  if (!schemas.includes(coreURN.toLowerCase())) {
    throw new ScimRefusal(400, "invalidSyntax", `schemas must contain ${coreURN}.`);
  }
  const document: AccountDocument = {};
  for (const [name, value] of Object.entries(body)) {
    if (isCommon(name)) continue;
    const urn = findURN(rules.schemas, name);
    if (urn !== undefined && urn !== coreURN) {
      const values = readMembers(value, rules.schemas.get(urn), rules, name);
      if (values !== null) document[urn] = values;
      continue;
    }
    const definition = findAttribute(rules.schemas.get(coreURN), name);
    if (definition === undefined) refuseUnknownAttribute(name, rules);
    else if (definition.mutability !== "readOnly")
      assign(document, definition.name, readValue(value, definition, rules, name));
  }
  return document;
}

/** The rules for every account, however it was changed. @throws ScimRefusal */
export function checkDocument(document: AccountDocument, accountExists: (id: string) => boolean): void {
  const { userName, active, timezone } = document;
  if (typeof userName !== "string" || !isEmailAddress(userName)) {
    throw new ScimRefusal(400, "invalidValue", "userName must be a valid email address.");
  }
  if (active !== undefined && typeof active !== "boolean") {
    throw new ScimRefusal(400, "invalidValue", "active must be a boolean.");
  }
  if (typeof timezone === "string" && !isTimeZone(timezone)) {
    throw new ScimRefusal(400, "invalidValue", "timezone must be a name of the IANA time zone database.");
  }
  const manager = managerOf(document);
  if (manager !== null && !accountExists(manager)) {
    throw new ScimRefusal(
      400,
      "invalidValue",
      `manager.value must be the id of an existing user: ${manager} is none.`,
    );
  }
}

/** The id that the manager attribute points to. */
export function managerOf(document: AccountDocument): string | null {
  const enterprise = document[enterpriseURN];
  const manager = isJsonObject(enterprise) ? enterprise.manager : undefined;
  return isJsonObject(manager) && typeof manager.value === "string" ? manager.value : null;
}

/**
 * One attribute's value in the schema's spelling; `null` if it has no value: null or an empty list
 * (RFC 7643 section 2.5).
 * @throws ScimRefusal on a wrong type
 */
export function readValue(
  value: Json | undefined,
  definition: AttributeDefinition,
  rules: ReadingRules,
  label: string,
): Json {
  if (value === null || value === undefined) return null;
  if (definition.multiValued !== true) return readSingle(value, definition, rules, label);
  if (!Array.isArray(value)) throw new ScimRefusal(400, "invalidValue", `${label} must be an array.`);
  const elements = value
    .map((item: Json) => readSingle(item, definition, rules, label))
    .filter((item) => item !== null);
  return elements.length === 0 ? null : elements;
}

/** Sets a value, or takes the attribute away if it is null. */
export function assign(target: { [name: string]: Json }, name: string, value: Json): void {
  if (value === null) delete target[name];
  else target[name] = value;
}

/** @throws ScimRefusal if unknown attributes are refused */
export function refuseUnknownAttribute(name: string, rules: ReadingRules): void {
  if (rules.unknownAttributes === "refuse") {
    throw new ScimRefusal(400, "invalidSyntax", `There is no attribute named ${name}.`);
  }
}

/** `schemas`, `id` and `meta`: set by the service, ignored when sent. */
export function isCommon(name: string): boolean {
  return ["schemas", "id", "meta"].includes(name.toLowerCase());
}

function readSingle(value: Json, definition: AttributeDefinition, rules: ReadingRules, label: string): Json {
  switch (definition.type) {
    case "complex":
      return readMembers(value, definition.subAttributes, rules, label);
    case "boolean":
      if (typeof value !== "boolean")
        throw new ScimRefusal(400, "invalidValue", `${label} must be a boolean.`);
      return value;
    case "decimal":
      if (typeof value !== "number") throw new ScimRefusal(400, "invalidValue", `${label} must be a number.`);
      return value;
    case "dateTime":
      if (typeof value !== "string" || !isDate(value)) {
        throw new ScimRefusal(400, "invalidValue", `${label} must be a valid date or dateTime.`);
      }
      return value;
    default:
      if (typeof value !== "string") throw new ScimRefusal(400, "invalidValue", `${label} must be a string.`);
      return value;
  }
}

function readMembers(
  value: Json,
  definitions: readonly AttributeDefinition[] | undefined,
  rules: ReadingRules,
  label: string,
): JsonObject | null {
  if (value === null) return null;
  if (!isJsonObject(value)) throw new ScimRefusal(400, "invalidValue", `${label} must be an object.`);
  const members: { [name: string]: Json } = {};
  for (const [name, item] of Object.entries(value)) {
    const definition = findAttribute(definitions, name);
    if (definition === undefined) refuseUnknownAttribute(`${label}.${name}`, rules);
    else if (definition.mutability !== "readOnly") {
      assign(members, definition.name, readValue(item, definition, rules, `${label}.${name}`));
    }
  }
  return Object.keys(members).length === 0 ? null : members;
}

const emailAddress = /^[^\s@"(),:;<>[\]\\.]+(?:\.[^\s@"(),:;<>[\]\\.]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i;

function isEmailAddress(text: string): boolean {
  return text.length <= 254 && emailAddress.test(text);
}

function isDate(text: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.exec(
    text,
  );
  const day = match?.[1];
  if (day === undefined) return false;
  const date = new Date(`${day}T00:00:00Z`);
  // Date accepts 31 February and moves it on; such a day is not a date.
  return (
    !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day) && !Number.isNaN(Date.parse(text))
  );
}

const knownTimeZones = new Map<string, boolean>();

function isTimeZone(name: string): boolean {
  let known = knownTimeZones.get(name);
  if (known === undefined) {
    known = name.includes("/") || name === "UTC" ? isAccepted(name) : false;
    if (knownTimeZones.size < 1_000) knownTimeZones.set(name, known);
  }
  return known;
}

function isAccepted(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
