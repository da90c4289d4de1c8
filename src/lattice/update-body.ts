import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { AttributeWrite } from "../domain/target.ts";
import {
  attributeKey,
  keyOf,
  latticeUserSchema,
  type PathTable,
  readAttribute,
  type ScimPath,
} from "./path.ts";
import { mergeIntoResource } from "./resource.ts";

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** Whether some of `writes` are entries of a multi-valued attribute: then the current account is needed. */
export function touchesList(writes: readonly AttributeWrite[], paths: PathTable): boolean {
  return writes.some(({ path }) => paths.of(path).type !== null);
}

/**
 * The body of a PATCH (RFC 7644 section 3.5.2): one lower-case `replace` or `remove` for each attribute, each with a path and
 * none with a filter, because Lattice accepts no filters. A multi-valued attribute is sent whole, so that its other entries
 * stay.
 * @param resource the account as just read, for its multi-valued attributes; empty if none is written
 * @param replaces references that are removed first, because this server keeps their old parts if only a new value is sent
 * @returns `undefined` if there is nothing left to send
 */
export function buildPatchBody(
  resource: JsonObject,
  writes: readonly AttributeWrite[],
  paths: PathTable,
  replaces: ReadonlySet<string> = new Set(),
): JsonObject | undefined {
  const merged = mergeIntoResource(resource, writes, paths);
  const done = new Set<string>();
  const operations: JsonObject[] = [];
  for (const write of writes) {
    const path = paths.of(write.path);
    if (path.type === null) {
      operations.push(...singleOperations(path, write.value, replaces.has(write.path)));
      continue;
    }
    const key = attributeKey(path);
    if (done.has(key)) continue;
    done.add(key);
    const elements = readAttribute(merged, path) ?? null;
    if (elements === null && readAttribute(resource, path) === undefined) continue;
    operations.push(operation(key, elements));
  }
  return operations.length === 0 ? undefined : { schemas: [patchSchema], Operations: operations };
}

function singleOperations(path: ScimPath, value: Json, replaces: boolean): JsonObject[] {
  const at = singlePath(path);
  if (!path.reference) return [operation(at, value)];
  const next = reference(value);
  return replaces && next !== null
    ? [operation(at, null), { op: "add", path: at, value: next }]
    : [operation(at, next)];
}

/**
 * The body of a PUT (RFC 7644 section 3.5.1), based on the resource as just read. Unmapped attributes are sent back as they
 * came, so that a server that clears missing attributes clears none. `meta` and `groups` are the server's own.
 */
export function buildPutBody(
  resource: JsonObject,
  writes: readonly AttributeWrite[],
  paths: PathTable,
): JsonObject {
  const carried = Object.fromEntries(
    Object.entries(resource).filter(([key]) => !ownedByServer.has(key.toLowerCase())),
  );
  const key = keyOf(carried, latticeUserSchema, null);
  const block = key === undefined ? undefined : carried[key];
  return mergeIntoResource(
    key !== undefined && isJsonObject(block) ? { ...carried, [key]: writable(block) } : carried,
    writes,
    paths,
  );
}

const ownedByServer = new Set(["meta", "groups"]);

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
