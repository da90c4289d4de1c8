import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { foldWithdrawn } from "../../../src/cycle/pictures/fold-references.ts";
import { sharersOf } from "../../../src/cycle/planning/namesakes.ts";
import { StateError } from "../../../src/domain/errors.ts";
import type { Operation } from "../../../src/domain/plan.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { openReadOnlyStore, openScratchStore, openStore } from "../../../src/state/sqlite/store.ts";
import { kept } from "../kept.ts";

let folder = "";
let path = "";
const keyOf = (): null => null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-state-"));
  path = join(folder, "state.db");
  return () => rmSync(folder, { recursive: true, force: true });
});

function hired(
  objectId: string,
  attributes: Record<string, string | null> = {},
  managerId: string | null = null,
) {
  return { kind: "upsert", objectId, attributes, complete: true, managerId } as const;
}

async function marked(store: StateStore, everyoneInScope = true): Promise<string[]> {
  const people = await store.candidates({ select: "marked", everyoneInScope, after: "", limit: 100 });
  return people.map(({ source }) => source.objectId);
}

/** A cycle in which everybody is in order. */
async function settle(store: StateStore): Promise<number> {
  const cycleId = await store.beginCycle(
    { planId: crypto.randomUUID(), kind: "reconcile", startedAt: 1 },
    "private",
  );
  await kept(store).decisions(
    cycleId,
    (await marked(store)).map((objectId) => ({ kind: "unchanged", objectId, referencePending: false })),
  );
  return cycleId;
}

function creation(objectId: string, managerObjectId: string | null = null): Operation {
  const reference = { beforeId: null, afterObjectId: managerObjectId };
  return {
    action: "create",
    objectId,
    userName: `${objectId}@example.com`,
    latticeId: null,
    reason: "new in scope",
    evidence: null,
    adopts: false,
    changes: [
      { attribute: "userName", before: null, after: `${objectId}@example.com` },
      ...(managerObjectId === null
        ? []
        : [{ attribute: "manager", before: null, after: managerObjectId, reference }]),
    ],
  };
}

function account(latticeId: string, objectId: string) {
  return {
    latticeId,
    userName: `${objectId}@example.com`,
    externalId: objectId,
    active: true,
    values: { title: "Analyst" },
    acknowledged: {},
  };
}

describe("the stored scope", () => {
  it("is what was read although another process has added one of its members in between", async () => {
    const store = openStore(path);
    const other = openStore(path);
    await store.beginScope();
    await store.stageScope(["a", "b"]);
    const committed = kept(store).scope();
    await kept(other).membership({ members: ["a"], others: [] });
    expect(await committed).toMatchObject({ members: 2 });
    await store.beginScope();
    await store.stageScope(["a", "b"]);
    await kept(store).people([hired("a"), hired("b"), hired("c")], 1, keyOf);
    expect(await kept(store).scope()).toEqual({ members: 2, entered: 0, left: 0 });
    await other.close();
    await store.close();
  });
});

describe("a row that contradicts the others", () => {
  it("is refused in one sentence, and nothing of its commit is written", async () => {
    const store = openStore(path);
    const cycleId = await settle(store);
    const operation = {
      operation: creation("a"),
      weights: [],
      refersTo: null,
      wave: 0,
      status: "planned",
      at: 1,
      attempt: 0,
    } as const;
    const refused = store.commit(
      {
        operations: {
          add: [
            { ...operation, cycleId },
            { ...operation, cycleId: 999 },
          ],
        },
      },
      "private",
    );
    await expect(refused).rejects.toThrow(StateError);
    await expect(refused).rejects.toThrow(
      `the state database ${path} refused a row that contradicts its other rows (SQLITE_CONSTRAINT_FOREIGNKEY), and nothing of that commit was written`,
    );
    expect(await store.history({ limit: 9 })).toEqual([]);
    await store.close();
  });
});

describe("the membership of one person", () => {
  it("has the person planned and tried at once when it changes, and not when it stays", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a"), hired("b")], 1, keyOf);
    await settle(store);
    const retry = { attempts: 5, firstFailedAt: 1, lastFailedAt: 2, nextTryAt: 99, code: "X", message: "no" };
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
    await store.close();
  });
});

