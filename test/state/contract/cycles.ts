import { describe, expect, it } from "vitest";
import { foldEnd } from "../../../src/cycle/pictures/fold-cycle.ts";
import { LeaseHeldError } from "../../../src/domain/errors.ts";
import type { PersonPlan } from "../../../src/domain/state/planning.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, operationRow, personRow } from "./rows.ts";

const hour = 3_600_000;

function creation(objectId: string): PersonPlan {
  return {
    kind: "operation",
    referencePending: false,
    operation: {
      action: "create",
      objectId,
      userName: `${objectId}@example.com`,
      latticeId: null,
      reason: "new in scope",
      evidence: null,
      changes: [],
      adopts: false,
    },
  };
}

async function begin(store: StateStore, planId: string, startedAt = 1): Promise<number> {
  return store.beginCycle({ planId, kind: "incremental", startedAt }, "private");
}

/** Begins the first planned operation of the cycle, and records that it was done at `finishedAt`. */
async function sendFirst(store: StateStore, cycleId: number, finishedAt: number): Promise<void> {
  const [first] = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 1 });
  if (first === undefined) throw new Error("nothing is planned");
  await kept(store).beginning([first.id], finishedAt);
  await kept(store).outcomes([
    { operationId: first.id, objectId: first.objectId, status: "done", referencePending: false, finishedAt },
  ]);
}

