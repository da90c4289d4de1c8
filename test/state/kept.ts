import { foldPeople } from "../../src/cycle/pictures/fold-people.ts";
import { markDue } from "../../src/cycle/reading/due.ts";
import {
  type Keeping,
  keepMembership,
  keepStagedGroups,
  keepStagedScope,
} from "../../src/cycle/reading/scope.ts";
import type { SourceChange, SourceUser } from "../../src/domain/source.ts";
import type { StateStore } from "../../src/domain/store.ts";

type KeyOf = (user: SourceUser) => string | null;

/** What the engine keeps of what it reads, on this store: its own folds and commits, without a cycle around them. */
export function kept(store: StateStore) {
  const at = (now: number): Keeping => ({
    store,
    fence: "private",
    clock: { now: () => now, sleep: async () => {} },
    signal: new AbortController().signal,
  });
  return {
    people: async (
      page: readonly SourceChange[],
      cycleId: number,
      userNameKey: KeyOf = () => null,
      ofManager: readonly string[] = [],
      alwaysInScope: (user: SourceUser) => boolean = () => false,
      externalIdKey: KeyOf = () => null,
    ) => {
      const known = await store.personRows(page.map(({ objectId }) => objectId));
      const derive = { userNameKey, ofManager, alwaysInScope, externalIdKey };
      const { change, ...said } = foldPeople(known, page, cycleId, derive);
      await store.commit(change, "private");
      return said;
    },
    scope: () => keepStagedScope(at(0)),
    membership: (change: Parameters<typeof keepMembership>[1]) => keepMembership(at(0), change),
    groups: async () => ({ moved: await keepStagedGroups(at(0)) }),
    due: (now: number) => markDue(at(now)),
  };
}
