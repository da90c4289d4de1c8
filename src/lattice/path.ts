import { UsageError } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";

/** RFC 7643 section 4.1: the schema of a user. */
export const coreUserSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
/** RFC 7643 section 4.3: department, employeeNumber, manager. */
const enterpriseUserSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/** Lattice's own attributes and a company's custom ones ("Lattice SCIM API Schema"). */
export const latticeUserSchema = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";

/** One attribute path of a mapping, taken apart. */
export interface ScimPath {
  /** As written in the mapping; the key of `TargetUser.values`. */
  readonly text: string;
  /** Schema URN of an extension; `null` for the core schema. */
  readonly schema: string | null;
  readonly attribute: string;
  /** The type of `[type eq "work"]`; `null` if the attribute has one value. */
  readonly type: string | null;
  readonly subAttribute: string | null;
  /** The value is the Lattice id of another account (the manager). */
  readonly reference: boolean;
  /**
   * Whether an entry without a type may be the one that is meant (RFC 7643 section 2.4: the type is optional). If several types
   * of the attribute are mapped, only `work` may.
   */
  readonly takesUntyped: boolean;
}

/** The paths of one mapping. */
export interface PathTable {
  readonly all: readonly ScimPath[];
  /** @throws UsageError if `text` is not a path that can be written. */
  of(text: string): ScimPath;
}

const pathSyntax =
  /^(?:(urn:[A-Za-z0-9:._-]+):)?([A-Za-z][\w$-]*)(?:\[\s*type\s+eq\s+"([^"\\\]]+)"\s*\])?(?:\.([A-Za-z$][\w$-]*))?$/i;

/** RFC 7643 section 4.1.2: several values each, told apart by their type. */
const multiValued = new Set([
  "emails",
  "phonenumbers",
  "ims",
  "photos",
  "addresses",
  "entitlements",
  "roles",
  "x509certificates",
]);

/** RFC 7643 section 3.1 and 4.1.2: only the server writes these. */
const serverOwned = new Set(["id", "meta", "schemas", "groups"]);

/** RFC 7643 section 4.1: plain values without parts. */
const plainAttributes = new Set([
  "username",
  "externalid",
  "active",
  "displayname",
  "nickname",
  "title",
  "timezone",
  "locale",
]);

/**
 * Parses a path of the attribute mapping (RFC 7644 section 3.10, as far as Lattice follows it: the only filter is
 * `[type eq "…"]`).
 * @throws UsageError on any other syntax, and for attributes that only the server writes.
 */
export function parseScimPath(text: string): ScimPath {
  const match = pathSyntax.exec(text);
  const attribute = match?.[2];
  if (match === null || attribute === undefined) {
    throw new UsageError(
      `"${text}" is not a SCIM attribute path that can be sent to Lattice. Write for example title, name.givenName, ` +
        `emails[type eq "work"].value or ${enterpriseUserSchema}:department.`,
    );
  }
  const urn = match[1] ?? null;
  if (urn !== null && attribute.toLowerCase() === "user" && /:\d+\.\d+$/.test(urn)) {
    throw new UsageError(`"${text}" names a schema; add the attribute, as in ${text}:department.`);
  }
  const schema = urn !== null && sameUrn(urn, coreUserSchema) ? null : urn;
  const path = { text, schema, attribute, type: match[3] ?? null, subAttribute: match[4] ?? null };
  refuseUnwritable(path);
  return { ...path, reference: isManager(path), takesUntyped: path.type !== null && isWork(path.type) };
}

/** @throws UsageError if a path cannot be written, or two differ only in case or spaces. */
export function compilePaths(texts: readonly string[]): PathTable {
  const known = new Map(withUntyped(texts.map(parseScimPath)).map((path) => [path.text, path]));
  const spelled = new Map<string, string>();
  for (const path of known.values()) {
    const key = `${attributeKey(path)}|${path.type}|${path.subAttribute}`.toLowerCase();
    const twin = spelled.get(key);
    if (twin !== undefined) throw new UsageError(`"${twin}" and "${path.text}" are the same SCIM attribute.`);
    spelled.set(key, path.text);
  }
  return { all: [...known.values()], of: (text) => known.get(text) ?? parseScimPath(text) };
}

