import { describe, expect, it } from "vitest";
import type { RetryRecord } from "../../../src/domain/state/retry.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { operationRow, personRow, plannedRow, settled, toPlan } from "./rows.ts";

function retry(objectId: string, more: Partial<RetryRecord> = {}): RetryRecord {
  const times = { firstFailedAt: 1, lastFailedAt: 2, nextTryAt: 3 };
  return { objectId, attempts: 1, ...times, code: "X", message: "no", ...more };
}

/** A cycle that plans an update of each of these people, who are known. @returns the ids of the operations in order */
async function planFor(
  store: StateStore,
  people: readonly string[],
  planId = "plan",
): Promise<readonly number[]> {
  await settled(
    store,
    people.map((id) => personRow(id)),
  );
  const cycleId = await store.beginCycle({ planId, kind: "incremental", startedAt: 1 }, "private");
  await store.commit({ operations: { add: people.map((id) => operationRow(cycleId, id)) } }, "private");
  const planned = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 99 });
  return planned.map(({ id }) => id);
}

/** Operations under way, and their outcomes. */
export function describeOutcomes(make: MakeState): void {
  describe("an operation of the log", () => {
    const state = eachWithFreshState(make);

    it("is sent in the order of waves, then of ids, in pages", async () => {
      const { store } = state;
      const cycleId = await store.beginCycle(
        { planId: "plan", kind: "incremental", startedAt: 1 },
        "private",
      );
      const waves = [3, 2, 3, 2].map((wave, index) => operationRow(cycleId, `p${index}`, { wave }));
      await store.commit({ operations: { add: waves } }, "private");
      const order: string[] = [];
      let [afterWave, afterId] = [-1, 0];
      for (;;) {
        const page = await store.operations(cycleId, { afterWave, afterId, limit: 3 });
        order.push(...page.map(({ objectId }) => objectId));
        const last = page.at(-1);
        if (last === undefined) break;
        [afterWave, afterId] = [last.wave, last.id];
      }
      expect(order).toEqual(["p1", "p3", "p0", "p2"]);
    });

    it("is held, cancelled or removed by its id", async () => {
      const { store } = state;
      const [first = 0, second = 0, third = 0] = await planFor(store, ["a", "b", "c"]);
      await store.commit(
        {
          operations: {
            patch: [
              { id: first, status: "held" },
              { id: second, status: "cancelled" },
            ],
            remove: [third],
          },
        },
        "private",
      );
      const log = await store.history({ limit: 9 });
      expect(log.map(({ objectId, status }) => [objectId, status])).toEqual([
        ["b", "cancelled"],
        ["a", "held"],
      ]);
    });

    it("records its end, and the id of the account", async () => {
      const { store } = state;
      const [id = 0] = await planFor(store, ["a"]);
      await store.commit({ intents: { begin: { operationIds: [id], at: 5 } } }, "private");
      const ended = { id, status: "failed", finishedAt: 8, httpStatus: 422, requestId: "r-1" } as const;
      await store.commit({ ended: [{ ...ended, error: "not this title", latticeId: "lat-9" }] }, "private");
      expect(await store.history({ limit: 1 })).toMatchObject([
        {
          status: "failed",
          startedAt: 5,
          finishedAt: 8,
          durationMs: 3,
          httpStatus: 422,
          requestId: "r-1",
          latticeId: "lat-9",
        },
      ]);
    });

    it("of an earlier cycle that is only now known to be done changes that cycle's counts", async () => {
      const { store } = state;
      const [id = 0] = await planFor(store, ["a"]);
      await store.commit({ intents: { begin: { operationIds: [id], at: 5 } } }, "private");
      await store.commit({ ended: [{ id, status: "failed", finishedAt: 6 }] }, "private");
      const { id: cycleId = 0 } = (await store.recentCycles(1))[0] ?? {};
      await kept(store).ended(cycleId, { finishedAt: 7, outcome: "someFailed", error: null });
      expect(await store.recentCycles(1)).toMatchObject([{ done: 0, failed: 1 }]);
      await store.commit({ endedLate: [{ id, status: "done", finishedAt: 9 }] }, "private");
      expect(await store.recentCycles(1)).toMatchObject([{ done: 1, failed: 0 }]);
      expect(await store.history({ limit: 1 })).toMatchObject([{ status: "done", at: 9 }]);
    });
  });

  describe("the intent of a write", () => {
    const state = eachWithFreshState(make);

    it("is seen by every process until it ends, whatever happened to the one that began it", async () => {
      const [first = 0, second = 0] = await planFor(state.store, ["a", "b"]);
      await state.store.commit({ intents: { begin: { operationIds: [first, second], at: 5 } } }, "private");
      // The process dies here: nothing is closed.
      const next = await state.another();
      expect(await next.openIntents()).toMatchObject([
        { objectId: "a", operationId: first, action: "update", userName: "a@example.com" },
        { objectId: "b", operationId: second },
      ]);
      await next.commit({ intents: { end: ["a"] } }, "private");
      expect((await state.store.openIntents()).map(({ objectId }) => objectId)).toEqual(["b"]);
    });

    it("ends and another one begins in one commit", async () => {
      const { store } = state;
      const [first = 0, second = 0] = await planFor(store, ["a", "b"]);
      await store.commit({ intents: { begin: { operationIds: [first], at: 5 } } }, "private");
      await store.commit(
        {
          ended: [{ id: first, status: "done", finishedAt: 6 }],
          intents: { end: ["a"], begin: { operationIds: [second], at: 7 } },
        },
        "private",
      );
      expect((await store.openIntents()).map(({ objectId }) => objectId)).toEqual(["b"]);
      const statuses = (await store.history({ limit: 9 })).map(({ status }) => status);
      expect(statuses).toEqual(["sending", "done"]);
    });
  });

  describe("a person whose write has ended", () => {
    const state = eachWithFreshState(make);

    it("is in the next plan, or waits for a manager, as the commit says", async () => {
      const { store } = state;
      await planFor(store, ["a", "b", "c"]);
      await store.commit(
        { planned: ["a", "b", "c"].map((id) => plannedRow(id, { planAgain: true })) },
        "private",
      );
      const sent = (objectId: string, planAgain: boolean, awaitsManager: boolean) => ({
        objectId,
        planAgain,
        awaitsManager,
      });
      await store.commit(
        { sent: [sent("a", false, false), sent("b", true, false), sent("c", false, true)] },
        "private",
      );
      expect(await toPlan(store)).toEqual(["b"]);
      expect(await store.totals()).toMatchObject({ waitingForManager: 1 });
    });

    it("is on the retry schedule until the commit drops them, and an unknown person never is", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      const put = [retry("a", { nextTryAt: 9 }), retry("b", { paths: ["title"] }), retry("nobody")];
      await store.commit({ retries: { put } }, "private");
      expect(await store.retries(9)).toMatchObject([
        { objectId: "b", paths: ["title"] },
        { objectId: "a", nextTryAt: 9 },
      ]);
      const again = retry("a", { attempts: 2, firstFailedAt: 5, lastFailedAt: 5 });
      await store.commit({ retries: { put: [again], drop: ["b"] } }, "private");
      expect(await store.retries(9)).toEqual([{ ...again, userName: null }]);
      expect(await store.retryOf("b")).toBeNull();
    });
  });
}
