import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { AttributeType } from "../domain/target.ts";
import { CORE_USER_SCHEMA, keyOf, memberOf, type ScimPath } from "./path.ts";

/** Attribute definitions by name, by schema URN. */
export type Schemas = ReadonlyMap<string, JsonObject>;

/** Reads what a `/Schemas` answer declares (RFC 7643 section 7); empty where it declares nothing that can be read. */
export function parseSchemas(body: JsonObject | undefined): Schemas {
  const resources = body === undefined ? undefined : memberOf(body, "Resources", null);
  const schemas = new Map<string, JsonObject>();
  for (const schema of Array.isArray(resources) ? resources : []) {
    if (!isJsonObject(schema) || typeof schema.id !== "string") continue;
    schemas.set(schema.id, byName(schema.attributes));
  }
  return schemas;
}

/** The mapped paths that `schemas` does not declare. An extension that is not declared at all is unknown too. */
export function unknownPaths(paths: readonly ScimPath[], schemas: Schemas): ScimPath[] {
  if (!schemas.has(CORE_USER_SCHEMA)) return [];
  return paths.filter((path) => !isCommon(path) && definitionOf(path, schemas) === undefined);
}

/** Types of RFC 7643 section 2.3 that take what a mapping of this type sends. */
const takenBy: { readonly [type in AttributeType]: readonly string[] } = {
  text: ["string", "reference"],
  email: ["string"],
  timezone: ["string"],
  number: ["decimal", "integer"],
  boolean: ["boolean"],
  date: ["datetime", "string"],
  dateTime: ["datetime", "string"],
  reference: ["complex", "string", "reference"],
};

/** A mapped path whose attribute has another type, and which. */
export interface Mistyped {
  readonly path: ScimPath;
  readonly mapped: AttributeType;
  /** In the server's words. */
  readonly declared: string;
}

/** The mapped paths that are declared with a type that does not take what is sent. */
export function mistypedPaths(
  paths: readonly ScimPath[],
  types: ReadonlyMap<string, AttributeType>,
  schemas: Schemas,
): Mistyped[] {
  return paths.flatMap((path) => {
    const mapped = types.get(path.text);
    const declared = definitionOf(path, schemas)?.type;
    if (mapped === undefined || typeof declared !== "string") return [];
    return takenBy[mapped].includes(declared.toLowerCase()) ? [] : [{ path, mapped, declared }];
  });
}

/** The definition of the attribute, or of its part, that the path writes. */
function definitionOf(path: ScimPath, schemas: Schemas): JsonObject | undefined {
  const attributes = schemas.get(path.schema ?? CORE_USER_SCHEMA);
  const whole = attributes === undefined ? undefined : definitionAt(attributes, path.attribute, path.schema);
  if (whole === undefined || path.subAttribute === null) return whole;
  const parts = byName(whole.subAttributes);
  // Parts that are not told of say nothing, not even of the type.
  if (Object.keys(parts).length === 0) return {};
  return definitionAt(parts, path.subAttribute, path.schema);
}

function definitionAt(definitions: JsonObject, name: string, schema: string | null): JsonObject | undefined {
  const key = keyOf(definitions, name, schema);
  const found = key === undefined ? undefined : definitions[key];
  return isJsonObject(found) ? found : undefined;
}

/** RFC 7643 section 3.1: common attributes belong to every resource and stand in no schema. */
function isCommon(path: ScimPath): boolean {
  return path.schema === null && path.attribute.toLowerCase() === "externalid";
}

function byName(attributes: Json | undefined): JsonObject {
  const named: [string, JsonObject][] = [];
  for (const attribute of Array.isArray(attributes) ? attributes : []) {
    if (isJsonObject(attribute) && typeof attribute.name === "string")
      named.push([attribute.name, attribute]);
  }
  // Not by assignment: an attribute may be named __proto__.
  return Object.fromEntries(named);
}
