import { describe, expect, it } from "vitest";
import type { Move } from "../../../src/domain/state/change.ts";
import type { Staging } from "../../../src/domain/state/staging.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

type StagingStore = Staging & Pick<StateStore, "membersAmong" | "commit" | "close">;

/** Stages the members and commits what differs. @returns who moved */
async function swapScope(store: StagingStore, members: readonly string[]): Promise<readonly Move[]> {
  await store.beginScope();
  await store.stageScope(members);
  await store.compareScope();
  const moves = await store.movedInScope("", 99);
  await store.commit({ moves }, "private");
  return moves;
}

async function stageGroups(store: StagingStore, groups: Readonly<Record<string, readonly string[]>>) {
  await store.beginNamedGroups();
  for (const [name, members] of Object.entries(groups)) await store.stageNamedGroup(name, members);
  return store.movedInGroups();
}

const byGroupAndId = (one: Move, other: Move): number =>
  `${one.group} ${one.objectId}` < `${other.group} ${other.objectId}` ? -1 : 1;

/** The scope and the groups of filters, staged next to the current ones. */
export function describeStaging(make: MakeState<StagingStore>): void {
  describe("a staged scope", () => {
    const state = eachWithFreshState(make);
    const members = async () => [...(await state.store.membersAmong(["a", "b", "c", "d"]))].sort();

    it("is compared with the current one, which stays until the difference is committed", async () => {
      const { store } = state;
      await swapScope(store, ["a", "b"]);
      await store.beginScope();
      await store.stageScope(["b", "c", "c"]);
      await store.stageScope(["b", "d"]);
      expect(await store.compareScope()).toEqual({ members: 3 });
      expect(await store.movedInScope("", 2)).toEqual([
        { objectId: "a", entered: false },
        { objectId: "c", entered: true },
      ]);
      expect(await store.movedInScope("c", 2)).toEqual([{ objectId: "d", entered: true }]);
      expect(await members()).toEqual(["a", "b"]);
      await store.commit({ moves: await store.movedInScope("", 9) }, "private");
      expect(await members()).toEqual(["b", "c", "d"]);
    });

    it("is empty at the beginning of the next read, whatever an interrupted read had staged", async () => {
      const { store } = state;
      await swapScope(store, ["a", "b"]);
      await store.beginScope();
      await store.stageScope(["c"]);
      expect(await swapScope(store, ["a", "b"])).toEqual([]);
      expect(await members()).toEqual(["a", "b"]);
    });

    it("belongs to one process", async () => {
      const { store } = state;
      const other = await state.another();
      await store.beginScope();
      await store.stageScope(["a"]);
      await other.beginScope();
      await other.stageScope(["b"]);
      await store.compareScope();
      expect(await store.movedInScope("", 9)).toEqual([{ objectId: "a", entered: true }]);
    });
  });

  describe("staged groups of filters", () => {
    const state = eachWithFreshState(make);

    it("differ from the current ones by the people who are only in one of them", async () => {
      const { store } = state;
      const first = await stageGroups(store, { G: ["a", "b", "b"], H: ["b"] });
      expect(first.toSorted(byGroupAndId)).toEqual([
        { objectId: "a", entered: true, group: "G" },
        { objectId: "b", entered: true, group: "G" },
        { objectId: "b", entered: true, group: "H" },
      ]);
      await store.commit({ moves: first }, "private");
      expect(await stageGroups(store, { G: ["a", "b"], H: ["b"] })).toEqual([]);
      expect((await stageGroups(store, { G: ["b", "c"] })).toSorted(byGroupAndId)).toEqual([
        { objectId: "a", entered: false, group: "G" },
        { objectId: "c", entered: true, group: "G" },
        { objectId: "b", entered: false, group: "H" },
      ]);
    });

    it("is one process's own, and empty at the beginning of the next read", async () => {
      const { store } = state;
      const other = await state.another();
      await store.beginNamedGroups();
      await store.stageNamedGroup("G", ["a"]);
      expect(await stageGroups(other, { G: ["b"] })).toEqual([{ objectId: "b", entered: true, group: "G" }]);
      expect(await store.movedInGroups()).toEqual([{ objectId: "a", entered: true, group: "G" }]);
      expect(await stageGroups(store, {})).toEqual([]);
    });
  });
}
