import { describe, expect, it } from "vitest";
import type { HeldPlanDecision } from "../../../src/domain/decision.ts";
import type { LogEntry, LogQuery } from "../../../src/domain/log.ts";
import type { OperationStatus } from "../../../src/domain/operation.ts";
import type { Action, Operation } from "../../../src/domain/plan.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, operationRow, personRow, plannedRow, settled } from "./rows.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 2, 1);
const actions: readonly Action[] = ["create", "update", "deactivate", "reactivate", "link"];

function operation(person: string, action: Action, userName: string, more: Partial<Operation> = {}) {
  return {
    kind: "operation",
    referencePending: false,
    operation: {
      action,
      objectId: person,
      userName,
      latticeId: action === "create" ? null : `lattice-${person}`,
      reason: "title changed",
      evidence: null,
      changes: [{ attribute: "title", before: "Analyst", after: "Chief" }],
      adopts: false,
      ...more,
    },
  } as const;
}

/** Twenty cycles, one a day, of ten people each; some done, some failed, the others postponed. */
async function fill(store: StateStore): Promise<readonly LogEntry[]> {
  for (let number = 0; number < 20; number += 1) {
    const startedAt = start + number * day;
    const cycleId = await store.beginCycle(
      { planId: `plan-${number}`, kind: "incremental", startedAt },
      "private",
    );
    await kept(store).decisions(
      cycleId,
      Array.from({ length: 10 }, (_, person) => {
        const action = actions[(number + person) % actions.length] ?? "update";
        // The ninth was renamed half way.
        const name = person === 9 && number >= 10 ? "Renamed" : `person${person}`;
        return operation(`object-${person}`, action, `${name}@example.com`);
      }),
    );
    const inOrder = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 100 });
    const planned = inOrder.toSorted((one, other) => one.id - other.id);
    await kept(store).beginning(
      planned.map(({ id }) => id),
      startedAt + 1_000,
    );
    await kept(store).outcomes(
      planned.map(({ id, objectId }, index) => ({
        operationId: id,
        objectId,
        status: index >= 7 ? "cancelled" : index % 4 === 3 ? "failed" : "done",
        unknown: index >= 7,
        referencePending: false,
        httpStatus: index >= 7 ? undefined : index % 4 === 3 ? 500 : 200,
        requestId: `request-${id}`,
        finishedAt: startedAt + 1_000 + index,
      })),
    );
    await kept(store).ended(cycleId, { finishedAt: startedAt + 5_000, outcome: "done", error: null });
  }
  return store.history({ limit: 1_000 });
}

const conditions: { readonly [K in keyof LogQuery]?: (entry: LogEntry, value: never) => boolean } = {
  actions: (entry, value: readonly Action[]) => value.includes(entry.action),
  outcomes: (entry, value: readonly OperationStatus[]) => value.includes(entry.status),
  since: (entry, value: number) => entry.at >= value,
  until: (entry, value: number) => entry.at <= value,
  cycleId: (entry, value: number) => entry.cycleId === value,
  text: (entry, value: string) =>
    namesOf(entry).some((name) => name.toLowerCase().includes(value.toLowerCase())),
  before: (entry, value: number) => entry.id < value,
  person: (entry, value: string) =>
    entry.objectId === value ||
    (value.toLowerCase() === "person9@example.com" && entry.objectId === "object-9"),
};

/** Every name that the person of the entry has in the log. */
function namesOf({ objectId, userName }: LogEntry): readonly string[] {
  return objectId === "object-9" ? ["person9@example.com", "Renamed@example.com"] : [userName];
}

function meets(entry: LogEntry, query: Partial<LogQuery>): boolean {
  return Object.entries(query).every(([key, value]) =>
    conditions[key as keyof LogQuery]?.(entry, value as never),
  );
}

