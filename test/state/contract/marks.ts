import { describe, expect, it } from "vitest";
import type { Mark } from "../../../src/domain/state/mark.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { personRow, plannedRow, settled, toPlan } from "./rows.ts";

/** A company without people in the next plan; accounts match the keys, unless `accounts` says otherwise. */
async function company(store: StateStore): Promise<void> {
  await settled(store, [
    personRow("boss", { userNameKey: "boss@example.com" }),
    personRow("kim", { userNameKey: "kim@example.com", externalIdKey: "7", managerId: "boss" }),
    personRow("kim2", { userNameKey: "kim@example.com", externalIdKey: "8" }),
    personRow("lee", { userNameKey: "lee@example.com", externalIdKey: "7", managerId: "boss" }),
    personRow("max", { userNameKey: null }),
  ]);
}

/** Links an account of this name to the person. */
async function link(store: StateStore, objectId: string, userName: string): Promise<void> {
  const account = { latticeId: `lat-${objectId}`, userName, externalId: objectId, active: true, values: {} };
  const outcome = {
    operationId: 0,
    objectId,
    status: "done",
    referencePending: false,
    finishedAt: 1,
  } as const;
  await kept(store).outcomes([{ ...outcome, target: { ...account, acknowledged: {} } }]);
}

async function failEach(store: StateStore, people: readonly string[]): Promise<void> {
  const times = { firstFailedAt: 1, lastFailedAt: 1, nextTryAt: 99 };
  await kept(store).outcomes(
    people.map((objectId) => ({
      operationId: 0,
      objectId,
      status: "failed",
      referencePending: false,
      retry: { objectId, attempts: 1, code: "X", message: "no", ...times },
      finishedAt: 1,
    })),
  );
}

const everybody = ["boss", "kim", "kim2", "lee", "max"];

/** The people that each kind of mark selects. */
export function describeMarks(make: MakeState): void {
  describe("a mark", () => {
    const state = eachWithFreshState(make);

    it.each<[string, Mark, readonly string[]]>([
      ["a person", { who: "person", objectId: "kim" }, ["kim"]],
      ["a person who is unknown", { who: "person", objectId: "nobody" }, []],
      ["the reports of a manager", { who: "reports", objectId: "boss" }, ["kim", "lee"]],
      ["sharers of a userName", { who: "sharers", of: "userName", key: "kim@example.com" }, ["kim", "kim2"]],
      ["sharers of an externalId", { who: "sharers", of: "externalId", key: "7" }, ["kim", "lee"]],
      ["sharers with a person", { who: "sharersWith", objectId: "kim" }, ["kim", "kim2", "lee"]],
      ["sharers with a person without keys", { who: "sharersWith", objectId: "max" }, []],
    ])("puts %s into the next plan", async (_name, mark, expected) => {
      await company(state.store);
      await state.store.commit({ marks: [mark] }, "private");
      expect(await toPlan(state.store)).toEqual(expected);
    });

    it("of the bearer of a userName means a person whose account has a name that is not theirs", async () => {
      const { store } = state;
      await company(store);
      await link(store, "kim", "kim@example.com");
      await link(store, "lee", "old@example.com");
      await store.commit({ planned: everybody.map((id) => plannedRow(id)) }, "private");
      await store.commit({ marks: [{ who: "bearer", userName: "kim@example.com" }] }, "private");
      expect(await toPlan(store)).toEqual([]);
      await store.commit({ marks: [{ who: "bearer", userName: "old@example.com" }] }, "private");
      expect(await toPlan(store)).toEqual(["lee"]);
    });

    it("of the bearer of a person's name means another person whose account has it", async () => {
      const { store } = state;
      await company(store);
      await link(store, "lee", "kim@example.com");
      await link(store, "boss", "boss@example.com");
      await store.commit({ planned: everybody.map((id) => plannedRow(id)) }, "private");
      await store.commit({ marks: [{ who: "bearerOfNameOf", objectId: "boss" }] }, "private");
      expect(await toPlan(store)).toEqual([]);
      await store.commit({ marks: [{ who: "bearerOfNameOf", objectId: "kim" }] }, "private");
      expect(await toPlan(store)).toEqual(["lee"]);
    });

    it("has a retry tried at once if it says so, and otherwise when it is due", async () => {
      const { store } = state;
      await company(store);
      await failEach(store, everybody);
      const atOnce = async (marks: readonly Mark[]) => {
        await store.commit({ marks }, "private");
        const retries = await store.retries(9);
        return retries.flatMap(({ objectId, nextTryAt }) => (nextTryAt === 99 ? [] : [objectId])).sort();
      };
      expect(await atOnce([{ who: "person", objectId: "kim" }])).toEqual([]);
      expect(await atOnce([{ who: "person", objectId: "max", retry: true }])).toEqual(["max"]);
      const sharers = { who: "sharers", of: "userName", key: "kim@example.com", retry: true } as const;
      expect(await atOnce([sharers])).toEqual(["kim", "kim2", "max"]);
      expect(await atOnce([{ who: "reports", objectId: "boss", retry: true }])).toEqual([
        "kim",
        "kim2",
        "lee",
        "max",
      ]);
    });

    it("finds the people who share a key once the rest of its commit is written", async () => {
      const { store } = state;
      await company(store);
      const moved = personRow("lee", { userNameKey: "kim@example.com" });
      const marks: readonly Mark[] = [{ who: "sharersWith", objectId: "lee" }];
      await store.commit({ people: { readIn: 2, put: [moved] }, marks }, "private");
      expect(await toPlan(store)).toEqual(["kim", "kim2", "lee"]);
    });
  });
}
