import { describe, expect, it } from "vitest";
import { countsOf } from "../../../src/cycle/operations/weights.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { operationRow } from "./rows.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 2, 1);

/** A cycle, each an hour after the one before, that clears the titles of ten people. */
async function cycle(
  store: StateStore,
  number: number,
  end: "finished" | "died" | "unknown" = "finished",
  answeredAt = start + number * hour + 2,
): Promise<number> {
  const startedAt = start + number * hour;
  const cycleId = await store.beginCycle(
    { planId: `plan-${number}`, kind: "incremental", startedAt },
    "private",
  );
  await kept(store).decisions(
    cycleId,
    Array.from({ length: 10 }, (_, person) => ({
      kind: "operation",
      referencePending: false,
      weights: [{ kind: "clear", detail: "title" }],
      operation: {
        action: "update",
        objectId: `object-${number}-${person}`,
        userName: `person${person}@example.com`,
        latticeId: `lattice-${person}`,
        reason: "title cleared",
        evidence: null,
        changes: [{ attribute: "title", before: "Analyst", after: null }],
        adopts: false,
      },
    })),
  );
  const planned = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 100 });
  await kept(store).beginning(
    planned.map(({ id }) => id),
    startedAt + 1,
  );
  await kept(store).outcomes(
    planned.map(({ id, objectId }, index) => ({
      operationId: id,
      objectId,
      status: end === "unknown" && index === 0 ? "failed" : "done",
      unknown: end === "unknown" && index === 0,
      referencePending: false,
      finishedAt: answeredAt,
    })),
  );
  const finishedAt = startedAt + 2;
  if (end !== "died") await kept(store).ended(cycleId, { finishedAt, outcome: "done", error: null });
  return cycleId;
}

/** The plans of the cycles that are kept, the oldest first. */
async function left(store: StateStore): Promise<string> {
  const cycles = await store.recentCycles(100);
  return cycles
    .map(({ planId }) => planId.replace("plan-", ""))
    .reverse()
    .join(" ");
}

async function rows(store: StateStore): Promise<number> {
  return (await store.history({ limit: 1_000 })).length;
}

