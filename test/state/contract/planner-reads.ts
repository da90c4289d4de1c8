import { beforeEach, describe, expect, it } from "vitest";
import type { AccountRow, PersonRow } from "../../../src/domain/state/change.ts";
import type { CandidateSelection, SharerFilter } from "../../../src/domain/state/planning.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, operationRow, personRow, plannedRow, settled } from "./rows.ts";

const counted: SharerFilter = {
  by: "userName",
  presence: "present",
  membersOnly: false,
  disabledOnlyLinked: true,
};

/** The planner's knowledge of people and of those around them. */
export function describePlannerReads(make: MakeState): void {
  const state = eachWithFreshState(make);
  const people = (...rows: readonly PersonRow[]) => settled(state.store, rows);
  const accounts = (...put: readonly AccountRow[]) => state.store.commit({ accounts: { put } }, "private");
  const candidates = (
    select: CandidateSelection,
    more: { everyone?: boolean; after?: string; limit?: number } = {},
  ) =>
    state.store.candidates({
      select,
      everyoneInScope: more.everyone ?? true,
      after: more.after ?? "",
      limit: more.limit ?? 99,
    });
  const idsOf = async (select: CandidateSelection) =>
    (await candidates(select)).map(({ source }) => source.objectId);

  describe("candidates", () => {
    it("come in the order of the code points of their ids, in pages", async () => {
      const ids = ["Z", "a", "A-b", "AB", "é", "10", "9", "\u{1F600}", "\uFF5E"];
      await people(...ids.map((id) => personRow(id)));
      const expected = ["10", "9", "A-b", "AB", "Z", "a", "é", "\uFF5E", "\u{1F600}"];
      expect(await idsOf("everybody")).toEqual(expected);
      const paged: string[] = [];
      for (let after = ""; ; ) {
        const page = await candidates("everybody", { after, limit: 2 });
        const last = page.at(-1);
        if (last === undefined) break;
        expect(page.length).toBeLessThanOrEqual(2);
        paged.push(...page.map(({ source }) => source.objectId));
        after = last.source.objectId;
      }
      expect(paged).toEqual(expected);
    });

    it("are those who are marked, those who are named and known, or everybody", async () => {
      await people(personRow("a"), personRow("b"), personRow("c", { presence: "deleted" }));
      await state.store.commit({ marks: [{ who: "person", objectId: "b" }] }, "private");
      expect(await idsOf("marked")).toEqual(["b"]);
      expect(await idsOf({ only: ["c", "a", "c", "nobody"] })).toEqual(["a", "c"]);
      expect(await idsOf({ only: [] })).toEqual([]);
      expect(await idsOf("everybody")).toEqual(["a", "b", "c"]);
    });

    it("are people whose manager was found, until they are planned, without those with something undone", async () => {
      const { store } = state;
      await people(...["a", "b", "c", "d"].map((id) => personRow(id, { managerId: "boss" })));
      const cycle = { planId: "plan", kind: "incremental", startedAt: 1 } as const;
      const cycleId = await store.beginCycle(cycle, "private");
      const other = await store.beginCycle({ ...cycle, planId: "other" }, "private");
      const add = [
        operationRow(cycleId, "b"),
        operationRow(cycleId, "c"),
        operationRow(other, "a", { status: "held" }),
      ];
      await store.commit({ operations: { add } }, "private");
      const planned = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 9 });
      const ofC = planned.find(({ objectId }) => objectId === "c")?.id ?? 0;
      await store.commit({ ended: [{ id: ofC, status: "done", finishedAt: 2 }] }, "private");
      const found = { managerFound: { allDoneIn: cycleId } };
      expect(await idsOf(found)).toEqual([]);
      await store.commit({ managerFound: ["a", "b", "c"] }, "private");
      expect(await idsOf(found)).toEqual(["a", "c"]);
      expect(await store.totals()).toMatchObject({ waitingForManager: 0 });
      // A write that is confirmed leaves them, a plan does not.
      const sent = { objectId: "a", planAgain: false, awaitsManager: true };
      await store.commit({ sent: [sent] }, "private");
      expect(await idsOf(found)).toEqual(["a", "c"]);
      await store.commit({ planned: [plannedRow("c")] }, "private");
      expect(await idsOf(found)).toEqual(["a"]);
      await store.commit({ awaiting: [{ objectId: "a", planAgain: false }] }, "private");
      expect(await idsOf(found)).toEqual([]);
    });

    it("are members if everybody is, if the scope has them, or if they are always in scope", async () => {
      await people(personRow("a"), personRow("b"), personRow("c", { alwaysInScope: true }));
      await state.store.commit(
        {
          moves: [
            { objectId: "a", entered: true },
            { objectId: "a", entered: true },
            { objectId: "a", entered: true, group: "G" },
            { objectId: "stranger", entered: true },
          ],
        },
        "private",
      );
      const membersOf = async (everyone: boolean) =>
        (await candidates("everybody", { everyone })).map(({ member }) => member);
      expect(await membersOf(false)).toEqual([true, false, true]);
      expect(await membersOf(true)).toEqual([true, true, true]);
      expect((await candidates({ only: ["a"] }))[0]?.groups).toEqual(new Set(["G"]));
      expect(await state.store.membersAmong(["a", "b", "stranger"])).toEqual(new Set(["a", "stranger"]));
    });

    it("come with account, manager, open intent and whether others share their keys", async () => {
      const { store } = state;
      await people(
        personRow("a", { managerId: "boss", userNameKey: "x@example.com", externalIdKey: "7" }),
        personRow("b", { managerId: "stranger", userNameKey: "x@example.com", presence: "deleted" }),
        personRow("boss", { attributes: { userPrincipalName: "boss@example.com" }, presence: "softDeleted" }),
      );
      await accounts(accountRow("l1", "a"), accountRow("l2", "boss", { missingSince: 5, active: null }));
      const cycleId = await store.beginCycle(
        { planId: "plan", kind: "incremental", startedAt: 1 },
        "private",
      );
      await store.commit({ operations: { add: [operationRow(cycleId, "a")] } }, "private");
      const [id = 0] = await store.unsentOf(cycleId, ["a"]);
      await store.commit({ intents: { begin: { operationIds: [id], at: 2 } } }, "private");
      const [a, b, boss] = await candidates("everybody");
      expect(a).toMatchObject({
        sharesName: true,
        sharesExternalId: false,
        unconfirmed: true,
        accountMissingSince: null,
        link: { latticeId: "l1" },
        manager: {
          objectId: "boss",
          presence: "softDeleted",
          userName: "boss@example.com",
          latticeId: "l2",
          source: { objectId: "boss" },
        },
      });
      expect(b).toMatchObject({
        sharesName: true,
        unconfirmed: false,
        link: null,
        manager: { objectId: "stranger", presence: null, userName: null, latticeId: null, source: null },
      });
      expect(boss).toMatchObject({
        manager: null,
        sharesName: false,
        accountMissingSince: 5,
        link: { active: null },
      });
    });
  });

  describe("people who share a key", () => {
    beforeEach(async () => {
      const key = { userNameKey: "x@example.com", externalIdKey: "7" };
      await people(
        personRow("a", key),
        personRow("b", { ...key, attributes: { accountEnabled: false } }),
        personRow("c", { ...key, attributes: { accountEnabled: false } }),
        personRow("d", { ...key, attributes: { accountEnabled: null }, alwaysInScope: true }),
        personRow("e", { ...key, presence: "softDeleted" }),
        personRow("f", { externalIdKey: "7", attributes: { accountEnabled: true } }),
      );
      await accounts(accountRow("l1", "c"));
      await state.store.commit({ moves: [{ objectId: "c", entered: true }] }, "private");
    });
    const sharing = async (which: Partial<SharerFilter>) => {
      const key = which.by === "externalId" ? "7" : "x@example.com";
      return (await state.store.sharing([key], { ...counted, ...which })).get(key);
    };

    it("are those who count by the filter, in the order of their ids", async () => {
      expect(await sharing({})).toEqual(["a", "c", "d"]);
      expect(await sharing({ disabledOnlyLinked: false })).toEqual(["a", "b", "c", "d"]);
      expect(await sharing({ membersOnly: true })).toEqual(["c", "d"]);
      expect(await sharing({ presence: "softDeleted" })).toEqual(["e"]);
      expect(await sharing({ by: "externalId" })).toEqual(["a", "c", "d", "f"]);
    });

    it("are no one for a key that no one has", async () => {
      expect(await state.store.sharing(["y@example.com", "X@example.com"], counted)).toEqual(
        new Map([
          ["y@example.com", []],
          ["X@example.com", []],
        ]),
      );
    });
  });

  describe("accounts that could be a person's", () => {
    it("have the userName in any case, the externalId, or were lost", async () => {
      await people(personRow("a"));
      await accounts(
        accountRow("l1", "a", { userName: "Kim.Ö@example.com", externalId: "7" }),
        accountRow("l2", null, { externalId: "7", missingSince: 5 }),
        accountRow("l3", null, { externalId: "8" }),
      );
      const request = { objectId: "b", userName: "KIM.ö@EXAMPLE.com", externalId: "7", lost: ["l3", "gone"] };
      const nobody = { objectId: "c", userName: null, externalId: null, lost: [] };
      const answers = await state.store.matches([request, nobody]);
      const found = answers.get("b");
      expect(found?.byUserName).toMatchObject([{ latticeId: "l1", linkedTo: "a" }]);
      expect(found?.byExternalId.map(({ latticeId }) => latticeId).sort()).toEqual(["l1", "l2"]);
      expect(found?.byLostLink).toMatchObject([{ latticeId: "l3", linkedTo: null }]);
      expect(answers.get("c")).toEqual({ byUserName: [], byExternalId: [], byLostLink: [] });
    });

    it("are at most three of a kind, which shows that there are several", async () => {
      await accounts(
        ...["l1", "l2", "l3", "l4"].map((id) =>
          accountRow(id, null, { userName: "x@example.com", externalId: "7" }),
        ),
      );
      const request = { objectId: "b", userName: "x@example.com", externalId: "7", lost: [] };
      const found = (await state.store.matches([request])).get("b");
      for (const some of [found?.byUserName, found?.byExternalId]) {
        expect(some?.length).toBeGreaterThanOrEqual(2);
        expect(some?.length).toBeLessThanOrEqual(3);
      }
    });
  });

  describe("the holder of a userName", () => {
    it("is a linked account of a person who is known and not deleted", async () => {
      const { store } = state;
      await people(
        personRow("a", { userNameKey: "other@example.com" }),
        personRow("b", { presence: "deleted" }),
        personRow("c", { presence: "softDeleted" }),
      );
      await accounts(
        accountRow("l1", "a", { userName: "A@example.com" }),
        accountRow("l2", "b", { userName: "b@example.com" }),
        accountRow("l3", "c", { userName: "c@example.com" }),
        accountRow("l4", "stranger", { userName: "d@example.com" }),
        accountRow("l5", null, { userName: "e@example.com" }),
      );
      const times = { firstFailedAt: 1, lastFailedAt: 1, nextTryAt: 9 };
      const retry = { objectId: "c", attempts: 1, code: "X", message: "no", ...times };
      await store.commit({ retries: { put: [retry] } }, "private");
      const keys = ["a", "b", "c", "d", "e"].map((name) => `${name}@example.com`);
      expect(await store.nameHolders(keys)).toEqual(
        new Map([
          [
            "a@example.com",
            { objectId: "a", userName: "A@example.com", wanted: "other@example.com", failure: null },
          ],
          [
            "c@example.com",
            {
              objectId: "c",
              userName: "c@example.com",
              wanted: null,
              failure: { code: "X", nextTryAt: 9 },
            },
          ],
        ]),
      );
    });
  });

  describe("people who wait for their manager", () => {
    it("have found the manager once there is a linked account that is not missing", async () => {
      const { store } = state;
      const boss = (id: string) => `boss-${id}`;
      await people(...["a", "b", "c", "d", "e"].map((id) => personRow(id, { managerId: boss(id) })));
      const waiting = ["a", "b", "c", "d"].map((objectId) => ({ objectId, planAgain: false }));
      await store.commit({ awaiting: waiting }, "private");
      await accounts(
        accountRow("l1", boss("a")),
        accountRow("l2", boss("b"), { missingSince: 5 }),
        accountRow("l4", boss("d"), { active: false }),
        accountRow("l5", boss("e")),
      );
      expect(await store.managersFound("", 9)).toEqual(["a", "d"]);
      expect(await store.managersFound("a", 9)).toEqual(["d"]);
      expect(await store.managersFound("", 1)).toEqual(["a"]);
    });

    it("are found like those for whom a manager is presumed, who are not counted", async () => {
      const { store } = state;
      await people(...["a", "b"].map((id) => personRow(id, { managerId: `boss-${id}` })));
      const planned = [
        plannedRow("a", { presumesManager: true }),
        plannedRow("b", { presumesManager: true }),
      ];
      await store.commit({ planned }, "private");
      const sent = { objectId: "a", planAgain: false, awaitsManager: false };
      await store.commit({ sent: [sent] }, "private");
      expect(await store.managersFound("", 9)).toEqual([]);
      expect(await store.totals()).toMatchObject({ waitingForManager: 0 });
      await accounts(accountRow("l1", "boss-a"));
      expect(await store.managersFound("", 9)).toEqual(["a"]);
      await store.commit({ planned: [plannedRow("a")] }, "private");
      expect(await store.managersFound("", 9)).toEqual([]);
    });
  });

  describe("people who are leaving", () => {
    it("are counted if the event was seen since then and the account may be active", async () => {
      const { store } = state;
      await people(...["a", "b", "c", "d"].map((id) => personRow(id)));
      const leaving = ["a", "b", "c", "d"].map((objectId, index) => ({
        objectId,
        events: new Map([["outOfScope", index < 3 ? 5 : 4]] as const),
      }));
      await store.commit({ leaving }, "private");
      await accounts(
        accountRow("l1", "a", { active: null }),
        accountRow("l2", "b", { active: false }),
        accountRow("l4", "d"),
      );
      expect(await store.countLeaving("outOfScope", 5)).toBe(1);
      expect(await store.countLeaving("outOfScope", 4)).toBe(2);
      expect(await store.countLeaving("disabled", 0)).toBe(0);
    });
  });
}
