import { afterEach, expect, it, vi } from "vitest";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { kept } from "../kept.ts";

afterEach(() => vi.restoreAllMocks());

it("the store compiles no statement twice", async () => {
  const store = openStore(":memory:");
  const item = { kind: "upsert", attributes: {}, complete: true, managerId: null } as const;
  const people = ["a", "b", "c"].map((objectId) => ({ ...item, objectId }));
  const cycleId = await store.beginCycle({ planId: "plan", kind: "initial", startedAt: 1 }, "private");
  await kept(store).people(people, cycleId, () => "name");
  await kept(store).decisions(
    cycleId,
    people.map(({ objectId }) => ({
      kind: "operation",
      referencePending: false,
      operation: {
        action: "deactivate",
        objectId,
        userName: "a@example.com",
        latticeId: objectId,
        reason: "gone",
        evidence: { kind: "deleted", detail: "gone" },
        changes: [{ attribute: "active", before: true, after: false }],
        adopts: false,
      },
    })),
  );
  const ask = async (limit: number): Promise<unknown> => [
    await store.candidates({ select: "marked", everyoneInScope: true, after: "", limit }),
    await store.candidates({
      select: { managerFound: { allDoneIn: cycleId } },
      everyoneInScope: true,
      after: "",
      limit,
    }),
    await store.operations(cycleId, { afterWave: -1, afterId: 0, limit }),
    await store.recentCycles(limit),
    await store.unreadPeople(cycleId + limit, "", limit),
    await store.movedInScope("", limit),
    await store.duePeople(limit, "", limit),
    await store.unreadAccounts(cycleId + limit, "", limit),
    await store.skipped({ after: "", limit }),
    await store.plannedWeights(cycleId),
    await store.countOperations(cycleId),
    await store.referenceDependencies(cycleId, ["create"]),
    await store.countActive(cycleId),
  ];
  await ask(2);
  // The driver makes a function that builds rows for each statement that SQLite compiled.
  const compiled = vi.spyOn(globalThis, "Function");
  await ask(3);
  await ask(1);
  expect(compiled).not.toHaveBeenCalled();
  await store.close();
});
