import type { SharedKey } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { ScopingFilters } from "../../mapping/rules/scoping-filter.ts";

/** People whom one query reads; the event loop runs between two. */
const pageSize = 250;

/** The people who count as sharing a userName (in lower case) or an externalId; what nobody shares may be left out. */
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

  return async (by, keys, now) => {
    const found = known[by];
    const unknown = [...new Set(keys)].filter((key) => !found.has(key));
    if (unknown.length > 0) {
      for (const [key, people] of await store.sharing(unknown, everyoneInScope, by)) {
        found.set(key, await passing(people, now));
      }
    }
    return found;
  };
}
