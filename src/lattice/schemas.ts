import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { AttributeType } from "../domain/target.ts";
import { parseListPage } from "./list.ts";
import { coreUserSchema, keyOf, memberOf, type ScimPath } from "./path.ts";

/** Attribute definitions by name, by schema URN in lower case. */
export type Schemas = ReadonlyMap<string, JsonObject>;

/** At most this many pages are requested. */
const mostPages = 50;

/**
 * Parses what the `/Schemas` answers declare (RFC 7643 section 7), page by page if there are several; empty if they declare
 * nothing readable.
 * @param ask returns the answer to a query
 */
export async function readSchemas(
  ask: (query: string | undefined) => Promise<JsonObject | undefined>,
): Promise<Schemas> {
  const schemas = new Map<string, JsonObject>();
  let received = 0;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = parseListPage(await ask(received === 0 ? undefined : `startIndex=${received + 1}`));
    const known = schemas.size;
    for (const schema of page?.resources ?? []) {
      if (!isJsonObject(schema)) continue;
      const id = memberOf(schema, "id", null);
      if (typeof id === "string") schemas.set(id.toLowerCase(), byName(memberOf(schema, "attributes", null)));
    }
    received += page?.resources.length ?? 0;
    // A page with nothing new is the last one, whatever total was announced.
    if (page === undefined || schemas.size === known || received >= (page.totalResults ?? 0)) break;
  }
  return schemas;
}

/** The mapped paths that `schemas` does not declare. An extension that is not declared at all is unknown too. */
export function unknownPaths(paths: readonly ScimPath[], schemas: Schemas): ScimPath[] {
  if (!schemas.has(coreUserSchema.toLowerCase())) return [];
  return paths.filter((path) => !isCommon(path) && definitionOf(path, schemas) === undefined);
}

/** Types of RFC 7643 section 2.3 that accept what a mapping of this type sends. */
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

/** A mapped path whose attribute has another type, and that type. */
export interface Mistyped {
  readonly path: ScimPath;
  readonly mapped: AttributeType;
  /** In the server's words. */
  readonly declared: string;
}

/** The mapped paths whose declared type does not accept what is sent. */
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
  const attributes = schemas.get((path.schema ?? coreUserSchema).toLowerCase());
  const whole = attributes === undefined ? undefined : definitionAt(attributes, path.attribute, path.schema);
  if (whole === undefined || path.subAttribute === null) return whole;
  const parts = byName(whole.subAttributes);
  // Undeclared parts say nothing, not even about the type.
  if (Object.keys(parts).length === 0) return {};
  return definitionAt(parts, path.subAttribute, path.schema);
}

function definitionAt(definitions: JsonObject, name: string, schema: string | null): JsonObject | undefined {
  const key = keyOf(definitions, name, schema);
  const found = key === undefined ? undefined : definitions[key];
  return isJsonObject(found) ? found : undefined;
}

/** RFC 7643 section 3.1: common attributes belong to every resource and are in no schema. */
function isCommon(path: ScimPath): boolean {
  return path.schema === null && path.attribute.toLowerCase() === "externalid";
}

function byName(attributes: Json | undefined): JsonObject {
  const named: [string, JsonObject][] = [];
  for (const attribute of Array.isArray(attributes) ? attributes : []) {
    if (isJsonObject(attribute) && typeof attribute.name === "string")
      named.push([attribute.name, attribute]);
  }
  // Not by assignment: an attribute could be named __proto__.
  return Object.fromEntries(named);
}
