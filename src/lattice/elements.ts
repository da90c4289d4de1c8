import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { memberOf, type ScimPath } from "./path.ts";

/** A new value (or `null` to clear) for one part of one entry of a multi-valued attribute. */
export interface ElementWrite {
  readonly path: ScimPath;
  readonly value: Json;
}

type Element = Record<string, Json>;

/**
 * The entry that `[type eq "…"]` means: if a type occurs twice, the primary one, else the first. If no entry has the type, it
 * is the only entry without a type, or the primary one of those (RFC 7643 section 2.4). Some servers show an entry as its
 * plain value. Types are compared case-insensitively.
 */
export function pickElement(elements: readonly Json[], path: ScimPath): JsonObject | string | undefined {
  const ofType = elements.filter(isJsonObject).filter((element) => hasType(element, path.type));
  const typed = ofType.find(isPrimary) ?? ofType[0];
  if (typed !== undefined || !path.takesUntyped) return typed;
  const untyped = elements.filter(isUntyped);
  return elements.length === 1
    ? untyped[0]
    : untyped.find((element) => isJsonObject(element) && isPrimary(element));
}

/** The value of an entry's part `name`; an entry that is a plain value is its own `value`. */
export function partOf(element: JsonObject | string, name: string): Json | undefined {
  if (typeof element === "string") return isValue(name) ? element : undefined;
  return memberOf(element, name, null);
}

/**
 * The whole attribute with `writes` merged in: a written entry keeps its place, its type and its primary mark; entries that
 * the writes do not name stay; entries without a value are removed.
 */
export function mergeElements(
  elements: readonly Json[],
  attribute: string,
  writes: readonly ElementWrite[],
): Json[] {
  const merged = writes.reduce<readonly Json[]>(
    (current, write) => mergeElement(current, attribute, write),
    elements,
  );
  const valued = writes.some(({ path }) => isValue(path.subAttribute));
  return merged.filter((element) => (valued ? hasValue(element) : hasContent(element)));
}

function mergeElement(
  elements: readonly Json[],
  attribute: string,
  { path, value }: ElementWrite,
): readonly Json[] {
  const part = path.subAttribute ?? "value";
  const current = pickElement(elements, path);
  if (current === undefined) {
    return value === null
      ? elements
      : [...elements, { ...freshElement(elements, attribute, path.type), [part]: value }];
  }
  const index = elements.indexOf(current);
  return elements.map((element, at) => (at === index ? written(current, part, value) : element));
}

function written(element: JsonObject | string, part: string, value: Json): Json {
  if (typeof element === "string") return isValue(part) ? value : { value: element, [part]: value };
  const rest = without(element, part);
  return value === null ? rest : { ...rest, [part]: value };
}

/** A new user's only work address is the primary one ("Lattice SCIM API Schema" shows it so); for others nothing is documented. */
function freshElement(others: readonly Json[], attribute: string, type: string | null): Element {
  const element: Element = type === null ? {} : { type };
  if (others.length === 0 && attribute.toLowerCase() === "emails" && type?.toLowerCase() === "work") {
    element.primary = true;
  }
  return element;
}

/** Parts that only describe a value and mean nothing without it. */
const labels = new Set(["type", "primary", "display"]);

function hasContent(element: Json): boolean {
  if (!isJsonObject(element)) return isAssigned(element);
  return Object.entries(element).some(([key, value]) => !labels.has(key.toLowerCase()) && isAssigned(value));
}

function hasValue(element: Json): boolean {
  return isAssigned(isJsonObject(element) ? memberOf(element, "value", null) : element);
}

function isAssigned(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

function isValue(part: string | null): boolean {
  return part === null || part.toLowerCase() === "value";
}

function isUntyped(element: Json): element is JsonObject | string {
  if (typeof element === "string") return element !== "";
  return isJsonObject(element) && !isAssigned(memberOf(element, "type", null));
}

function isPrimary(element: JsonObject): boolean {
  return memberOf(element, "primary", null) === true;
}

function without(element: JsonObject, part: string): Element {
  return Object.fromEntries(
    Object.entries(element).filter(([key]) => key.toLowerCase() !== part.toLowerCase()),
  );
}

function hasType(element: JsonObject, type: string | null): boolean {
  const own = memberOf(element, "type", null);
  return (typeof own === "string" ? own : null)?.toLowerCase() === type?.toLowerCase();
}
