import type { SourceChange } from "../../domain/source.ts";
import { externalIdKey, userNameKey } from "../../mapping/rules/map-user.ts";
import type { CycleContext } from "../context/context.ts";
import { type Derive, type FoldedPeople, foldPeople } from "../pictures/fold-people.ts";

/** Saves a few people as they were read from the directory, in one commit. It may be lost: then their watermark is, too, and they are read again. */
export async function keepPeople(
  context: CycleContext,
  page: readonly SourceChange[],
): Promise<Omit<FoldedPeople, "change">> {
  const { store, fence, cycleId, inTurn } = context;
  return inTurn(async () => {
    const known = await store.personRows([...new Set(page.map(({ objectId }) => objectId))]);
    const { change, ...said } = foldPeople(known, page, cycleId, deriveOf(context));
    await store.commit({ ...change, mayBeLost: true }, fence);
    return said;
  });
}

function deriveOf({ settings, clock, random }: CycleContext): Derive {
  const { mapping } = settings;
  const environment = { now: clock.now, random };
  return {
    userNameKey: (user) => userNameKey(mapping, user, environment),
    externalIdKey: (user) => externalIdKey(mapping, user, environment),
    alwaysInScope: mapping.filters.includes,
    ofManager: mapping.ofManager,
  };
}
