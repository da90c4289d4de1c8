import { describe, expect, it } from "vitest";
import type { PersonPlan } from "../../../src/domain/state/planning.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { personRow } from "./rows.ts";

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
  return store.beginCycle({ planId, kind: "incremental", startedAt });
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
      await store.finishCycle(cycleId, { finishedAt: 9, outcome: "failed", error: "it broke" });
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
      await store.finishCycle(cycleId, { finishedAt: 3, outcome: "interrupted", error: null });
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
      await store.finishCycle(cycleId, { finishedAt: 3, outcome: "done", error: null, keepPlan: true });
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
      await begin(await state.another(), "next");
      const left = await store.history({ cycleId: died, limit: 9 });
      expect(left.map(({ status }) => status)).toEqual(["done"]);
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
        await store.finishCycle(cycleId, { finishedAt: at, outcome: "done", error: null });
      }
      await store.forgetTheFuture(2 * hour);
      expect(await store.recentCycles(2)).toMatchObject([
        { planId: "ahead", startedAt: 2 * hour, finishedAt: 2 * hour },
        { planId: "before", startedAt: hour, finishedAt: hour },
      ]);
      expect((await store.history({ limit: 2 })).map(({ at }) => at)).toEqual([2 * hour, hour]);
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
      await store.forgetTheFuture(2 * hour);
      expect(await store.retryOf("a")).toMatchObject({
        firstFailedAt: hour,
        lastFailedAt: 2 * hour,
        nextTryAt: 3 * hour,
      });
    });
  });
}