/** The cycles that are removed with their log, and those that stay. */
export function describeRetention(make: MakeState): void {
  describe("retention", () => {
    const state = eachWithFreshState(make);

    it("drops the oldest cycles while the log has more rows than allowed", async () => {
      const { store } = state;
      for (let number = 1; number <= 10; number += 1) await cycle(store, number);
      await kept(store).trimmed({ before: 0, countedSince: start + 100 * hour, maxRows: null });
      expect(await rows(store)).toBe(100);
      await kept(store).trimmed({ before: 0, countedSince: start + 100 * hour, maxRows: 45 });
      expect(await left(store)).toBe("7 8 9 10");
      expect(await rows(store)).toBe(40);
      expect(await store.history({ person: "PERSON1@example.com", limit: 100 })).toHaveLength(4);
    });

    it("drops cycles that are too old, including those of runs that died", async () => {
      const { store } = state;
      for (const number of [1, 3, 4]) await cycle(store, number, number === 3 ? "died" : "finished");
      const limits = { countedSince: start + 100 * hour, maxRows: null };
      await kept(store).trimmed({ before: start + 3 * hour, ...limits });
      expect(await left(store)).toBe("3 4");
      await kept(store).trimmed({ before: start + 100 * hour, ...limits });
      expect(await left(store)).toBe("4");
    });

    it("keeps a cycle with an old time after another kept one: the clock was behind", async () => {
      const { store } = state;
      for (const number of [2_000, 3_000]) await cycle(store, number);
      const behind = await store.beginCycle(
        { planId: "plan-behind", kind: "incremental", startedAt: start },
        "private",
      );
      await kept(store).ended(behind, { finishedAt: start + 1, outcome: "interrupted", error: "stopped" });
      await cycle(store, 3_001);
      await kept(store).trimmed({
        before: start + 2_500 * hour,
        countedSince: start + 9_000 * hour,
        maxRows: null,
      });
      expect(await left(store)).toBe("3000 behind 3001");
    });

    it("keeps what the guard counts, however many rows or days that is", async () => {
      const { store } = state;
      for (let number = 1; number <= 6; number += 1) await cycle(store, number);
      const since = start + 4 * hour;
      const before = await store.doneWeights(since);
      expect(countsOf(before).of("clear", ["title"])).toBe(30);
      await kept(store).trimmed({ before: start + 6 * hour, countedSince: since, maxRows: 5 });
      expect(await left(store)).toBe("4 5 6");
      expect(await store.doneWeights(since)).toEqual(before);
    });

    it("keeps an old write that was found to be done within the guard's window", async () => {
      const { store } = state;
      await cycle(store, 1, "finished", start + 9 * hour);
      await cycle(store, 8);
      await cycle(store, 10);
      await kept(store).trimmed({ before: start + 8.5 * hour, countedSince: start + 8.9 * hour, maxRows: 1 });
      expect(await left(store)).toBe("1 10");
    });

    it("keeps a write whose outcome is unknown", async () => {
      const { store } = state;
      await cycle(store, 1, "unknown");
      await cycle(store, 2);
      await cycle(store, 3);
      await kept(store).trimmed({ before: start + 3 * hour, countedSince: start + 100 * hour, maxRows: 1 });
      expect(await left(store)).toBe("1 3");
      expect(await store.openIntents()).toHaveLength(1);
    });

    it("keeps a cycle that ended at the very moment from which it is kept", async () => {
      const { store } = state;
      for (const number of [1, 2, 3]) await cycle(store, number);
      const limits = { countedSince: start + 100 * hour, maxRows: null };
      await kept(store).trimmed({ before: start + 2 * hour + 2, ...limits });
      expect(await left(store)).toBe("2 3");
    });
  });

  describe("the log", () => {
    const state = eachWithFreshState(make);

    it("says of old cycles how many operations it has, whether they count, and whether one is in doubt", async () => {
      const { store } = state;
      const ids = [
        await cycle(store, 1),
        await cycle(store, 2, "unknown"),
        await cycle(store, 3, "finished", start + 9 * hour),
      ];
      const [first = 0, second = 0, third = 0] = ids;
      expect(await store.oldestCycles(0, 2)).toEqual(
        [first, second].map((id, index) => ({
          id,
          startedAt: start + (index + 1) * hour,
          finishedAt: start + (index + 1) * hour + 2,
        })),
      );
      expect((await store.oldestCycles(second, 9)).map(({ id }) => id)).toEqual([third]);
      const has = { operations: 10, weighed: false, inDoubt: false };
      expect(await store.logOf([first, second, third], start + 9 * hour)).toEqual(
        new Map([
          [first, has],
          [second, { ...has, inDoubt: true }],
          [third, { ...has, weighed: true }],
        ]),
      );
      expect((await store.logOf([third], start + 9 * hour + 1)).get(third)?.weighed).toBe(false);
      expect([await store.surplusOperations(29), await store.surplusOperations(30)]).toEqual([1, 0]);
      expect(await store.surplusOperations(99)).toBe(0);
    });

    it("gives no id twice, although its newest rows are removed", async () => {
      const { store } = state;
      const newest = async () => Math.max(...(await store.history({ limit: 1_000 })).map(({ id }) => id));
      const first = await cycle(store, 1);
      const second = await cycle(store, 2);
      const before = await newest();
      await store.commit({ pruned: { cycles: [first, second] } }, "private");
      const third = await cycle(store, 3);
      const planned = await store.operations(third, { afterWave: -1, afterId: 0, limit: 100 });
      expect(Math.min(...planned.map(({ id }) => id))).toBe(before + 1);
      await store.commit({ operations: { remove: planned.map(({ id }) => id) } }, "private");
      await cycle(store, 4);
      expect(await newest()).toBe(before + 20);
      const cycleId = await store.beginCycle(
        { planId: "left", kind: "incremental", startedAt: start },
        "private",
      );
      await store.commit({ operations: { add: [operationRow(cycleId, "a")] } }, "private");
      const leftOver = { cycleId, status: "planned", become: "removed" } as const;
      await store.commit({ leftOver: [leftOver] }, "private");
      await cycle(store, 5);
      expect(await newest()).toBe(before + 31);
    });

    it("loses values of earlier entries when a stricter setting is applied, and gets none back by a laxer one", async () => {
      const { store } = state;
      const values = async (from: StateStore): Promise<readonly unknown[]> =>
        (await from.history({ limit: 1 })).map(({ changes }) => changes[0]?.before);
      await cycle(store, 1);
      const strict = await state.another("omit");
      expect(await values(strict)).toEqual(["Analyst"]);
      await strict.replaceOlderValues("private");
      expect(await values(store)).toEqual(["[left out]"]);
      await store.replaceOlderValues("private");
      expect(await values(store)).toEqual(["[left out]"]);
      await cycle(store, 2);
      expect(await values(store)).toEqual(["Analyst"]);
    });

    it("loses exactly the cycles that a commit names, with their operations", async () => {
      const { store } = state;
      for (const number of [1, 2, 3]) await cycle(store, number);
      const [, second] = await store.oldestCycles(0, 3);
      await store.commit({ pruned: { cycles: [second?.id ?? 0] } }, "private");
      expect(await left(store)).toBe("1 3");
      expect(await rows(store)).toBe(20);
      expect(await store.surplusOperations(10)).toBe(10);
    });
  });
}
