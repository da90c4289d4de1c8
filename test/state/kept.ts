import { type DecidedPerson, foldDecisions } from "../../src/cycle/pictures/fold-decisions.ts";
import { foldPeople } from "../../src/cycle/pictures/fold-people.ts";
import { markDue } from "../../src/cycle/reading/due.ts";
import {
  type Keeping,
  keepMembership,
  keepStagedGroups,
  keepStagedScope,
} from "../../src/cycle/reading/scope.ts";
import type { SourceChange, SourceUser } from "../../src/domain/source.ts";
import type { Decision, StateStore } from "../../src/domain/store.ts";

const unknownPerson: DecidedPerson["known"] = {
  retry: null,
  released: new Map(),
  rejected: [],
  events: new Map(),
  held: [],
};

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
    decisions: async (cycleId: number, decisions: readonly Decision[]) => {
      const startedAt = (await store.recentCycles(1, cycleId + 1))[0]?.startedAt ?? 0;
      const only = decisions.map(objectIdOf);
      const query = { select: { only }, everyoneInScope: true, after: "", limit: only.length };
      const candidates = await store.candidates(query);
      const byId = new Map(candidates.map((candidate) => [candidate.source.objectId, candidate]));
      const people = decisions.map((decision) => ({
        known: byId.get(objectIdOf(decision)) ?? unknownPerson,
        decision,
      }));
      await store.commit(foldDecisions(people, { cycleId, startedAt }), "private");
    },
  };
}

function objectIdOf(decision: Decision): string {
  if (decision.kind === "operation") return decision.operation.objectId;
  return decision.kind === "skipped" ? decision.skipped.objectId : decision.objectId;
}
