import type { StateStore } from "../../domain/state/store.ts";
import type { ScopingFilters } from "../../mapping/rules/scoping-filter.ts";

/** People whom one query reads; the event loop runs between two. */
const pageSize = 250;

/** Values that people can share and accounts cannot; `userNameOfAnybody` counts disabled people without an account too. */
export type SharedKey = "userName" | "userNameOfAnybody" | "externalId";

/**
 * The people who count as sharing each of these keys: those in Entra who are in scope, and have an account or may get one.
 * @param by default: `userName`
 */
export function sharersOf(
  store: Pick<StateStore, "sharing">,
  keys: readonly string[],
  everyoneInScope: boolean,
  by: SharedKey = "userName",
): Promise<ReadonlyMap<string, readonly string[]>> {
  return store.sharing(keys, {
    by: by === "externalId" ? by : "userName",
    presence: "present",
    membersOnly: !everyoneInScope,
    disabledOnlyLinked: by !== "userNameOfAnybody",
  });
}

/** The people who share a userName (in lower case) or an externalId, by that key. Keys that are not shared may be missing. */
export type Namesakes = (
  by: SharedKey,
  keys: readonly string[],
  now: number,
) => Promise<ReadonlyMap<string, ReadonlySet<string>>>;

/**
 * Finds the people who map to one userName, or to one externalId, without those whom the scoping filters reject at the
 * moment. (People they always reject have no key in the store.) Each key is looked up once, so the answer holds for one plan:
 * a mapping may give thousands of people the same name.
 */
export function createNamesakes(
  store: Pick<StateStore, "sharing" | "candidates">,
  filters: ScopingFilters,
  everyoneInScope: boolean,
): Namesakes {
  const known: { readonly [by in SharedKey]: Map<string, ReadonlySet<string>> } = {
    userName: new Map(),
    userNameOfAnybody: new Map(),
    externalId: new Map(),
  };

  const passing = async (people: readonly string[], now: number): Promise<ReadonlySet<string>> => {
    if (filters.steady || people.length === 0) return new Set(people);
    const found = new Set<string>();
    for (let from = 0; from < people.length; from += pageSize) {
      const only = people.slice(from, from + pageSize);
      const page = await store.candidates({ select: { only }, everyoneInScope, after: "", limit: pageSize });
      for (const { source, groups } of page) {
        if (filters.rejects(source, { now, groups }) === null) found.add(source.objectId);
      }
      await new Promise(setImmediate);
    }
    return found;
  };

  return async (by, keys, now) => {
    const found = known[by];
    const unknown = [...new Set(keys)].filter((key) => !found.has(key));
    if (unknown.length > 0) {
      for (const [key, people] of await sharersOf(store, unknown, everyoneInScope, by)) {
        found.set(key, await passing(people, now));
      }
    }
    return found;
  };
}
