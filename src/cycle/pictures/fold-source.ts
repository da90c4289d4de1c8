import type { Json, JsonObject } from "../../domain/json.ts";
import type { SourceChange } from "../../domain/source.ts";

/** The stored data of one person. */
export interface PicturedPerson {
  readonly attributes: JsonObject;
  readonly managerId: string | null;
  /** Selected properties that no answer has ever shown. */
  readonly unshown: readonly string[];
}

/**
 * Folds one more read of a person into the stored data. If an answer leaves a selected property out, the stored value is
 * kept; if there is none, the property is unknown, not empty (perhaps it was never asked for before).
 * @returns `kept`: properties that the answer left out and whose stored values were kept
 */
export function foldSource(
  known: PicturedPerson | null,
  item: Extract<SourceChange, { kind: "upsert" }>,
): PicturedPerson & { readonly kept: readonly string[] } {
  const before = known?.attributes ?? {};
  const has = (name: string): boolean => Object.hasOwn(before, name);
  const managerId = item.managerId === undefined ? (known?.managerId ?? null) : item.managerId;
  if (!item.complete) {
    return {
      attributes: withoutNulls({ ...before, ...item.attributes }),
      managerId,
      unshown: (known?.unshown ?? []).filter((name) => !Object.hasOwn(item.attributes, name)),
      kept: [],
    };
  }
  const { unshown = [], perhapsNone = [] } = item;
  if (unshown.length + perhapsNone.length === 0) {
    return { attributes: withoutNulls(item.attributes), managerId, unshown: [], kept: [] };
  }
  const left = [...unshown, ...perhapsNone];
  const keptNames = left.filter(has);
  const keptManager = left.includes("manager") && item.managerId === undefined && managerId !== null;
  return {
    attributes: withoutNulls({
      ...item.attributes,
      ...Object.fromEntries(keptNames.map((name) => [name, before[name] ?? null])),
    }),
    managerId,
    unshown: unshown.filter((name) => !has(name)),
    kept: keptManager ? [...keptNames, "manager"] : keptNames,
  };
}

function withoutNulls(attributes: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, Exclude<Json, null>] => entry[1] !== null),
  );
}
