import { describe, expect, it } from "vitest";
import { sharersOf } from "../../../src/cycle/planning/namesakes.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { hired, marked, noKey, settle } from "./kept-rows.ts";

/** The scope and the groups that filters name, as the engine keeps them in any store. */
export function describeKeptScope(make: MakeState): void {
  const opened = eachWithFreshState(make);

  describe("what the engine keeps of the scope", () => {
    it("is what was read although another process has added one of its members in between", async () => {
      const { store } = opened;
      const other = await opened.another();
      await store.beginScope();
      await store.stageScope(["a", "b"]);
      const committed = kept(store).scope();
      await kept(other).membership({ members: ["a"], others: [] });
      expect(await committed).toMatchObject({ members: 2 });
      await store.beginScope();
      await store.stageScope(["a", "b"]);
      await kept(store).people([hired("a"), hired("b"), hired("c")], 1, noKey);
      expect(await kept(store).scope()).toEqual({ members: 2, entered: 0, left: 0 });
    });

    it("has a person planned and tried at once when the membership changes, and not when it stays", async () => {
      const { store } = opened;
      await kept(store).people([hired("a"), hired("b")], 1, noKey);
      await settle(store);
      const retry = {
        attempts: 5,
        firstFailedAt: 1,
        lastFailedAt: 2,
        nextTryAt: 99,
        code: "X",
        message: "no",
      };
      const fail = () =>
        kept(store).outcomes(
          ["a", "b"].map((objectId) => ({
            operationId: 0,
            objectId,
            status: "failed",
            referencePending: false,
            retry: { ...retry, objectId },
            finishedAt: 2,
          })),
        );
      const waiting = async () =>
        (await store.retries(9)).filter(({ nextTryAt }) => nextTryAt > 0).map(({ objectId }) => objectId);
      await fail();
      await kept(store).membership({ members: ["a"], others: ["b"] });
      expect([await marked(store, false), await waiting()]).toEqual([["a"], ["b"]]);
      await settle(store);
      await fail();
      await kept(store).membership({ members: ["a"], others: ["b"] });
      expect([await marked(store, false), await waiting()]).toEqual([[], ["a", "b"]]);
    });

    it("replaces the scope as a whole and marks people who entered or left", async () => {
      const { store } = opened;
      await kept(store).people([hired("a"), hired("b"), hired("c")], 1, noKey);
      await store.beginScope();
      await store.stageScope(["a", "b"]);
      await kept(store).scope();
      await settle(store);
      await store.beginScope();
      await store.stageScope(["c"]);
      // A read that breaks off here leaves the old scope in force.
      expect(await marked(store, false)).toEqual([]);
      await store.stageScope(["b", "b"]);
      expect(await kept(store).scope()).toEqual({ members: 2, entered: 1, left: 1 });
      expect(await marked(store, false)).toEqual(["a", "c"]);
    });

    it("marks people who enter or leave a group that filters name", async () => {
      const { store } = opened;
      await kept(store).people(
        ["a", "b", "c"].map((id) => hired(id)),
        1,
        noKey,
      );
      const regroup = async (groups: Record<string, readonly string[]>) => {
        await store.beginNamedGroups();
        for (const [name, ids] of Object.entries(groups)) await store.stageNamedGroup(name, ids);
        return kept(store).groups();
      };
      expect(await regroup({ G: ["a", "b", "b"], H: ["b", "nobody"] })).toEqual({ moved: 3 });
      await settle(store);
      expect(await regroup({ G: ["a", "b"], H: ["b", "nobody"] })).toEqual({ moved: 0 });
      // A read that breaks off here leaves the old members in force.
      await store.beginNamedGroups();
      await store.stageNamedGroup("G", ["c"]);
      expect(await marked(store)).toEqual([]);
      expect(await regroup({ G: ["b", "c"], H: ["a", "nobody"] })).toEqual({ moved: 3 });
      expect(await marked(store)).toEqual(["a", "b", "c"]);
      const people = await store.candidates({
        select: "everybody",
        everyoneInScope: true,
        after: "",
        limit: 9,
      });
      expect(people.map(({ groups }) => [...groups])).toEqual([["H"], ["G"], ["G"]]);
    });

    it("has people as members whom the configuration names, and marks them when it does", async () => {
      const { store } = opened;
      const named = ({ objectId }: { objectId: string }) => objectId !== "b";
      const shared = ({ objectId }: { objectId: string }) => (objectId === "c" ? null : "kim");
      await kept(store).people([hired("a"), hired("b"), hired("c")], 1, shared);
      await settle(store);
      await kept(store).people([hired("a"), hired("b"), hired("c")], 2, shared, [], named);
      expect(await marked(store, false)).toEqual(["a", "b", "c"]);
      const people = await store.candidates({
        select: "everybody",
        everyoneInScope: false,
        after: "",
        limit: 9,
      });
      expect(people.map(({ member }) => member)).toEqual([true, false, true]);
      expect(await sharersOf(store, ["kim"], false)).toEqual(new Map([["kim", ["a"]]]));
    });
  });
}