/** The provisioning log: its searches, and their order. */
export function describeHistory(make: MakeState): void {
  describe("the provisioning log", () => {
    const state = eachWithFreshState(make);

    it("gives the newest entries that match all filters, whichever are given", async () => {
      const all = await fill(state.store);
      expect(all).toHaveLength(200);
      const filters: readonly Partial<LogQuery>[] = [
        {},
        { person: "object-3" },
        { person: "PERSON9@Example.com" },
        { person: "nobody@example.com" },
        { actions: ["create", "link"] },
        { outcomes: ["failed"] },
        { outcomes: ["done", "cancelled"], actions: ["update"] },
        { since: start + 5 * day },
        { since: start + 5 * day + 1_002 },
        { until: start + 5 * day + 1_002 },
        { since: start + 40 * day },
        { until: start - 1 },
        { cycleId: 7 },
        { cycleId: 700 },
        { text: "RENAMED" },
        { text: "example" },
        { text: "100%" },
      ];
      for (const one of filters) {
        for (const other of [...filters, { before: 101 }]) {
          const query = { ...one, ...other };
          const expected = all.filter((entry) => meets(entry, query)).slice(0, 25);
          expect(await state.store.history({ ...query, limit: 25 }), JSON.stringify(query)).toEqual(expected);
        }
      }
    });

    it("finds a text in people's current names, without accents, like the search for people", async () => {
      await fill(state.store);
      const cycleId = await state.store.beginCycle(
        {
          planId: "read",
          kind: "reconcile",
          startedAt: start + 30 * day,
        },
        "private",
      );
      const attributes = { displayName: "Zoë Ferreira", userPrincipalName: "zf@example.com" };
      await kept(state.store).people(
        [
          {
            kind: "upsert",
            objectId: "object-3",
            attributes,
            managerId: null,
            complete: true,
            unshown: [],
          },
        ],
        cycleId,
        () => null,
      );
      const found = await state.store.history({ text: "ferreira ZOE", limit: 100 });
      expect(found).toHaveLength(20);
      expect(new Set(found.map(({ objectId }) => objectId))).toEqual(new Set(["object-3"]));
      const failed = await state.store.history({ text: "zoe", outcomes: ["failed"], limit: 100 });
      expect(failed).toEqual(found.filter(({ status }) => status === "failed"));
      expect(await state.store.history({ text: "zoe", concealed: ["displayName"], limit: 100 })).toEqual([]);
      expect(await state.store.history({ text: "zoe", before: found[4]?.id ?? 0, limit: 3 })).toEqual(
        found.slice(5, 8),
      );
    });

    it("finds the newest entries of a crowd that has a text in its names", async () => {
      await fill(state.store);
      const cycleId = await state.store.beginCycle(
        {
          planId: "crowd",
          kind: "incremental",
          startedAt: start + day,
        },
        "private",
      );
      const crowd = Array.from({ length: 320 }, (_, index) =>
        operation(`crowd-${index}`, "create", `crowd${index}@example.com`),
      );
      await kept(state.store).decisions(cycleId, crowd);
      const all = await state.store.history({ limit: 1_000 });
      for (const query of [{ text: "crowd" }, { text: "crowd", actions: ["create"] as const }]) {
        const found = await state.store.history({ ...query, limit: 40 });
        expect(found).toEqual(all.filter(({ userName }) => userName.startsWith("crowd")).slice(0, 40));
      }
      expect(await state.store.history({ text: "crowd", actions: ["update"], limit: 40 })).toEqual([]);
    });

    it("has pages that reach every entry once, the newest first", async () => {
      await fill(state.store);
      const seen: number[] = [];
      let before: number | undefined;
      for (;;) {
        const query = { outcomes: ["done", "failed"], limit: 30 } as const;
        const page = await state.store.history(before === undefined ? query : { ...query, before });
        seen.push(...page.map(({ id }) => id));
        before = page.at(-1)?.id;
        if (before === undefined) break;
      }
      expect(seen).toHaveLength(140);
      expect(seen).toEqual([...new Set(seen)].sort((left, right) => right - left));
    });

    it("shows for each entry its plan, its time, its duration and the answer", async () => {
      await fill(state.store);
      const [failed] = await state.store.history({ outcomes: ["failed"], limit: 1 });
      expect(failed).toMatchObject({
        planId: "plan-19",
        cycle: "incremental",
        at: start + 19 * day + 1_003,
        startedAt: start + 19 * day + 1_000,
        finishedAt: start + 19 * day + 1_003,
        durationMs: 3,
        httpStatus: 500,
        requestId: `request-${failed?.id}`,
        attempt: 1,
      });
      const [never] = await state.store.history({ outcomes: ["cancelled"], limit: 1 });
      expect(never).toMatchObject({
        at: start + 19 * day + 1_009,
        startedAt: start + 19 * day + 1_000,
        durationMs: 9,
        httpStatus: null,
      });
    });

    it("hides values that are for Lattice only", async () => {
      const cycleId = await state.store.beginCycle(
        { planId: "plan", kind: "incremental", startedAt: start },
        "private",
      );
      const changes = [{ attribute: "title", before: null, after: "Secret title", redacted: true as const }];
      await kept(state.store).decisions(cycleId, [operation("a", "update", "a@example.com", { changes })]);
      const [entry] = await state.store.history({ limit: 1 });
      expect(entry?.changes).toMatchObject([{ before: null, after: "[Redact]" }]);
    });

    it("counts a day's operations by action and outcome, in UTC", async () => {
      const all = await fill(state.store);
      const counts = await state.store.dailyCounts(start + 18 * day);
      expect([...new Set(counts.map((row) => row.day))]).toEqual(["2026-03-19", "2026-03-20"]);
      for (const { day: date, action, outcome, count } of counts) {
        const same = all.filter(
          (entry) =>
            new Date(entry.at).toISOString().startsWith(date) &&
            entry.action === action &&
            entry.status === outcome,
        );
        expect(same).toHaveLength(count);
      }
      expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(20);
    });

    it("counts operations by department, planned, of the account or of Entra, people without one first", async () => {
      const { store } = state;
      const path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
      const inEntra = { attributes: { department: "Entra" } };
      await settled(store, [
        personRow("a", inEntra),
        personRow("b", inEntra),
        personRow("c", inEntra),
        personRow("d"),
      ]);
      await store.commit(
        {
          accounts: {
            put: [
              accountRow("l1", "a", { values: { [path]: "Lattice" } }),
              accountRow("l2", "b", { values: { [path]: "Lattice" } }),
            ],
          },
        },
        "private",
      );
      const cycleId = await store.beginCycle(
        { planId: "plan", kind: "incremental", startedAt: 1 },
        "private",
      );
      const moved = operationRow(cycleId, "a");
      const changes = [{ attribute: path, before: "Lattice", after: "Planned" }];
      const cleared = operationRow(cycleId, "c");
      const none = [{ attribute: path, before: "Lattice", after: null }];
      const add = [
        { ...moved, operation: { ...moved.operation, changes } },
        operationRow(cycleId, "b"),
        { ...cleared, operation: { ...cleared.operation, changes: none } },
        operationRow(cycleId, "d"),
        operationRow(cycleId, "d", { status: "held" }),
        operationRow(cycleId, "b", { status: "reported" }),
      ];
      await store.commit({ operations: { add } }, "private");
      expect(await store.departments(cycleId, path)).toEqual([
        { department: null, action: "update", count: 2 },
        { department: "Entra", action: "update", count: 1 },
        { department: "Lattice", action: "update", count: 1 },
        { department: "Planned", action: "update", count: 1 },
      ]);
    });

    it("tells who is skipped, by reason or among some people, in pages", async () => {
      const { store } = state;
      await settled(store, [
        personRow("a", { attributes: { userPrincipalName: "a@example.com" } }),
        ...["b", "c", "d"].map((id) => personRow(id)),
      ]);
      const skipped = (objectId: string, code: "rejected" | "ambiguousMatch") =>
        plannedRow(objectId, { skip: { code, reason: `because of ${objectId}` } });
      await store.commit(
        { planned: [skipped("a", "rejected"), skipped("b", "ambiguousMatch"), skipped("c", "rejected")] },
        "private",
      );
      const a = { objectId: "a", userName: "a@example.com", code: "rejected", reason: "because of a" };
      expect(await store.skipped({ after: "", limit: 1 })).toEqual([a]);
      const idsOf = async (query: Partial<Parameters<StateStore["skipped"]>[0]>) =>
        (await store.skipped({ after: "", limit: 9, ...query })).map(({ objectId }) => objectId);
      expect(await idsOf({ after: "a" })).toEqual(["b", "c"]);
      expect(await idsOf({ code: "rejected" })).toEqual(["a", "c"]);
      expect(await idsOf({ only: ["b", "d", "e"] })).toEqual(["b"]);
      expect(await idsOf({ only: [] })).toEqual([]);
      expect((await store.skipped({ after: "b", limit: 1 }))[0]?.userName).toBe("");
      expect(await store.countSkipped()).toEqual(
        new Map([
          ["rejected", 2],
          ["ambiguousMatch", 1],
        ]),
      );
    });

    it("tells of a skipped person the name of today", async () => {
      const { store } = state;
      const named = (userPrincipalName: string | null) =>
        personRow("a", { attributes: { userPrincipalName } });
      const read = async (row: ReturnType<typeof named>) => {
        await store.commit({ people: { readIn: 1, put: [row] } }, "private");
        return (await store.skipped({ after: "", limit: 9 })).map(({ userName }) => userName);
      };
      const skip = { code: "ambiguousMatch", reason: "two accounts" } as const;
      await settled(store, [named("first@example.com")]);
      await store.commit({ planned: [plannedRow("a", { skip })] }, "private");
      expect(await read(named("second@example.com"))).toEqual(["second@example.com"]);
      expect(await read(named(null))).toEqual([""]);
      await store.commit({ planned: [plannedRow("a")] }, "private");
      expect(await read(named("third@example.com"))).toEqual([]);
      await store.commit({ planned: [plannedRow("a", { skip })] }, "private");
      expect(await read(named("third@example.com"))).toEqual(["third@example.com"]);
    });

    it("says of an entry which decision is about it, the newest if there are several", async () => {
      const { store } = state;
      await settled(
        store,
        ["a", "b"].map((id) => personRow(id)),
      );
      const cycle = { kind: "incremental", startedAt: 1 } as const;
      const first = await store.beginCycle({ ...cycle, planId: "first" }, "private");
      const second = await store.beginCycle({ ...cycle, planId: "second" }, "private");
      const decided = (planId: string, at: number, people: Partial<HeldPlanDecision["people"]>) =>
        store.commit(
          {
            decision: {
              planId,
              at,
              by: { kind: "cli", name: "kim@host" },
              reason: `at ${at}`,
              people: { released: [], rejected: [], undone: [], ...people },
            },
          },
          "private",
        );
      const released = operationRow(second, "b", { at: 20 });
      const change = { attribute: "title", before: "Clerk", after: "Cook", released: true as const };
      await store.commit(
        {
          operations: {
            add: [
              operationRow(first, "a", { status: "held" }),
              operationRow(second, "a", { status: "held" }),
              { ...released, operation: { ...released.operation, changes: [change] } },
              operationRow(second, "b", { at: 20 }),
            ],
          },
        },
        "private",
      );
      const decisions = async () =>
        (await store.history({ limit: 9 })).map(({ decision }) => decision?.reason ?? null).reverse();
      expect(await decisions()).toEqual([null, null, null, null]);
      // A plan holds what it held itself: a decision about the second plan is not about the first plan's row.
      await decided("second", 5, { rejected: ["a"] });
      expect(await decisions()).toEqual([null, "at 5", null, null]);
      const [, held] = (await store.history({ person: "a", limit: 9 })).map(({ id }) => id).reverse();
      await store.commit({ operations: { patch: [{ id: held ?? 0, heldSince: first }] } }, "private");
      await decided("first", 6, { released: ["a"] });
      await decided("first", 7, { undone: ["a"] });
      expect(await decisions()).toEqual(["at 6", "at 6", null, null]);
      // Of what is sent: a release before it.
      await decided("first", 21, { released: ["b"] });
      expect(await decisions()).toEqual(["at 6", "at 6", null, null]);
      await decided("first", 20, { released: ["b"] });
      expect(await decisions()).toEqual(["at 6", "at 6", "at 20", null]);
    });
  });
}
