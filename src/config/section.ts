import { isJsonObject } from "../domain/json.ts";

/** `true` for keys with their values, which can then be changed: callers pass copies of what was read. */
export function isSection(value: unknown): value is Record<string, unknown> {
  return isJsonObject(value);
}
