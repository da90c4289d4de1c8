import { beforeEach, describe, expect, it } from "vitest";
import type { Operation } from "../../../src/domain/plan.ts";
import type { NewOperation, StateChange } from "../../../src/domain/state/change.ts";
import type { Candidate } from "../../../src/domain/state/planning.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

let store: StateStore;
let cycleId: number;

const commit = (change: StateChange) => store.commit(change, "private");

const update: Operation = {
  action: "update",
  objectId: "a",
  userName: "a@example.com",
  latticeId: "L",
  reason: "title changed",
  evidence: null,
  changes: [{ attribute: "title", before: "Analyst", after: "Lead" }],
  adopts: false,
};

const row = (some: Partial<NewOperation> = {}): NewOperation => ({
  cycleId,
  status: "planned",
  operation: update,
  weights: [],
  refersTo: null,
  wave: 1,
  attempt: 1,
  at: 1,
  ...some,
});

const unpromised = { without: [], giving: ["create"] } as const;

const planned = (objectId: string, planAgain = false) => ({
  objectId,
  planAgain,
  awaitsManager: false,
  skip: null,
  lookAgainAt: null,
});

const logged = (limit = 10) => store.operations(cycleId, { afterWave: -1, afterId: 0, limit });

async function candidate(objectId: string): Promise<Candidate | undefined> {
  const select = { only: [objectId] };
  return (await store.candidates({ select, everyoneInScope: true, after: "", limit: 1 }))[0];
}

async function marked(): Promise<readonly string[]> {
  const query = { select: "marked", everyoneInScope: true, after: "", limit: 10 } as const;
  return (await store.candidates(query)).map(({ source }) => source.objectId);
}

/** The decisions of a plan are written as given. */
export function describePlanCommit(make: MakeState): void {
  describe("a commit of planned decisions", () => {
    const state = eachWithFreshState(make);

    beforeEach(async () => {
      store = state.store;
      cycleId = await store.beginCycle({ planId: "plan", kind: "initial", startedAt: 1 }, "private");
      await kept(store).people(
        ["a", "b", "c"].map((objectId) => ({
          kind: "upsert",
          objectId,
          attributes: { userPrincipalName: `${objectId}@example.com` },
          managerId: null,
          complete: true,
        })),
        cycleId,
      );
    });

    it("writes all of a change or nothing", async () => {
      const unknownCycle = row({ cycleId: 99 });
      await expect(
        commit({ operations: { add: [row(), unknownCycle] }, planned: [planned("a")] }),
      ).rejects.toThrow();
      expect([await logged(), await marked()]).toEqual([[], ["a", "b", "c"]]);
    });

    it("adds operations to the log as given, and cancels them", async () => {
      await commit({
        operations: { add: [row({ weights: [{ kind: "rename" }], attempt: 3 }), row({ status: "held" })] },
      });
      const [first, second] = await logged();
      expect(first).toMatchObject({ ...update, status: "planned", wave: 1, attempt: 3 });
      expect(await store.weighedOperations(cycleId, 0, 10)).toMatchObject([
        { weights: [{ kind: "rename" }] },
      ]);
      expect((await candidate("a"))?.held).toEqual([second?.id]);
      await commit({ operations: { patch: [{ id: second?.id ?? 0, status: "cancelled" }] } });
      expect((await logged()).map(({ status }) => status)).toEqual(["planned", "cancelled"]);
      expect((await candidate("a"))?.held).toEqual([]);
    });

    it("says where each person stands after a plan, and applies marks after that", async () => {
      const skip = { code: "ambiguousMatch", reason: "because" } as const;
      await commit({
        planned: [
          { ...planned("a"), skip, lookAgainAt: 50 },
          planned("b"),
          { ...planned("c", true), awaitsManager: true },
        ],
        marks: [{ who: "person", objectId: "b" }],
      });
      expect(await marked()).toEqual(["b", "c"]);
      expect(await store.skipped({ after: "", limit: 10 })).toMatchObject([{ objectId: "a", ...skip }]);
      expect(await store.duePeople(50, "", 10)).toEqual(["a"]);
      expect((await store.totals()).waitingForManager).toBe(1);
      await commit({ planned: [planned("a"), planned("b"), planned("c")] });
      expect([await marked(), await store.skipped({ after: "", limit: 10 })]).toEqual([[], []]);
      expect([await store.duePeople(50, "", 10), (await store.totals()).waitingForManager]).toEqual([[], 0]);
    });

    it("takes a part out of an operation, or the whole operation out of the log", async () => {
      await commit({ operations: { add: [row({ weights: [{ kind: "manager" }], refersTo: "c" }), row()] } });
      expect(await store.unsentOf(cycleId, ["b"])).toEqual([]);
      const [first = 0, second = 0] = await store.unsentOf(cycleId, ["a"]);
      const left = { changes: [], weights: [], refers: true } as const;
      await commit({ operations: { patch: [{ id: first, left }] } });
      expect(await store.unpromisedReferences(cycleId, 0, unpromised)).toMatchObject([
        { id: first, reason: "title changed", changes: [], weights: [] },
      ]);
      const withoutReference = { ...left, reason: "another", refers: false };
      await commit({ operations: { patch: [{ id: first, left: withoutReference }], remove: [second] } });
      expect(await store.unpromisedReferences(cycleId, 0, unpromised)).toEqual([]);
      expect(await logged()).toMatchObject([{ id: first, reason: "another" }]);
    });

    it("has people wait for their manager until the manager is found", async () => {
      const manager = { kind: "upsert", attributes: {}, complete: true } as const;
      await kept(store).people([{ ...manager, objectId: "a", managerId: "b" }], cycleId);
      await commit({
        planned: ["a", "b", "c"].map((objectId) => planned(objectId)),
        awaiting: [
          { objectId: "a", planAgain: false },
          { objectId: "c", planAgain: true },
        ],
      });
      expect([await marked(), (await store.totals()).waitingForManager]).toEqual([["c"], 2]);
      expect(await store.managersFound("", 10)).toEqual([]);
      await commit({ managerFound: ["a"] });
      expect((await store.totals()).waitingForManager).toBe(1);
      const query = {
        select: { managerFound: { allDoneIn: cycleId } },
        everyoneInScope: true,
        after: "",
        limit: 10,
      };
      expect((await store.candidates(query)).map(({ source }) => source.objectId)).toEqual(["a"]);
    });

    it("replaces the leaving events of a person", async () => {
      const events = new Map([["deleted", 5]] as const);
      await commit({ leaving: [{ objectId: "a", events: new Map([["disabled", 1]] as const) }] });
      await commit({ leaving: [{ objectId: "a", events }] });
      expect((await candidate("a"))?.events).toEqual(events);
      expect((await candidate("b"))?.events.size).toBe(0);
    });
  });
}