describe("the stored directory", () => {
  it("marks only people whose data changed, whether read in full or as a change", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a", { jobTitle: "X", mail: "a@example.com" }), hired("b")], 1, keyOf);
    expect(await marked(store)).toEqual(["a", "b"]);
    await settle(store);
    await kept(store).people([hired("a", { mail: "a@example.com", jobTitle: "X" })], 2, keyOf);
    expect(await marked(store)).toEqual([]);

    const change = { kind: "upsert", objectId: "a", complete: false, managerId: undefined } as const;
    await kept(store).people([{ ...change, attributes: { jobTitle: null } }], 3, keyOf);
    expect(await marked(store)).toEqual(["a"]);
    expect((await store.findSource("a"))?.attributes).toEqual({ mail: "a@example.com" });
    await store.close();
  });

  it("marks the reports of a person who is deleted", async () => {
    const store = openStore(path);
    await kept(store).people([hired("boss"), hired("report", {}, "boss"), hired("other")], 1, keyOf);
    await settle(store);
    await kept(store).people([{ kind: "removed", objectId: "boss", presence: "softDeleted" }], 2, keyOf);
    expect(await marked(store)).toEqual(["boss", "report"]);
    await store.close();
  });

  it("replaces the scope as a whole and marks people who entered or left", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a"), hired("b"), hired("c")], 1, keyOf);
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
    await store.close();
  });
});

describe("people who are planned although the directory shows nothing new", () => {
  it("are marked when their time has come, once, together with the people who share the name", async () => {
    const store = openStore(path);
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
    await kept(store).decisions(cycleId, [{ kind: "unchanged", objectId: "other", referencePending: false }]);
    expect(await kept(store).due(1_000)).toBe(0);
    await store.close();
  });

  it("are marked when they enter or leave a group that filters name", async () => {
    const store = openStore(path);
    await kept(store).people(
      ["a", "b", "c"].map((id) => hired(id)),
      1,
      keyOf,
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
    await store.close();
  });

  it("are members if the configuration names them, and are marked when it does", async () => {
    const store = openStore(path);
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
    await store.close();
  });

  it("keep the time since when they are gone until the planner forgets it", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a"), hired("b")], 1, keyOf);
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
    expect([await store.countLeaving("outOfScope", 10), await store.countLeaving("outOfScope", 11)]).toEqual([
      1, 0,
    ]);
    // The clock was set back: an event later than now counts as seen now, and its person is planned at once.
    await kept(store).clockSetBack(60);
    expect(await eventsOf()).toEqual(new Map([...seen, ["disabled", 60]]));
    expect(await kept(store).due(60)).toBe(1);
    await decide(new Map());
    expect(await eventsOf()).toEqual(new Map());
    await store.close();
  });
});

