import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { AttributeWrite, TargetUser } from "../domain/target.ts";
import { attributeKey, LATTICE_USER_SCHEMA, type PathTable, type ScimPath } from "./path.ts";
import { mergeIntoResource, writtenArrays } from "./resource.ts";

const PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/**
 * The body of a PATCH (RFC 7644 section 3.5.2): one `replace` or `remove` for each attribute, lower-case, each with a
 * path and none with a filter, which Lattice does not take. A multi-valued attribute is sent whole, so that its other
 * entries stay.
 */
export function buildPatchBody(
  user: TargetUser,
  writes: readonly AttributeWrite[],
  paths: PathTable,
): JsonObject {
  const arrays = new Map(writtenArrays(user, writes, paths));
  const operations: JsonObject[] = [];
  for (const write of writes) {
    const path = paths.of(write.path);
    if (path.type === null) {
      operations.push(operation(singlePath(path), path.reference ? reference(write.value) : write.value));
      continue;
    }
    const key = attributeKey(path);
    const elements = arrays.get(key);
    if (elements === undefined) continue;
    operations.push(operation(key, elements.length === 0 ? null : elements));
    arrays.delete(key);
  }
  return { schemas: [PATCH_SCHEMA], Operations: operations };
}

/**
 * The body of a PUT (RFC 7644 section 3.5.1) from the resource as just read: attributes that are not mapped go back as
 * they came, so that a server that clears what is left out clears nothing. `meta` and `groups` are the server's own.
 */
export function buildPutBody(
  resource: JsonObject,
  writes: readonly AttributeWrite[],
  paths: PathTable,
): JsonObject {
  const { meta: _meta, groups: _groups, ...rest } = resource;
  const block = rest[LATTICE_USER_SCHEMA];
  const carried = isJsonObject(block) ? { ...rest, [LATTICE_USER_SCHEMA]: writable(block) } : rest;
  return mergeIntoResource(carried, writes, paths);
}

function operation(path: string, value: Json): JsonObject {
  return value === null ? { op: "remove", path } : { op: "replace", path, value };
}

function singlePath(path: ScimPath): string {
  const attribute = attributeKey(path);
  return path.subAttribute === null || path.reference ? attribute : `${attribute}.${path.subAttribute}`;
}

function reference(id: Json): Json {
  return id === null ? null : { value: id };
}

/** Custom attributes are read under their display names and written in camelCase ("Lattice SCIM API Schema"). */
function writable(block: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(block).map(([key, value]) => [camelCase(key), value]));
}

function camelCase(displayName: string): string {
  const words = displayName.split(/[^\p{L}\p{N}$_]+/u).filter((word) => word !== "");
  if (words.length < 2) return displayName;
  return words.map((word, index) => (index === 0 ? word.toLowerCase() : capitalised(word))).join("");
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}