/** If only one type of an attribute is mapped, an entry without a type counts as that type. */
function withUntyped(paths: readonly ScimPath[]): ScimPath[] {
  const key = (path: ScimPath): string => attributeKey(path).toLowerCase();
  const types = Map.groupBy(
    paths.filter((path) => path.type !== null),
    key,
  );
  return paths.map((path) => {
    const others = new Set((types.get(key(path)) ?? []).map(({ type }) => type?.toLowerCase()));
    return path.type !== null && others.size === 1 ? { ...path, takesUntyped: true } : path;
  });
}

function isWork(type: string): boolean {
  return type.toLowerCase() === "work";
}

/** The attribute without type and sub-attribute, with the URN of its extension: the path of a PATCH of the whole. */
export function attributeKey(path: Pick<ScimPath, "schema" | "attribute">): string {
  return path.schema === null ? path.attribute : `${path.schema}:${path.attribute}`;
}

/**
 * The key under which `object` holds the attribute `name`, if it has it. Attribute names are case-insensitive (RFC 7643
 * section 2.1). Lattice shows custom attributes under their display names when read ("Office Location") although they
 * are written in camelCase (`officeLocation`), so in its extension spaces and punctuation do not count either.
 */
export function keyOf(object: JsonObject, name: string, schema: string | null): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const fold = schema !== null && sameUrn(schema, latticeUserSchema) ? foldDisplayName : foldCase;
  const wanted = fold(name);
  return Object.keys(object).find((key) => fold(key) === wanted);
}

/** The value of `path`'s attribute in `resource`, before type and sub-attribute are applied. */
export function readAttribute(resource: JsonObject, path: ScimPath): Json | undefined {
  const block = path.schema === null ? resource : memberOf(resource, path.schema, null);
  return isJsonObject(block) ? memberOf(block, path.attribute, path.schema) : undefined;
}

/** `object[name]` with the case rules of `keyOf`. */
export function memberOf(object: JsonObject, name: string, schema: string | null): Json | undefined {
  const key = keyOf(object, name, schema);
  return key === undefined ? undefined : object[key];
}

/** RFC 7643 section 2.1 and RFC 8141: names and URNs are compared without regard to case. */
function sameUrn(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

const foldCase = (name: string): string => name.toLowerCase();
const foldDisplayName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

function isManager(path: Pick<ScimPath, "schema" | "attribute">): boolean {
  return (
    path.schema !== null &&
    sameUrn(path.schema, enterpriseUserSchema) &&
    path.attribute.toLowerCase() === "manager"
  );
}

function refuseUnwritable(path: Omit<ScimPath, "reference" | "takesUntyped">): void {
  const name = path.attribute.toLowerCase();
  const core = path.schema === null;
  const named = `"${path.text}"`;
  if (core && serverOwned.has(name)) {
    throw new UsageError(`${named} is read-only in Lattice. Remove it from the mapping.`);
  }
  if (core && multiValued.has(name) && path.type === null) {
    throw new UsageError(
      `${named} has several values. Name one of them, as in ${path.attribute}[type eq "work"].value; ` +
        "Lattice supports no other filters.",
    );
  }
  if (path.type !== null && path.subAttribute === null) {
    throw new UsageError(`${named} names a whole entry. Add the part to set, as in ${path.text}.value.`);
  }
  if (core && plainAttributes.has(name) && (path.type !== null || path.subAttribute !== null)) {
    throw new UsageError(`${named}: ${path.attribute} is a plain value without types or parts.`);
  }
  const part = path.subAttribute?.toLowerCase() ?? "value";
  if (isManager(path) && (path.type !== null || part !== "value")) {
    throw new UsageError(`${named} cannot be set. Map ${enterpriseUserSchema}:manager instead.`);
  }
}
