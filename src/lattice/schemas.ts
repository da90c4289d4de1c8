import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { CORE_USER_SCHEMA, keyOf, memberOf, type ScimPath } from "./path.ts";

/** Attribute names by schema URN; an attribute's parts as an object under its name. */
export type SchemaNames = ReadonlyMap<string, JsonObject>;

/** Reads what a `/Schemas` answer declares (RFC 7643 section 7); empty where it declares nothing that can be read. */
export function schemaNames(body: JsonObject | undefined): SchemaNames {
  const resources = body === undefined ? undefined : memberOf(body, "Resources", null);
  const names = new Map<string, JsonObject>();
  for (const schema of Array.isArray(resources) ? resources : []) {
    if (!isJsonObject(schema) || typeof schema.id !== "string") continue;
    names.set(schema.id, namesOf(schema.attributes));
  }
  return names;
}

/** The mapped paths that `names` does not declare. An extension that is not declared at all is unknown too. */
export function unknownPaths(paths: readonly ScimPath[], names: SchemaNames): ScimPath[] {
  if (!names.has(CORE_USER_SCHEMA)) return [];
  return paths.filter((path) => !isCommon(path) && !isDeclared(path, names));
}

function isDeclared(path: ScimPath, names: SchemaNames): boolean {
  const schema = names.get(path.schema ?? CORE_USER_SCHEMA);
  const key = schema === undefined ? undefined : keyOf(schema, path.attribute, path.schema);
  if (schema === undefined || key === undefined) return false;
  const parts = schema[key];
  if (path.subAttribute === null || !isJsonObject(parts) || Object.keys(parts).length === 0) return true;
  return keyOf(parts, path.subAttribute, path.schema) !== undefined;
}

/** RFC 7643 section 3.1: common attributes belong to every resource and stand in no schema. */
function isCommon(path: ScimPath): boolean {
  return path.schema === null && path.attribute.toLowerCase() === "externalid";
}

function namesOf(attributes: Json | undefined): JsonObject {
  const names: [string, JsonObject][] = [];
  for (const attribute of Array.isArray(attributes) ? attributes : []) {
    if (isJsonObject(attribute) && typeof attribute.name === "string") {
      names.push([attribute.name, namesOf(attribute.subAttributes)]);
    }
  }
  // Not by assignment: an attribute may be named __proto__.
  return Object.fromEntries(names);
}
