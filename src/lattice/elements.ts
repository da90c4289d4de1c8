import { isJsonObject, type Json, type JsonObject, jsonEquals } from "../domain/json.ts";
import { memberOf, type ScimPath } from "./path.ts";

/** A new value (or `null` to clear) for one part of one entry of a multi-valued attribute. */
export interface ElementWrite {
  readonly path: ScimPath;
  readonly value: Json;
}

type Element = Record<string, Json>;

/**
 * The entry that `[type eq "…"]` stands for: the primary one where a type occurs twice, else the first.
 * Types are compared without regard to case.
 */
export function pickElement(elements: readonly Json[], type: string | null): JsonObject | undefined {
  const ofType = elements.filter(isJsonObject).filter((element) => hasType(element, type));
  return ofType.find((element) => element.primary === true) ?? ofType[0];
}

/** The whole attribute with `writes` merged in: what they do not name is kept, entries left without content go. */
export function mergeElements(
  elements: readonly Json[],
  attribute: string,
  writes: readonly ElementWrite[],
): Json[] {
  let merged = [...elements];
  for (const { path, value } of writes) {
    const part = path.subAttribute ?? "value";
    const current = pickElement(merged, path.type);
    if (value === null) {
      if (current !== undefined) merged = replaceElement(merged, current, without(current, [part]));
      continue;
    }
    const base = current ?? freshElement(merged, attribute, path.type);
    const written = { ...without(base, [part]), [part]: value };
    if (current === undefined) merged.push(written);
    else merged = merged.map((element) => (element === current ? written : element));
  }
  return merged;
}

/**
 * What of `elements` is not covered by the mapped values: other entries, and other parts of the mapped ones, in their
 * places. `undefined` where `restoreElements` gives the same array from the values alone.
 */
export function splitElements(
  elements: readonly Json[],
  mapped: readonly ScimPath[],
  values: JsonObject,
): Json | undefined {
  if (elements.length === 0) return undefined;
  const fromValues = restoreElements(undefined, mapped, values);
  const attribute = mapped[0]?.attribute ?? "";
  if (jsonEquals(comparable(elements, attribute), comparable(fromValues, attribute))) return undefined;
  let rest = [...elements];
  for (const [type, parts] of partsByType(mapped)) {
    const picked = pickElement(rest, type);
    if (picked !== undefined) {
      rest = rest.map((element) => (element === picked ? without(picked, parts) : element));
    }
  }
  return rest;
}

/** The whole attribute as last read, put together again from the mapped values and what `splitElements` kept. */
export function restoreElements(
  siblings: Json | undefined,
  mapped: readonly ScimPath[],
  values: JsonObject,
): Json[] {
  const elements: Json[] = Array.isArray(siblings) ? [...siblings] : [];
  for (const [type, parts] of partsByType(mapped)) {
    const held: Element = {};
    for (const path of mapped) {
      const value = values[path.text];
      if (sameType(path.type, type) && value !== undefined) held[path.subAttribute ?? "value"] = value;
    }
    if (Object.keys(held).length === 0) continue;
    // A second entry of this type still has its value: the one whose mapped parts were taken out is ours.
    const index = elements.findIndex(
      (element) =>
        isJsonObject(element) &&
        hasType(element, type) &&
        parts.every((part) => memberOf(element, part, null) === undefined),
    );
    const base = elements[index];
    if (isJsonObject(base)) elements[index] = { ...base, ...held };
    else elements.push({ ...freshElement(elements, mapped[0]?.attribute ?? "", type), ...held });
  }
  return elements;
}

/** A user's only e-mail address is the primary one ("Lattice SCIM API Schema" shows it so); nothing is known of others. */
function freshElement(others: readonly Json[], attribute: string, type: string | null): Element {
  const element: Element = type === null ? {} : { type };
  if (isEmails(attribute) && others.length === 0) element.primary = true;
  return element;
}

/** `primary: false` says the same as no `primary`, and a sole e-mail address is primary whether or not it says so. */
function comparable(elements: readonly Json[], attribute: string): Json[] {
  const sole = elements.length === 1 && isEmails(attribute);
  return elements.map((element) =>
    isJsonObject(element) && (sole || element.primary === false) ? without(element, ["primary"]) : element,
  );
}

function replaceElement(elements: readonly Json[], old: JsonObject, cleared: Element): Json[] {
  const content = Object.keys(cleared).filter((key) => !LABELS.has(key.toLowerCase()));
  return elements.flatMap((element) => (element !== old ? [element] : content.length === 0 ? [] : [cleared]));
}

/** Parts that only describe a value and mean nothing without one. */
const LABELS = new Set(["type", "primary", "display"]);

function partsByType(mapped: readonly ScimPath[]): Map<string | null, string[]> {
  const parts = new Map<string | null, string[]>();
  for (const path of mapped) {
    const spelled = [...parts.keys()].find((known) => sameType(known, path.type)) ?? path.type;
    parts.set(spelled, [...(parts.get(spelled) ?? []), path.subAttribute ?? "value"]);
  }
  return parts;
}

function without(element: JsonObject, parts: readonly string[]): Element {
  const folded = new Set(parts.map((part) => part.toLowerCase()));
  return Object.fromEntries(Object.entries(element).filter(([key]) => !folded.has(key.toLowerCase())));
}

function isEmails(attribute: string): boolean {
  return attribute.toLowerCase() === "emails";
}

function hasType(element: JsonObject, type: string | null): boolean {
  const own = memberOf(element, "type", null);
  return sameType(typeof own === "string" ? own : null, type);
}

function sameType(left: string | null, right: string | null): boolean {
  return left?.toLowerCase() === right?.toLowerCase();
}
