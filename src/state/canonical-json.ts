import { isJsonObject, type Json } from "../domain/json.ts";

/** JSON with sorted keys, so that equal objects give equal texts. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(inOrder(value));
}

/** The value with the keys of every object in order. */
export function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isJsonObject(value)) return value;
  // In an object without a prototype, `__proto__` is a property like any other.
  const ordered: { [key: string]: Json } = Object.create(null);
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item !== undefined) ordered[key] = inOrder(item);
  }
  return ordered;
}
