import type { StateStore } from "../domain/store.ts";
import type { ScopingFilters } from "../mapping/scoping-filter.ts";

/** People whom one query reads; the event loop runs between two. */
const pageSize = 250;

/** The people who count as sharing a userName, by that name in lower case; a name that nobody shares may be left out. */
export type Namesakes = (
  keys: readonly string[],
  now: number,
) => Promise<ReadonlyMap<string, ReadonlySet<string>>>;

/**
 * Finds the people who map to one userName, without those whom the scoping filters reject at the moment. (People they always
 * reject have no name in the store.) Each name is looked up once, so the answer holds for one plan: a mapping may give
 * thousands of people the same name.
 */
export function createNamesakes(
  store: Pick<StateStore, "sharing" | "candidates">,
  filters: ScopingFilters,
  everyoneInScope: boolean,
): Namesakes {
  const known = new Map<string, ReadonlySet<string>>();

  const passing = async (people: readonly string[], now: number): Promise<ReadonlySet<string>> => {
    if (filters.steady || people.length < 2) return new Set(people);
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

  return async (keys, now) => {
    const unknown = [...new Set(keys)].filter((key) => !known.has(key));
    if (unknown.length > 0) {
      for (const [key, people] of await store.sharing(unknown, everyoneInScope)) {
        known.set(key, await passing(people, now));
      }
    }
    return known;
  };
}