describe("the plan and its log", () => {
  it("keeps intents after a crash, and links what the look-up finds", async () => {
    const first = openStore(path);
    await kept(first).people([hired("a"), hired("b")], 1, keyOf);
    const cycleId = await first.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
    await kept(first).decisions(
      cycleId,
      ["a", "b"].map((id) => ({ kind: "operation", operation: creation(id), referencePending: false })),
    );
    const operations = await first.operations(cycleId, { afterWave: -1, afterId: 0, limit: 10 });
    await kept(first).beginning(
      operations.map(({ id }) => id),
      5,
    );
    // The process dies here: nothing is closed.
    const second = openStore(path);
    expect((await second.openIntents()).map(({ objectId }) => objectId)).toEqual(["a", "b"]);
    await kept(second).lookedUp("a", account("L1", "a"), 6);
    await kept(second).lookedUp("b", null, 6);
    expect(await second.openIntents()).toEqual([]);
    expect(await second.latticeIdOf("a")).toBe("L1");
    expect(await marked(second)).toEqual(["a", "b"]);
    await second.close();
    await first.close();
  });

  it("orders managers before reports, and withdraws a reference to a person who gets no account", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a", {}, "b"), hired("b"), hired("c", {}, "stranger")], 1, keyOf);
    const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
    await kept(store).decisions(cycleId, [
      { kind: "operation", operation: creation("a", "b"), referencePending: false },
      { kind: "operation", operation: creation("b"), referencePending: false },
      { kind: "operation", operation: creation("c", "stranger"), referencePending: false },
    ]);
    const [open] = await store.unpromisedReferences(cycleId, 0, { without: [], giving: ["create"] });
    expect(open?.objectId).toBe("c");
    await store.commit(foldWithdrawn(open === undefined ? [] : [open]), "private");
    const { operationIds, managerIndexes, waves } = await store.referenceDependencies(cycleId, [
      "create",
      "reactivate",
    ]);
    expect([...managerIndexes]).toEqual([1, -1, -1]);
    expect([...waves]).toEqual([2, 2, 2]);
    const patch = [{ id: operationIds[0] ?? 0, wave: 3 }];
    await store.commit({ operations: { patch } }, "private");
    const order = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 10 });
    expect(order.map(({ objectId }) => objectId)).toEqual(["b", "c", "a"]);
    await store.close();
  });

  describe("of a person who has a report, both of whom failed before,", () => {
    async function team(): Promise<{ store: StateStore; link: (latticeId: string) => Promise<void> }> {
      const store = openStore(path);
      await kept(store).people([hired("boss"), hired("report", {}, "boss"), hired("other")], 1, keyOf);
      const link = async (latticeId: string): Promise<void> => {
        const id = await store.beginCycle(
          { planId: crypto.randomUUID(), kind: "initial", startedAt: 1 },
          "private",
        );
        await kept(store).decisions(id, [
          { kind: "operation", operation: creation("boss"), referencePending: false },
        ]);
        const [operation] = await store.operations(id, { afterWave: -1, afterId: 0, limit: 1 });
        const outcome = { operationId: operation?.id ?? 0, objectId: "boss", referencePending: false };
        await kept(store).outcomes([
          { ...outcome, status: "done", target: account(latticeId, "boss"), finishedAt: 9 },
        ]);
      };
      await link("L1");
      await settle(store);
      const retry = {
        attempts: 5,
        firstFailedAt: 1,
        lastFailedAt: 2,
        nextTryAt: 99,
        code: "X",
        message: "no",
      };
      await kept(store).outcomes(
        ["boss", "report", "other"].map((objectId) => ({
          operationId: 0,
          objectId,
          status: "failed",
          referencePending: false,
          retry: { ...retry, objectId },
          finishedAt: 2,
        })),
      );
      return { store, link };
    }
    const waiting = async (store: StateStore): Promise<string[]> =>
      (await store.retries(9)).filter(({ nextTryAt }) => nextTryAt > 0).map(({ objectId }) => objectId);
    const boss = async (store: StateStore) =>
      (await store.candidates({ select: { only: ["boss"] }, everyoneInScope: true, after: "", limit: 1 }))[0];

    it("a lost account has both planned and tried at once, the person as one whose account was removed", async () => {
      const { store } = await team();
      await kept(store).unlinked("L1", { at: 5, reason: "gone" });
      expect(await marked(store)).toEqual(["boss", "report"]);
      expect(await waiting(store)).toEqual(["other"]);
      expect(await boss(store)).toMatchObject({ accountRemoved: true, link: null });
      await store.close();
    });

    it("another account has the report planned and tried at once, and does not count as removed", async () => {
      const { store, link } = await team();
      await kept(store).unlinked("L1", { at: 5, reason: "gone" });
      await settle(store);
      await link("L2");
      expect(await boss(store)).toMatchObject({ accountRemoved: false, link: { latticeId: "L2" } });
      expect(await marked(store)).toEqual(["report"]);
      await store.close();
    });

    it("a second account that replaces the first has the report tried at once", async () => {
      const { store, link } = await team();
      await link("L2");
      expect(await marked(store)).toEqual(["report"]);
      expect(await waiting(store)).toEqual(["other"]);
      await store.close();
    });
  });

  it("leaves no retry for a person who failed and then succeeded in one batch", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a")], 1, keyOf);
    const outcome = { operationId: 0, objectId: "a", referencePending: false, finishedAt: 2 };
    const retry = { attempts: 1, firstFailedAt: 1, lastFailedAt: 2, nextTryAt: 99, code: "X", message: "no" };
    await kept(store).outcomes([
      { ...outcome, status: "failed", retry: { ...retry, objectId: "a" } },
      { ...outcome, status: "done" },
    ]);
    expect(await store.retries(9)).toEqual([]);
    await store.close();
  });

  it("never links two accounts to one person", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a")], 1, keyOf);
    const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
    for (const latticeId of ["L1", "L2"]) {
      await kept(store).decisions(cycleId, [
        { kind: "operation", operation: creation("a"), referencePending: false },
      ]);
      const operation = (await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 10 })).at(-1);
      await kept(store).outcomes([
        {
          operationId: operation?.id ?? 0,
          objectId: "a",
          status: "done",
          target: account(latticeId, "a"),
          referencePending: false,
          finishedAt: 9,
        },
      ]);
    }
    expect(await store.latticeIdOf("a")).toBe("L2");
    expect(await store.ownerOf("L1")).toBeNull();
    expect((await store.totals()).linked).toBe(1);
    await store.close();
  });
});

describe("the database file", () => {
  it("is readable only by its owner", async () => {
    await openStore(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is not changed by a scratch copy", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a")], 1, keyOf);
    await store.close();
    const before = readFileSync(path);
    const scratch = openScratchStore(path);
    await kept(scratch).people([hired("b")], 2, keyOf);
    expect(await marked(scratch)).toEqual(["a", "b"]);
    await scratch.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    const again = openReadOnlyStore(path);
    expect((await again?.totals())?.sourceUsers).toBe(1);
    await again?.close();
  });

  it("is refused in a sentence if it is not a database", () => {
    writeFileSync(path, "this is a text, not a database, and long enough to be taken for one".repeat(20));
    expect(() => openStore(path)).toThrow(StateError);
    expect(() => openStore(path)).toThrow(/damaged or not a database/);
    expect(openReadOnlyStore(join(folder, "none.db"))).toBeNull();
  });
});
