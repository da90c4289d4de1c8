import { beforeEach, describe, expect, it } from "vitest";
import type { Action, Change } from "../../../src/domain/plan.ts";
import type { NewOperation } from "../../../src/domain/state/change.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, operationRow, personRow, settled } from "./rows.ts";

const all = { afterWave: -1, afterId: 0, limit: 99 };

/** The operations of a cycle as they are told, and as the guard counts them. */
export function describePlanReads(make: MakeState): void {
  const state = eachWithFreshState(make);
  let store: StateStore;
  let cycleId = 0;
  let other = 0;

  beforeEach(async () => {
    store = state.store;
    const cycle = { kind: "incremental", startedAt: 1 } as const;
    other = await store.beginCycle({ ...cycle, planId: "other" }, "private");
    cycleId = await store.beginCycle({ ...cycle, planId: "plan" }, "private");
  });

  /** Adds operations in this order. @returns their ids */
  async function add(...rows: readonly NewOperation[]): Promise<readonly number[]> {
    const newest = await store.newestOperation();
    await store.commit({ operations: { add: rows } }, "private");
    return rows.map((_, index) => newest + 1 + index);
  }
  const row = (
    objectId: string,
    {
      action = "update",
      adopts = false,
      changes,
      latticeId,
      ...more
    }: Partial<Omit<NewOperation, "operation">> & {
      action?: Action;
      adopts?: boolean;
      changes?: readonly Change[];
      latticeId?: string;
    } = {},
  ): NewOperation => {
    const planned = operationRow(cycleId, objectId, more);
    const operation = {
      ...planned.operation,
      action,
      adopts,
      ...(changes === undefined ? {} : { changes }),
      ...(latticeId === undefined ? {} : { latticeId }),
    };
    return { ...planned, operation };
  };
  const ends = (id: number, status: "done" | "failed" | "cancelled", finishedAt = 2) =>
    store.commit({ ended: [{ id, status, finishedAt }] }, "private");
  const begins = (...operationIds: readonly number[]) =>
    store.commit({ intents: { begin: { operationIds, at: 1 } } }, "private");

  describe("the operations of a cycle", () => {
    it("are those that meet each condition of the question", async () => {
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = await add(
        row("a", { action: "create" }),
        row("b", { attempt: 2 }),
        row("c", { status: "held" }),
        row("d", { status: "reported" }),
        row("e", { action: "deactivate" }),
        { ...row("f"), cycleId: other },
      );
      const drifted = { ...row("g"), operation: { ...row("g").operation, drift: "edited" as const } };
      const reported = { ...row("h", { status: "reported" }) };
      const drift = { ...reported, operation: { ...reported.operation, drift: "removed" as const } };
      const [g = 0, h = 0] = await add(drifted, drift);
      const idsOf = async (query: Partial<Parameters<StateStore["operations"]>[1]>) =>
        (await store.operations(cycleId, { ...all, ...query })).map(({ id }) => id);
      expect(await idsOf({})).toEqual([a, b, c, e, g]);
      expect(await idsOf({ status: "planned" })).toEqual([a, b, e, g]);
      expect(await idsOf({ action: "create" })).toEqual([a]);
      expect(await idsOf({ without: ["create", "deactivate"] })).toEqual([b, c, g]);
      expect(await idsOf({ firstAttempts: true })).toEqual([a, c, e, g]);
      expect(await idsOf({ drift: true })).toEqual([g, h]);
      expect(await idsOf({ afterWave: 2, afterId: b, limit: 2 })).toEqual([c, e]);
      expect([...(await store.unsentOf(cycleId, ["a", "c", "d", "f"]))].sort()).toEqual([a, d].sort());
    });

    it("are counted by action, and by what came later", async () => {
      const [, b = 0] = await add(
        row("a", { action: "create" }),
        row("b", { action: "link", adopts: true }),
        row("c", { status: "reported" }),
        row("c", { action: "update" }),
        { ...row("x"), cycleId: other },
      );
      expect(await store.countOperations(cycleId)).toEqual({
        byAction: new Map<Action, number>([
          ["create", 1],
          ["link", 1],
          ["update", 1],
        ]),
        adoptions: 1,
      });
      await add(row("a"), row("d"), row("d", { action: "deactivate" }));
      expect(await store.countLater(cycleId, b)).toEqual({
        byAction: new Map<Action, number>([
          ["update", 3],
          ["deactivate", 1],
        ]),
        newPeople: 2,
      });
      expect(await store.countLater(cycleId, await store.newestOperation())).toEqual({
        byAction: new Map(),
        newPeople: 0,
      });
    });

    it("wait for the operation of the person they point to, if that gives an account", async () => {
      const ids = await add(
        row("report", { refersTo: "boss", wave: 4 }),
        row("boss", { action: "create", wave: 3 }),
        row("updated"),
        row("of-updated", { refersTo: "updated" }),
        row("adopting", { adopts: true, status: "held" }),
        row("of-adopting", { refersTo: "adopting", status: "held" }),
        row("nobodys", { refersTo: "stranger" }),
        { ...row("elsewhere", { action: "create" }), cycleId: other },
        row("of-elsewhere", { refersTo: "elsewhere" }),
      );
      const { operationIds, managerIndexes, waves } = await store.referenceDependencies(cycleId, [
        "create",
        "reactivate",
      ]);
      const [report, boss, , ofUpdated, adopting, ofAdopting, nobodys, , ofElsewhere] = ids;
      expect([...operationIds]).toEqual([
        report,
        boss,
        ofUpdated,
        adopting,
        ofAdopting,
        nobodys,
        ofElsewhere,
      ]);
      expect([...managerIndexes]).toEqual([1, -1, -1, -1, 3, -1, -1]);
      expect([...waves]).toEqual([4, 3, 2, 2, 2, 2, 2]);
    });

    it("point to no one if the person has no account and gets none", async () => {
      await settled(
        store,
        ["a", "b", "c"].map((id) => personRow(id)),
      );
      const put = [accountRow("l1", "a"), accountRow("l2", "b", { missingSince: 1 }), accountRow("l3", "c")];
      await store.commit({ accounts: { put } }, "private");
      const [, toB = 0, toC = 0, , , toStranger = 0] = await add(
        row("to-a", { refersTo: "a" }),
        row("to-b", { refersTo: "b", weights: [{ kind: "manager" }] }),
        row("to-c", { refersTo: "c" }),
        row("made", { action: "create" }),
        row("to-made", { refersTo: "made" }),
        row("to-stranger", { refersTo: "stranger" }),
        row("held", { refersTo: "stranger", status: "held" }),
      );
      const unpromised = async (after: number, without: readonly string[], giving: readonly Action[]) =>
        (await store.unpromisedReferences(cycleId, after, { without, giving })).map(({ id }) => id);
      expect(await unpromised(0, ["c"], ["create"])).toEqual([toB, toC, toStranger]);
      expect(await unpromised(toC, ["c"], ["create"])).toEqual([toStranger]);
      expect(await unpromised(0, [], ["create"])).toEqual([toB, toStranger]);
      expect(await unpromised(0, [], [])).toHaveLength(3);
      const which = { without: [], giving: ["create"] } as const;
      expect(await store.unpromisedReferences(cycleId, 0, which)).toMatchObject([
        { weights: [{ kind: "manager" }] },
        { weights: [] },
      ]);
    });

    it("rename accounts if they change one userName into another", async () => {
      const name = (before: string | null, after: string | null): Change => ({
        attribute: "userName",
        before,
        after,
      });
      const title = { attribute: "title", before: "userName", after: null };
      const [a = 0] = await add(
        row("a", { changes: [title, name("x", "y")], wave: 5 }),
        row("b", { changes: [name(null, "y")] }),
        row("c", { changes: [name("x", null)] }),
        row("d", { changes: [name("x", "y")], action: "create" }),
        row("e", { changes: [name("x", "y")], status: "held" }),
        row("f", { changes: [title] }),
      );
      expect(await store.plannedRenames(cycleId)).toEqual([{ operationId: a, wave: 5, from: "x", to: "y" }]);
    });

    it("create accounts with a userName, if the person is to have it", async () => {
      const put = [
        personRow("a", { userNameKey: "x" }),
        personRow("b", { userNameKey: "y" }),
        personRow("c", { userNameKey: "x" }),
        personRow("d", { userNameKey: "x" }),
        personRow("e"),
      ];
      await store.commit({ people: { readIn: cycleId, put } }, "private");
      const create = { action: "create" } as const;
      const [b = 0, a = 0] = await add(
        row("b", { ...create, wave: 3 }),
        row("a", { ...create, wave: 2 }),
        row("c", { action: "update" }),
        row("d", { ...create, status: "held" }),
        row("e", create),
      );
      await add({ ...row("c", create), cycleId: other });
      const [x, y] = [
        { operationId: a, wave: 2, userNameKey: "x" },
        { operationId: b, wave: 3, userNameKey: "y" },
      ];
      expect(await store.plannedCreates(cycleId, ["x"])).toEqual([x]);
      expect(await store.plannedCreates(cycleId, ["x", "y", "x", "z", "X"])).toEqual([y, x]);
      expect(await store.plannedCreates(cycleId, ["X"])).toEqual([]);
      expect(await store.plannedCreates(cycleId, [])).toEqual([]);
    });

    it("are in doubt in the order of the people, as the log has them, or without it", async () => {
      const [b = 0, a = 0] = await add(row("b"), row("a"));
      await begins(b, a);
      await ends(b, "failed");
      await store.commit({ operations: { remove: [a] } }, "private");
      expect(await store.openIntents()).toMatchObject([
        { objectId: "a", operationId: a, changes: [], cycleId: 0, status: "cancelled" },
        { objectId: "b", operationId: b, cycleId, status: "failed" },
      ]);
      await add(row("b", { status: "held" }), { ...row("a", { status: "held" }), cycleId: other });
      expect(await store.heldAmong(cycleId, ["a", "b", "c"])).toEqual(new Set(["b"]));
    });
  });

  describe("what the guard counts", () => {
    /** How often each kind of weight is in the answer. */
    const sum = (counts: Awaited<ReturnType<StateStore["plannedWeights"]>>) => {
      const found: Record<string, number> = {};
      for (const { weights, count } of counts)
        for (const { kind } of weights) found[kind] = (found[kind] ?? 0) + count;
      return found;
    };
    const deactivation = {
      action: "deactivate",
      weights: [{ kind: "deactivate", detail: "deleted" }],
    } as const;

    it("is what is planned, what was done since then, and what is in doubt, with what is planned for the same people", async () => {
      const rename = { weights: [{ kind: "rename" }] } as const;
      const [, done = 0, early = 0, doubtful = 0, planned = 0, answered = 0] = await add(
        row("a", rename),
        { ...row("b", deactivation), cycleId: other },
        { ...row("c", deactivation), cycleId: other },
        { ...row("d", deactivation), cycleId: other },
        { ...row("a", deactivation), cycleId: other },
        { ...row("e", rename), cycleId: other },
        row("f"),
        row("g", { ...rename, status: "held" }),
      );
      await ends(done, "done", 10);
      await ends(early, "done", 9);
      await begins(doubtful, planned, answered);
      await ends(answered, "done", 5);
      expect(sum(await store.plannedWeights(cycleId))).toEqual({ rename: 1 });
      expect(sum(await store.doneWeights(10))).toEqual({ deactivate: 1 });
      expect(sum(await store.doneWeights(9))).toEqual({ deactivate: 2 });
      const doubtfulIn = async (cycle: number) =>
        (await store.doubtfulWeights(cycle)).toSorted(
          (one, other) => one.planned.length - other.planned.length,
        );
      expect(await doubtfulIn(cycleId)).toMatchObject([
        { weights: deactivation.weights, planned: [] },
        { weights: deactivation.weights, planned: [{ kind: "rename" }] },
      ]);
      expect(await doubtfulIn(0)).toMatchObject([
        { weights: deactivation.weights, planned: [] },
        { weights: deactivation.weights, planned: [] },
      ]);
      expect(await store.weighedOperations(cycleId, 0, 9)).toMatchObject([{ objectId: "a", ...rename }]);
    });

    it("is compared with accounts that are linked, or that the cycle adopts", async () => {
      await settled(
        store,
        ["a", "b", "c", "d"].map((id) => personRow(id)),
      );
      const put = [
        accountRow("l1", "a", { values: { title: "Cook" } }),
        accountRow("l2", "b", { active: false, values: { title: "Cook" } }),
        accountRow("l3", "c", { active: null, values: { title: null } }),
        accountRow("l4", null, { values: { title: "Cook" } }),
        accountRow("l5", null, { values: { title: "Cook" } }),
      ];
      await store.commit({ accounts: { put } }, "private");
      await add(row("d", { action: "link", adopts: true, latticeId: "l4" }));
      expect([await store.countActive(cycleId), await store.countActive(other)]).toEqual([3, 2]);
      expect(await store.countHolders("title", cycleId, 99)).toBe(3);
      expect(await store.countHolders("title", other, 99)).toBe(2);
      expect(await store.countHolders("title", cycleId, 1)).toBeGreaterThanOrEqual(1);
      expect(await store.countHolders('ti.tle"x', cycleId, 1)).toBe(0);
    });

    it("is held by the plan that held it first, and by each later one that holds the same", async () => {
      const held = { status: "held" } as const;
      const [old = 0] = await add({ ...row("a", held), cycleId: other });
      const [now = 0, planned = 0] = await add(row("a", held), row("a"), row("a", { status: "reported" }));
      expect(await store.earlierHeld(cycleId, 0, 9)).toMatchObject([
        { held: { id: old }, since: other, now: [{ id: now }, { id: planned }] },
      ]);
      expect(await store.earlierHeld(cycleId, old, 9)).toEqual([]);
      const idsOf = async (plan: number) => (await store.heldOf(plan, all)).map(({ id }) => id);
      expect([await idsOf(other), await idsOf(cycleId)]).toEqual([[old], [now]]);
      const patch = [{ id: now, heldSince: other }];
      await store.commit({ operations: { patch, remove: [old] } }, "private");
      expect([await idsOf(other), await idsOf(cycleId), await idsOf(cycleId + 1)]).toEqual([
        [now],
        [now],
        [],
      ]);
    });

    it("is rejected or released since or before a time", async () => {
      await settled(
        store,
        ["a", "b"].map((id) => personRow(id)),
      );
      const change = { attribute: "active", fingerprint: "f", planId: "plan" };
      await store.commit(
        {
          rejections: {
            put: [
              { ...change, objectId: "b", evidence: "deleted", rejectedAt: 5 },
              { ...change, objectId: "a", evidence: "leftScope", rejectedAt: 5 },
              { ...change, objectId: "a", attribute: "title", evidence: null, rejectedAt: 6 },
            ],
          },
          releases: { put: [{ ...change, objectId: "a", releasedAt: 5 }] },
        },
        "private",
      );
      const order = (await store.rejections(9)).map(({ objectId, attribute }) => `${objectId} ${attribute}`);
      expect(order).toEqual(["a title", "a active", "b active"]);
      expect(await store.rejections(1)).toHaveLength(1);
      expect(await store.countRejected(["deleted", "leftScope"], 5)).toBe(2);
      expect(await store.countRejected(["deleted"], 6)).toBe(0);
      expect([await store.releasesBefore(5), await store.releasesBefore(6)]).toMatchObject([
        [],
        [{ objectId: "a" }],
      ]);
    });
  });

  describe("the retry schedule", () => {
    it("is told in the order of the next try, and by the last failure", async () => {
      await settled(
        store,
        ["a", "b", "c"].map((id) => personRow(id)),
      );
      const retry = (objectId: string, lastFailedAt: number, nextTryAt: number) => ({
        objectId,
        attempts: 1,
        firstFailedAt: 1,
        lastFailedAt,
        nextTryAt,
        code: "X",
        message: "no",
      });
      const [a, b, c] = [retry("a", 5, 9), retry("b", 6, 8), retry("c", 7, 8)];
      await store.commit({ retries: { put: [a, b, c] } }, "private");
      expect((await store.retries(9)).map(({ objectId }) => objectId)).toEqual(["b", "c", "a"]);
      expect(await store.retries(1)).toHaveLength(1);
      expect(await store.failedAfter(5, "", 9)).toEqual([b, c]);
      expect(await store.failedAfter(5, "b", 9)).toEqual([c]);
      expect(await store.retriesAmong(["a", "c", "d"])).toEqual(
        new Map([
          ["a", a],
          ["c", c],
        ]),
      );
      expect([await store.retryOf("a"), await store.retryOf("d")]).toEqual([a, null]);
    });
  });
}
