import { fitsAddress } from "../domain/address.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { AttributeWrite, TargetUser } from "../domain/target.ts";
import { mergeElements, partOf, pickElement } from "./elements.ts";
import { coreUserSchema, keyOf, memberOf, type PathTable, readAttribute, type ScimPath } from "./path.ts";

type Draft = Record<string, Json>;

/**
 * Parses an account from an untrusted SCIM resource (RFC 7643 section 4.1). `null`, `""`, `[]` and `{}` mean no value
 * (section 2.5). A missing `active` is unknown.
 * @returns `undefined` if it is not an account: not an object, or without an id that can be part of an address.
 */
export function parseUser(resource: unknown, paths: PathTable): TargetUser | undefined {
  if (!isJsonObject(resource)) return undefined;
  const latticeId = text(memberOf(resource, "id", null));
  if (latticeId === null || !fitsAddress(latticeId)) return undefined;
  const values: Draft = {};
  for (const path of paths.all) {
    const value = readPath(resource, path);
    if (value !== undefined) values[path.text] = value;
  }
  return {
    latticeId,
    userName: text(memberOf(resource, "userName", null)) ?? "",
    externalId: text(memberOf(resource, "externalId", null)),
    active: boolean(memberOf(resource, "active", null)) ?? null,
    values,
  };
}

/** The value in `resource` at `path`; for a reference, the referenced id. `undefined` if there is none. */
function readPath(resource: JsonObject, path: ScimPath): Json | undefined {
  const attribute = readAttribute(resource, path);
  if (path.reference) {
    return referenceId(attribute) ?? undefined;
  }
  if (path.type !== null) {
    const element = Array.isArray(attribute) ? pickElement(attribute, path) : undefined;
    return element === undefined ? undefined : assigned(partOf(element, path.subAttribute ?? "value"));
  }
  if (path.subAttribute !== null) {
    return isJsonObject(attribute)
      ? assigned(memberOf(attribute, path.subAttribute, path.schema))
      : undefined;
  }
  if (path.schema === null && path.attribute.toLowerCase() === "active")
    return boolean(attribute) ?? assigned(attribute);
  return assigned(attribute);
}

/** The id that a reference points to: its `value`, or the end of its `$ref` if it shows nothing else (RFC 7643 section 4.3). */
function referenceId(attribute: Json | undefined): string | null {
  if (!isJsonObject(attribute)) return text(attribute);
  return text(memberOf(attribute, "value", null)) ?? idInReference(attribute);
}

/** The id in the `$ref` of a reference; `null` if that is not the address of a user. */
export function idInReference(reference: JsonObject): string | null {
  const address = memberOf(reference, "$ref", null);
  const id =
    typeof address === "string" ? /(?:^|\/)Users\/([^/?#]+)\/?(?:[?#].*)?$/i.exec(address)?.[1] : undefined;
  if (id === undefined) return null;
  try {
    return decodeURIComponent(id);
  } catch {
    return null;
  }
}

/** The body of a POST: `writes` as a SCIM user with the URNs of the extensions in use (RFC 7643 section 3). */
export function buildCreateBody(writes: readonly AttributeWrite[], paths: PathTable): JsonObject {
  return mergeIntoResource({ schemas: [coreUserSchema] }, writes, paths);
}

/**
 * `resource` with `writes` merged in; everything else stays as it was read. `null` removes the attribute. `schemas` lists the
 * schemas in the body (RFC 7643 section 3). Names and URNs keep the resource's spelling, in whatever case.
 */
export function mergeIntoResource(
  resource: JsonObject,
  writes: readonly AttributeWrite[],
  paths: PathTable,
): JsonObject {
  const merged: Draft = { ...resource };
  for (const { path: pathText, value } of writes) {
    const path = paths.of(pathText);
    if (path.schema === null) {
      writeInto(merged, path, value);
      continue;
    }
    const key = keyOf(merged, path.schema, null) ?? path.schema;
    const current = merged[key];
    const block: Draft = isJsonObject(current) ? { ...current } : {};
    writeInto(block, path, value);
    if (Object.keys(block).length === 0) delete merged[key];
    else merged[key] = block;
  }
  const listed = keyOf(merged, "schemas", null) ?? "schemas";
  merged[listed] = schemasOf(merged, merged[listed]);
  return merged;
}

/** The core schema and each extension that `body` has, each once and as it is spelled there. */
function schemasOf(body: JsonObject, listed: Json | undefined): Json[] {
  const blocks = Object.keys(body).filter((key) => /^urn:/i.test(key));
  const core = (Array.isArray(listed) ? listed : []).filter(
    (urn): urn is string => typeof urn === "string" && /:core:/i.test(urn),
  );
  return [...new Set([...(core.length === 0 ? [coreUserSchema] : core), ...blocks])];
}

/** The expected account after `writes`, for a target that acknowledges a write without showing the result. */
export function applyWrites(
  user: TargetUser,
  writes: readonly AttributeWrite[],
  paths: PathTable,
): TargetUser {
  const values: Draft = { ...user.values };
  let { userName, externalId, active } = user;
  for (const { path: pathText, value } of writes) {
    const path = paths.of(pathText);
    const name = path.schema === null ? path.attribute.toLowerCase() : "";
    if (name === "username") userName = text(value) ?? "";
    if (name === "externalid") externalId = text(value);
    if (name === "active") active = boolean(value) ?? null;
    if (assigned(value) === undefined) delete values[path.text];
    else values[path.text] = value;
  }
  return { latticeId: user.latticeId, userName, externalId, active, values };
}

function writeInto(block: Draft, path: ScimPath, value: Json): void {
  const key = keyOf(block, path.attribute, path.schema) ?? path.attribute;
  const current = block[key];
  const next = path.type === null ? singleValue(current, path, value) : arrayValue(current, path, value);
  if (next === undefined) delete block[key];
  else block[key] = next;
}

function arrayValue(current: Json | undefined, path: ScimPath, value: Json): Json | undefined {
  const elements = mergeElements(Array.isArray(current) ? current : [], path.attribute, [{ path, value }]);
  return elements.length === 0 ? undefined : elements;
}

function singleValue(current: Json | undefined, path: ScimPath, value: Json): Json | undefined {
  if (path.reference) return value === null ? undefined : { value };
  if (path.subAttribute === null) return value ?? undefined;
  const complex: Draft = isJsonObject(current) ? { ...current } : {};
  const key = keyOf(complex, path.subAttribute, path.schema) ?? path.subAttribute;
  if (value === null) delete complex[key];
  else complex[key] = value;
  return Object.keys(complex).length === 0 ? undefined : complex;
}

function assigned(value: Json | undefined): Json | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "object" && Object.keys(value).length === 0) return undefined;
  return value;
}

function text(value: Json | undefined): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

/** Some servers answer with the words instead of the boolean. */
function boolean(value: Json | undefined): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}
