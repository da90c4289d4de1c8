import type { Json } from "../domain/json.ts";

/** What an attribute or an expression can be; `null` is "no value". */
export type Value = string | number | boolean | readonly string[] | null;

/** Text as Entra's expressions see it: booleans as `True` and `False`, several values joined by a comma. */
export function toText(value: Value): string {
  if (value === null) return "";
  if (value === true) return "True";
  if (value === false) return "False";
  return typeof value === "object" ? value.join(",") : String(value);
}

export function isEmpty(value: Value): boolean {
  return value === null || value === "" || (typeof value === "object" && value.length === 0);
}

/** A Graph property as a value; objects have none. */
export function fromJson(json: Json | undefined): Value {
  if (json === undefined || json === null) return null;
  if (typeof json !== "object") return json;
  if (!Array.isArray(json)) return null;
  return json.filter((item): item is string => typeof item === "string");
}
