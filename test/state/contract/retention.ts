import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { countsOf } from "../../../src/cycle/guard/weights.ts";
import type { StateStore } from "../../../src/domain/store.ts";
import { type Connection, openDatabase } from "../../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../../src/state/sqlite/store.ts";
import { tallyFault } from "../tally.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 2, 1);

let folder = "";
let db: Connection;
let store: StateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-retention-"));
  const path = join(folder, "state.db");
  db = openDatabase(path);
  store = storeOn(db, path);
  return async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

/** A cycle, each an hour after the one before, that clears the titles of ten people. */
async function cycle(
  number: number,
  end: "finished" | "died" | "unknown" = "finished",
  finishedAt = start + number * hour + 2,
): Promise<number> {
  const startedAt = start + number * hour;
  const cycleId = await store.beginCycle({ planId: `plan-${number}`, kind: "incremental", startedAt });
  await store.saveDecisions(
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
  await store.beginOperations(
    planned.map(({ id }) => id),
    startedAt + 1,
  );
  await store.recordOutcomes(
    planned.map(({ id, objectId }, index) => ({
      operationId: id,
      objectId,
      status: end === "unknown" && index === 0 ? "failed" : "done",
      unknown: end === "unknown" && index === 0,
      referencePending: false,
      finishedAt,
    })),
  );
  if (end !== "died") await store.finishCycle(cycleId, { finishedAt, outcome: "done", error: null });
  return cycleId;
}

async function left(): Promise<number[]> {
  return (await store.recentCycles(100)).map(({ id }) => id).reverse();
}

function rows(): number {
  return db.prepare<[], number>("SELECT count(*) FROM operation").pluck().get() ?? 0;
}

describe("retention", () => {
  it("drops the oldest cycles while the log has more rows than it may have", async () => {
    for (let number = 1; number <= 10; number += 1) await cycle(number);
    await store.prune({ before: 0, countedSince: start + 100 * hour, maxRows: null });
    expect(rows()).toBe(100);
    await store.prune({ before: 0, countedSince: start + 100 * hour, maxRows: 45 });
    expect(await left()).toEqual([7, 8, 9, 10]);
    expect(rows()).toBe(40);
    expect(tallyFault(db)).toBeNull();
    expect(await store.history({ person: "PERSON1@example.com", limit: 100 })).toHaveLength(4);
  });

  it("drops cycles that are too old, those of runs that died among them", async () => {
    for (const number of [1, 3, 4]) await cycle(number, number === 3 ? "died" : "finished");
    const limits = { countedSince: start + 100 * hour, maxRows: null };
    await store.prune({ before: start + 3 * hour, ...limits });
    expect(await left()).toEqual([2, 3]);
    await store.prune({ before: start + 100 * hour, ...limits });
    expect(await left()).toEqual([3]);
  });

  it("keeps a cycle that says it was long before another one that is kept: the clock was behind", async () => {
    for (const number of [2_000, 3_000]) await cycle(number);
    const behind = await store.beginCycle({ planId: "plan-behind", kind: "incremental", startedAt: start });
    await store.finishCycle(behind, { finishedAt: start + 1, outcome: "interrupted", error: "stopped" });
    await cycle(3_001);
    await store.prune({ before: start + 2_500 * hour, countedSince: start + 9_000 * hour, maxRows: null });
    expect(await left()).toEqual([2, 3, 4]);
  });

  it("keeps what the guard counts, however many rows or days that is", async () => {
    for (let number = 1; number <= 6; number += 1) await cycle(number);
    const since = start + 4 * hour;
    const before = await store.recentWeights(since, 0);
    expect(countsOf(before).of("clear", ["title"])).toBe(30);
    await store.prune({ before: start + 6 * hour, countedSince: since, maxRows: 5 });
    expect(await left()).toEqual([4, 5, 6]);
    expect(await store.recentWeights(since, 0)).toEqual(before);
  });

  it("keeps a write of long ago that was found to be done within the guard's window", async () => {
    await cycle(1, "finished", start + 9 * hour);
    db.prepare("UPDATE cycle SET finished_at = started_at").run();
    await cycle(8);
    await cycle(10);
    await store.prune({ before: start + 8.5 * hour, countedSince: start + 8.9 * hour, maxRows: 1 });
    expect(await left()).toEqual([1, 3]);
  });

  it("keeps a write whose outcome is unknown", async () => {
    await cycle(1, "unknown");
    await cycle(2);
    await cycle(3);
    await store.prune({ before: start + 3 * hour, countedSince: start + 100 * hour, maxRows: 1 });
    expect(await left()).toEqual([1, 3]);
    expect(await store.openIntents()).toHaveLength(1);
  });
});

describe("a cycle that begins", () => {
  it("forgets what the run before had planned and never begun", async () => {
    await cycle(1);
    const died = await store.beginCycle({ planId: "died", kind: "incremental", startedAt: start + 2 * hour });
    const operation = {
      action: "create",
      objectId: "object-1",
      userName: "person1@example.com",
      latticeId: null,
      reason: "new in scope",
      evidence: null,
      changes: [],
      adopts: false,
    } as const;
    await store.saveDecisions(died, [{ kind: "operation", operation, referencePending: false }]);
    await cycle(3);
    expect(await store.history({ cycleId: died, limit: 10 })).toEqual([]);
  });
});
