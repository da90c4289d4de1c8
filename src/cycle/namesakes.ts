import type { StateStore } from "../domain/store.ts";
import type { ScopingFilters } from "../mapping/scoping-filter.ts";

/**
 * Leaves out of `sharing` (people by the userName that they map to) whoever the filters keep out at the moment. Who they
 * keep out for good is not among them in the first place.
 */
export async function namesakesInScope(
  store: Pick<StateStore, "candidates">,
  filters: ScopingFilters,
  sharing: ReadonlyMap<string, readonly string[]>,
  { everyoneInScope, now }: { readonly everyoneInScope: boolean; readonly now: number },
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (filters.steady) return sharing;
  const passes = async (objectId: string): Promise<boolean> => {
    const [candidate] = await store.candidates({
      select: { only: [objectId] },
      everyoneInScope,
      after: "",
      limit: 1,
    });
    if (candidate === undefined) return false;
    return filters.rejects(candidate.source, { now, groups: candidate.groups }) === null;
  };
  const found = new Map<string, readonly string[]>();
  for (const [key, people] of sharing) {
    if (people.length < 2) continue;
    const passing: string[] = [];
    for (const objectId of people) if (await passes(objectId)) passing.push(objectId);
    found.set(key, passing);
  }
  return found;
}