/** Cycles, and what is kept of each. */
export function describeCycles(make: MakeState): void {
  describe("a cycle", () => {
    const state = eachWithFreshState(make);

    it("has no end while it is under way, and keeps its end, plan and error", async () => {
      const { store } = state;
      const cycleId = await begin(store, "plan-1", 5);
      const summary = {
        create: 0,
        update: 0,
        deactivate: 0,
        reactivate: 0,
        link: 0,
        unchanged: 3,
        skipped: 1,
      };
      const guard = { held: true, reasons: ["too many"] };
      expect(await store.cycleOfPlan("plan-1")).toMatchObject({
        startedAt: 5,
        finishedAt: null,
        outcome: null,
      });
      await store.commit({ cyclePlan: { cycleId, summary, guard, notes: ["a note"] } }, "private");
      await kept(store).ended(cycleId, { finishedAt: 9, outcome: "failed", error: "it broke" });
      expect(await store.cycleOfPlan("plan-1")).toEqual({
        id: cycleId,
        planId: "plan-1",
        kind: "incremental",
        startedAt: 5,
        finishedAt: 9,
        outcome: "failed",
        error: "it broke",
        summary,
        guard,
        notes: ["a note"],
        done: 0,
        failed: 0,
        outcomes: [],
      });
      expect(await store.cycleOfPlan("plan-2")).toBeNull();
    });

    it("is listed with the newest first, in pages", async () => {
      const { store } = state;
      const ids: number[] = [];
      for (let number = 0; number < 7; number += 1) ids.unshift(await begin(store, `plan-${number}`));
      expect((await store.recentCycles(3)).map(({ id }) => id)).toEqual(ids.slice(0, 3));
      expect((await store.recentCycles(9, ids[2])).map(({ id }) => id)).toEqual(ids.slice(3));
    });

    it("counts operations that it did not begin as cancelled, and keeps no rows of them", async () => {
      const { store } = state;
      const cycleId = await begin(store, "plan");
      await kept(store).decisions(cycleId, ["a", "b", "c"].map(creation));
      await sendFirst(store, cycleId, 2);
      await kept(store).ended(cycleId, { finishedAt: 3, outcome: "interrupted", error: null });
      const [cycle] = await store.recentCycles(1);
      expect(cycle).toMatchObject({ done: 1, failed: 0 });
      expect(new Map(cycle?.outcomes.map(({ outcome, count }) => [outcome, count]))).toEqual(
        new Map([
          ["done", 1],
          ["cancelled", 2],
        ]),
      );
      expect((await store.history({ limit: 9 })).map(({ status }) => status)).toEqual(["done"]);
    });

    it("of a dry run keeps the rows of its plan as cancelled", async () => {
      const { store } = state;
      const cycleId = await begin(store, "plan");
      await kept(store).decisions(cycleId, ["a", "b"].map(creation));
      await kept(store).ended(cycleId, { finishedAt: 3, outcome: "done", error: null, keepPlan: true });
      expect((await store.history({ limit: 9 })).map(({ status }) => status)).toEqual([
        "cancelled",
        "cancelled",
      ]);
    });

    it("removes, when it begins, operations that the run before had planned and never begun", async () => {
      const { store } = state;
      const died = await begin(store, "died");
      await kept(store).decisions(died, ["a", "b"].map(creation));
      await sendFirst(store, died, 2);
      await kept(await state.another()).begun({ planId: "next", kind: "incremental", startedAt: 3 });
      const left = await store.history({ cycleId: died, limit: 9 });
      expect(left.map(({ status }) => status)).toEqual(["done"]);
    });
  });

  describe("what a cycle leaves", () => {
    const state = eachWithFreshState(make);
    const statuses = async (cycleId: number) =>
      (await state.store.history({ cycleId, limit: 9 })).map(
        ({ objectId, status }) => `${objectId} ${status}`,
      );
    const reported = (cycleId: number, objectId: string, after: string) =>
      state.store.commit(
        {
          operations: {
            add: [operationRow(cycleId, objectId, { status: "reported", after })],
          },
        },
        "private",
      );

    it("goes, or is cancelled, by the status that it has, in one cycle or in every cycle", async () => {
      const { store } = state;
      const [first, second] = [await begin(store, "first"), await begin(store, "second")];
      for (const cycleId of [first, second]) {
        const add = ["a", "b"].map((id) => operationRow(cycleId, id));
        await store.commit({ operations: { add } }, "private");
      }
      await store.commit(
        { leftOver: [{ cycleId: second, status: "reported", become: "removed" }] },
        "private",
      );
      expect(await statuses(second)).toEqual(["b planned", "a planned"]);
      await store.commit(
        { leftOver: [{ cycleId: second, status: "planned", become: "cancelled" }] },
        "private",
      );
      expect(await statuses(second)).toEqual(["b cancelled", "a cancelled"]);
      expect(await statuses(first)).toEqual(["b planned", "a planned"]);
      await store.commit({ leftOver: [{ status: "planned", become: "removed" }] }, "private");
      expect([await statuses(first), await statuses(second)]).toEqual([[], ["b cancelled", "a cancelled"]]);
    });

    it("is not an operation that was answered, or that is in doubt", async () => {
      const { store } = state;
      const cycleId = await begin(store, "plan");
      const add = ["a", "b", "c"].map((id) => operationRow(cycleId, id));
      await store.commit({ operations: { add } }, "private");
      const planned = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 9 });
      const [a = 0, b = 0, c = 0] = planned.map(({ id }) => id);
      await store.commit({ intents: { begin: { operationIds: [a, b], at: 2 } } }, "private");
      await store.commit(
        {
          ended: [
            { id: a, status: "cancelled", finishedAt: 3 },
            { id: b, status: "cancelled", finishedAt: 3, httpStatus: 500 },
            { id: c, status: "cancelled", finishedAt: 3 },
          ],
          intents: { end: ["b"] },
        },
        "private",
      );
      await store.commit({ leftOver: [{ cycleId, status: "cancelled", become: "removed" }] }, "private");
      expect(await statuses(cycleId)).toEqual(["b cancelled", "a cancelled"]);
    });

    it("takes the place of older operations that say the same of the same person", async () => {
      const { store } = state;
      const [first, second] = [await begin(store, "first"), await begin(store, "second")];
      await reported(first, "a", "Cook");
      await reported(first, "b", "Cook");
      await reported(first, "c", "Cook");
      await reported(second, "a", "Cook");
      await reported(second, "b", "Chief");
      await store.commit(
        { leftOver: [{ cycleId: second, status: "reported", become: "kept", replacesEqual: true }] },
        "private",
      );
      expect(await statuses(first)).toEqual(["c reported", "b reported"]);
      expect(await statuses(second)).toEqual(["b reported", "a reported"]);
    });

    it("is counted by action and status as long as it is in the log", async () => {
      const { store } = state;
      const cycleId = await begin(store, "plan");
      expect(await store.countOutcomes(cycleId)).toEqual([]);
      await kept(store).decisions(cycleId, ["a", "b", "c"].map(creation));
      await reported(cycleId, "a", "Cook");
      await sendFirst(store, cycleId, 2);
      const counts = await store.countOutcomes(cycleId);
      expect(counts.map(({ action, outcome, count }) => `${count} ${action} ${outcome}`).sort()).toEqual([
        "1 create done",
        "1 update reported",
        "2 create planned",
      ]);
      // Until the cycle ends its record says the same.
      const [record] = await store.recentCycles(1);
      expect(new Set(record?.outcomes)).toEqual(new Set(counts));
    });
  });

  describe("a run that lost the lease", () => {
    const state = eachWithFreshState(make);

    it("adds no cycle", async () => {
      const { store } = state;
      await store.acquireLease("one", 0, 100);
      const fence = { owner: "one" };
      const cycle = { planId: "plan", kind: "incremental", startedAt: 1 } as const;
      const cycleId = await store.beginCycle(cycle, fence);
      await (await state.another()).acquireLease("two", 200, 100);
      await expect(store.beginCycle({ ...cycle, planId: "next" }, fence)).rejects.toThrow(LeaseHeldError);
      expect((await store.recentCycles(9)).map(({ id }) => id)).toEqual([cycleId]);
    });
  });

  describe("a clock that was set back", () => {
    const state = eachWithFreshState(make);

    it("has future times of cycles and operations moved to now, and keeps earlier ones", async () => {
      const { store } = state;
      for (const [planId, at] of [
        ["before", hour],
        ["ahead", 9 * hour],
      ] as const) {
        const cycleId = await begin(store, planId, at);
        await kept(store).decisions(cycleId, [creation(planId)]);
        await sendFirst(store, cycleId, at);
        await kept(store).ended(cycleId, { finishedAt: at, outcome: "done", error: null });
      }
      await kept(store).clockSetBack(2 * hour);
      expect(await store.recentCycles(2)).toMatchObject([
        { planId: "ahead", startedAt: 2 * hour, finishedAt: 2 * hour },
        { planId: "before", startedAt: hour, finishedAt: hour },
      ]);
      expect((await store.history({ limit: 2 })).map(({ at }) => at)).toEqual([2 * hour, hour]);
    });

    it("has an operation that ended long after its cycle moved as well", async () => {
      const { store } = state;
      const cycleId = await begin(store, "plan", hour);
      await store.commit({ operations: { add: [operationRow(cycleId, "a")] } }, "private");
      await store.commit(foldEnd({ cycleId, finishedAt: hour, outcome: "done", error: null }, []), "private");
      await store.commit({ operations: { add: [operationRow(cycleId, "b")] } }, "private");
      const [late] = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 1 });
      const endedLate = [{ id: late?.id ?? 0, status: "done", finishedAt: 9 * hour }] as const;
      await store.commit({ endedLate }, "private");
      await store.commit({ noLaterThan: 2 * hour }, "private");
      expect(await store.history({ limit: 1 })).toMatchObject([{ at: 2 * hour, finishedAt: 2 * hour }]);
    });

    it("has releases, rejections and missing accounts moved, and dissolved links", async () => {
      const { store } = state;
      await store.commit({ people: { readIn: 1, put: [personRow("a")] } }, "private");
      const change = { objectId: "a", attribute: "title", fingerprint: "f", planId: "plan" };
      const link = { objectId: "a", externalId: null, userName: "a@example.com", reason: "gone" };
      await store.commit(
        {
          releases: { put: [{ ...change, releasedAt: 9 }] },
          rejections: { put: [{ ...change, evidence: null, rejectedAt: 9 }] },
          accounts: {
            put: [accountRow("l1", "a", { missingSince: 9 }), accountRow("l2", null, { missingSince: 3 })],
          },
          lostLinks: {
            put: [
              { ...link, latticeId: "l3", missingSince: 8, dissolvedAt: 9 },
              { ...link, latticeId: "l4", missingSince: 3, dissolvedAt: 9 },
            ],
          },
        },
        "private",
      );
      await store.commit({ noLaterThan: 5 }, "private");
      expect(await store.releasesBefore(6)).toHaveLength(1);
      expect(await store.rejections(9)).toMatchObject([{ rejectedAt: 5 }]);
      const accounts = await store.accountRows({ latticeIds: ["l1", "l2"], objectIds: [] });
      expect(new Map(accounts.map(({ latticeId, missingSince }) => [latticeId, missingSince]))).toEqual(
        new Map([
          ["l1", 5],
          ["l2", 3],
        ]),
      );
      const query = { select: { only: ["a"] }, everyoneInScope: true, after: "", limit: 1 };
      expect((await store.candidates(query))[0]?.lostLinks).toMatchObject([
        { latticeId: "l3", missingSince: 5, dissolvedAt: 5 },
        { latticeId: "l4", missingSince: 3, dissolvedAt: 5 },
      ]);
    });

    it("has what was seen of a leaver moved, who is looked at again at once", async () => {
      const { store } = state;
      await store.commit(
        { people: { readIn: 1, put: ["a", "b", "c"].map((id) => personRow(id)) } },
        "private",
      );
      const seen = (objectId: string, disabled: number, outOfScope: number) => ({
        objectId,
        events: new Map([
          ["disabled", disabled],
          ["outOfScope", outOfScope],
        ] as const),
      });
      await store.commit({ leaving: [seen("a", 9, 3), seen("b", 4, 5), seen("c", 6, 7)] }, "private");
      expect(await store.leavingAfter(5, "", 1)).toEqual([seen("a", 9, 3)]);
      expect(await store.leavingAfter(5, "a", 9)).toEqual([seen("c", 6, 7)]);
      await kept(store).clockSetBack(5);
      expect(await store.leavingAfter(4, "", 9)).toEqual([seen("a", 5, 3), seen("b", 4, 5), seen("c", 5, 5)]);
      expect(await store.duePeople(5, "", 9)).toEqual(["a", "c"]);
    });

    it("has a retry keep its delay", async () => {
      const { store } = state;
      await store.commit({ people: { readIn: 1, put: [personRow("a")] } }, "private");
      const times = { firstFailedAt: hour, lastFailedAt: 9 * hour, nextTryAt: 10 * hour };
      const retry = { objectId: "a", attempts: 2, code: "X", message: "no", ...times };
      await kept(store).outcomes([
        {
          operationId: 0,
          objectId: "a",
          status: "failed",
          referencePending: false,
          retry,
          finishedAt: 9 * hour,
        },
      ]);
      await kept(store).clockSetBack(2 * hour);
      expect(await store.retryOf("a")).toMatchObject({
        firstFailedAt: hour,
        lastFailedAt: 2 * hour,
        nextTryAt: 3 * hour,
      });
    });
  });
}
