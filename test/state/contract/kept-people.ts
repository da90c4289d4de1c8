import { describe, expect, it } from "vitest";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { account, creation, hired, marked, noKey, settle } from "./kept-rows.ts";

/** People of the directory, as the engine keeps them in any store. */
export function describeKeptPeople(make: MakeState): void {
  const opened = eachWithFreshState(make);

  describe("what the engine keeps of people", () => {
    it("marks only people whose data changed, whether read in full or as a change", async () => {
      const { store } = opened;
      await kept(store).people([hired("a", { jobTitle: "X", mail: "a@example.com" }), hired("b")], 1, noKey);
      expect(await marked(store)).toEqual(["a", "b"]);
      await settle(store);
      await kept(store).people([hired("a", { mail: "a@example.com", jobTitle: "X" })], 2, noKey);
      expect(await marked(store)).toEqual([]);

      const change = { kind: "upsert", objectId: "a", complete: false, managerId: undefined } as const;
      await kept(store).people([{ ...change, attributes: { jobTitle: null } }], 3, noKey);
      expect(await marked(store)).toEqual(["a"]);
      expect((await store.findSource("a"))?.attributes).toEqual({ mail: "a@example.com" });
    });

    it("marks the reports of a person who is deleted", async () => {
      const { store } = opened;
      await kept(store).people([hired("boss"), hired("report", {}, "boss"), hired("other")], 1, noKey);
      await settle(store);
      await kept(store).people([{ kind: "removed", objectId: "boss", presence: "softDeleted" }], 2, noKey);
      expect(await marked(store)).toEqual(["boss", "report"]);
    });

    it("marks people whose time has come, once, together with the people who share the name", async () => {
      const { store } = opened;
      const key = ({ objectId }: { objectId: string }) => (objectId === "other" ? "other" : "kim");
      await kept(store).people([hired("a"), hired("b"), hired("other")], 1, key);
      const cycleId = await settle(store);
      await kept(store).decisions(cycleId, [
        { kind: "ignored", objectId: "a", lookAgainAt: 100 },
        { kind: "ignored", objectId: "other", lookAgainAt: 200 },
      ]);
      expect([await kept(store).due(99), await marked(store)]).toEqual([0, []]);
      expect([await kept(store).due(100), await marked(store)]).toEqual([1, ["a", "b"]]);
      expect(await kept(store).due(100)).toBe(0);
      // A later decision without a date removes the date.
      await kept(store).decisions(cycleId, [
        { kind: "unchanged", objectId: "other", referencePending: false },
      ]);
      expect(await kept(store).due(1_000)).toBe(0);
    });

    it("has the time since when a person is gone until the planner forgets it", async () => {
      const { store } = opened;
      await kept(store).people([hired("a"), hired("b")], 1, noKey);
      const cycleId = await store.beginCycle({ planId: "p", kind: "reconcile", startedAt: 50 }, "private");
      const decide = (events?: ReadonlyMap<"deleted" | "outOfScope" | "disabled", number>) =>
        kept(store).decisions(cycleId, [
          { kind: "unchanged", objectId: "a", referencePending: false, ...(events && { events }) },
        ]);
      const eventsOf = async () =>
        (await store.candidates({ select: { only: ["a"] }, everyoneInScope: true, after: "", limit: 1 }))[0]
          ?.events;
      const seen = new Map([
        ["outOfScope", 10],
        ["disabled", 90],
      ] as const);
      await decide(seen);
      await decide();
      expect(await eventsOf()).toEqual(seen);
      await kept(store).accounts([account("L1", "a")], cycleId);
      expect(await store.countLeaving("outOfScope", 10)).toBe(0);
      await kept(store).decisions(cycleId, [
        { kind: "operation", operation: creation("a"), referencePending: false },
      ]);
      const [operation] = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 1 });
      await kept(store).outcomes([
        {
          operationId: operation?.id ?? 0,
          objectId: "a",
          status: "done",
          target: account("L1", "a"),
          referencePending: false,
          finishedAt: 60,
        },
      ]);
      expect([
        await store.countLeaving("outOfScope", 10),
        await store.countLeaving("outOfScope", 11),
      ]).toEqual([1, 0]);
      // The clock was set back: an event later than now counts as seen now, and its person is planned at once.
      await kept(store).clockSetBack(60);
      expect(await eventsOf()).toEqual(new Map([...seen, ["disabled", 60]]));
      expect(await kept(store).due(60)).toBe(1);
      await decide(new Map());
      expect(await eventsOf()).toEqual(new Map());
    });
  });
}
