import { describe, expect, it } from "vitest";
import type { AccountIdentity } from "../../../src/domain/state/accounts.ts";
import type { AccountRow } from "../../../src/domain/state/change.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, operationRow, personRow, settled } from "./rows.ts";

/** Accounts of the target, and the people whom they are linked to. */
export function describeAccounts(make: MakeState): void {
  describe("an account", () => {
    const state = eachWithFreshState(make);
    const put = (...rows: readonly AccountRow[]) =>
      state.store.commit({ accounts: { put: rows } }, "private");
    const rowsOf = (latticeIds: readonly string[], objectIds: readonly string[] = []) =>
      state.store.accountRows({ latticeIds, objectIds });

    it("is stored as written, and replaced by the next read", async () => {
      const { store } = state;
      await settled(store, [personRow("a")]);
      const row = accountRow("l1", "a", {
        userName: "A@Example.com",
        externalId: "a",
        active: null,
        values: { title: "Zoë's", manager: null, emails: [{ value: "x@example.com" }] },
        acknowledged: { title: { sent: "zoë", observed: "Zoë's", refused: true } },
        drifted: { title: "Before" },
        readIn: 3,
        readAgain: ["manager"],
        missingSince: 7,
      });
      await put(row);
      expect(await rowsOf(["l1", "l2"])).toEqual([row]);
      const next = accountRow("l1", null, { readIn: 4 });
      await put(next);
      expect(await rowsOf(["l1"])).toEqual([next]);
    });

    it("is found by its id and by its person, once", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      await put(accountRow("l1", "a"), accountRow("l2", "b"), accountRow("l3", null));
      const found = await rowsOf(["l1", "l3"], ["a", "b", "c"]);
      expect(found.map(({ latticeId }) => latticeId).sort()).toEqual(["l1", "l2", "l3"]);
      expect(await store.ownerOf("l1")).toBe("a");
      expect(await store.ownerOf("l3")).toBeNull();
      expect(await store.latticeIdOf("b")).toBe("l2");
      expect(await store.totals()).toMatchObject({ linked: 2 });
      expect(await store.countLinked()).toBe(2);
    });

    it("can go to another person in the commit in which that person's own account goes", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      await put(accountRow("l1", "a"), accountRow("l2", "b"));
      await store.commit(
        { accounts: { losing: ["l1", "l2"], put: [accountRow("l1", "b"), accountRow("l2", "a")] } },
        "private",
      );
      expect([await store.latticeIdOf("a"), await store.latticeIdOf("b")]).toEqual(["l2", "l1"]);
    });

    it("loses its link if the commit says so, and stays known", async () => {
      const { store } = state;
      await settled(store, [personRow("a")]);
      await put(accountRow("l1", "a"));
      await store.commit({ accounts: { losing: ["l1"] } }, "private");
      expect(await store.latticeIdOf("a")).toBeNull();
      expect(await rowsOf(["l1"])).toMatchObject([{ objectId: null }]);
      await store.commit({ accounts: { gone: ["l1"] } }, "private");
      expect(await rowsOf(["l1"])).toEqual([]);
    });

    it("is unread by a cycle that neither wrote nor saw it, in pages", async () => {
      await put(...["l1", "l2", "l3", "l4"].map((id) => accountRow(id, null, { readIn: 1 })));
      await state.store.commit({ accounts: { readIn: 2, seen: ["l2"] } }, "private");
      const idsOf = async (after: string, limit: number) =>
        (await state.store.unreadAccounts(2, after, limit)).map(({ latticeId }) => latticeId);
      expect(await idsOf("", 2)).toEqual(["l1", "l3"]);
      expect(await idsOf("l3", 2)).toEqual(["l4"]);
    });

    it("is read again, or missing for long enough, as its row says", async () => {
      await put(
        accountRow("l1", null, { readAgain: [] }),
        accountRow("l2", null, { missingSince: 10 }),
        accountRow("l3", null, { missingSince: 20 }),
        accountRow("l4", null),
      );
      expect(await state.store.toReadAgain("", 9)).toEqual([{ latticeId: "l1", objectId: null }]);
      expect(await state.store.missingAccounts(10, "", 9)).toEqual([{ latticeId: "l2", missingSince: 10 }]);
      expect(await state.store.missingAccounts(20, "l2", 9)).toEqual([{ latticeId: "l3", missingSince: 20 }]);
    });

    it("leaves a record of a link that was removed, until the account is back", async () => {
      const { store } = state;
      await settled(store, [personRow("a")]);
      const lost = {
        latticeId: "l1",
        objectId: "a",
        externalId: "a",
        userName: "a@example.com",
        missingSince: 5,
        dissolvedAt: 9,
        reason: "gone",
      };
      const candidate = async () => {
        const query = { select: { only: ["a"] }, everyoneInScope: true, after: "", limit: 1 };
        return (await store.candidates(query))[0];
      };
      await store.commit(
        { lostLinks: { put: [lost] }, accountRemoved: [{ objectId: "a", removed: true }] },
        "private",
      );
      expect(await candidate()).toMatchObject({ accountRemoved: true, lostLinks: [lost] });
      expect([await store.countLostLinks(9), await store.countLostLinks(10)]).toEqual([1, 0]);
      await store.commit(
        { lostLinks: { drop: ["l1"] }, accountRemoved: [{ objectId: "a", removed: false }] },
        "private",
      );
      expect(await candidate()).toMatchObject({ accountRemoved: false, lostLinks: [] });
    });

    it("is offered as another one with linked accounts first, then active ones, without missing ones", async () => {
      await settled(
        state.store,
        ["a", "b", "c"].map((id) => personRow(id)),
      );
      await put(
        accountRow("l1", null),
        accountRow("l2", null, { active: false }),
        accountRow("l3", "a", { active: false }),
        accountRow("l4", "b", { active: null }),
        accountRow("l5", "c", { missingSince: 1 }),
        accountRow("l6", null),
      );
      expect(await state.store.otherAccounts("l6", 9)).toEqual(["l4", "l3", "l1", "l2"]);
      expect(await state.store.otherAccounts("l4", 2)).toEqual(["l3", "l1"]);
    });

    it("is sound if it is linked and not missing, and its person neither fails nor is in doubt", async () => {
      const { store } = state;
      await settled(
        store,
        ["a", "b", "c", "d", "e", "f"].map((id) => personRow(id)),
      );
      await put(
        accountRow("l6", "f"),
        accountRow("l1", "a", { active: false }),
        accountRow("l2", "b"),
        accountRow("l3", "c"),
        accountRow("l4", "d"),
        accountRow("l5", "e", { missingSince: 1 }),
        accountRow("l7", null),
      );
      const times = { firstFailedAt: 1, lastFailedAt: 1, nextTryAt: 1 };
      const retry = { objectId: "b", attempts: 1, code: "X", message: "no", ...times };
      await store.commit({ retries: { put: [retry] } }, "private");
      const cycleId = await store.beginCycle({ planId: "p", kind: "incremental", startedAt: 1 }, "private");
      await store.commit({ operations: { add: [operationRow(cycleId, "c")] } }, "private");
      const operationIds = await store.unsentOf(cycleId, ["c"]);
      await store.commit({ intents: { begin: { operationIds, at: 1 } } }, "private");
      expect(await store.soundAccounts(["d"], 9)).toEqual(["l1", "l6"]);
      expect(await store.soundAccounts([], 1)).toEqual(["l1"]);
    });

    it("reports to another one by its own value or by the directory, and is told once", async () => {
      const { store } = state;
      await settled(store, [
        personRow("boss"),
        personRow("a", { managerId: "boss" }),
        personRow("b", { managerId: "boss" }),
        personRow("c"),
        personRow("d", { managerId: "boss" }),
      ]);
      const reports = { "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager": "l0" };
      await put(
        accountRow("l0", "boss"),
        accountRow("l1", "a", { values: reports }),
        accountRow("l2", "b"),
        accountRow("l3", "c", { values: reports }),
        accountRow("l4", null, { values: reports }),
        accountRow("l5", "stranger"),
      );
      const found = await store.accountsReportingTo("l0");
      expect(found.map(({ latticeId }) => latticeId).sort()).toEqual(["l1", "l2", "l3", "l4"]);
      expect(await store.accountsReportingTo("l4")).toEqual([]);
    });

    it("counts for an attribute if it is linked and keeps another value than was sent", async () => {
      const { store } = state;
      await settled(
        store,
        ["a", "b", "c"].map((id) => personRow(id)),
      );
      const kept = (path: string, observed: string | null) => ({ [path]: { sent: "x", observed } });
      await put(
        accountRow("l1", "a", { acknowledged: { ...kept("title", "y"), ...kept("phone", null) } }),
        accountRow("l2", "b", { acknowledged: { ...kept("phone", null), ...kept("nickName", null) } }),
        accountRow("l3", "c", { values: { nickName: "Kim" } }),
        accountRow("l4", null, { acknowledged: kept("title", "y"), values: { phone: "1" } }),
      );
      expect(await store.countAcknowledged()).toEqual([
        { attribute: "nickName", accounts: 1, shown: true },
        { attribute: "phone", accounts: 2, shown: false },
        { attribute: "title", accounts: 1, shown: true },
      ]);
    });

    it("is a person's, or nobody's, as each question about the link says", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      await put(
        accountRow("l1", "a", { missingSince: 1, readIn: 3 }),
        accountRow("l2", "b", { userName: "B@example.com", externalId: "7" }),
        accountRow("l3", null),
      );
      expect([await store.latticeIdOf("a"), await store.latticeIdOf("c")]).toEqual([null, null]);
      expect(await store.latticeIdsOf(["a", "b", "c", "b"])).toEqual(new Map([["b", "l2"]]));
      expect([(await store.linkOf("a"))?.latticeId, await store.linkOf("c")]).toEqual(["l1", null]);
      expect([await store.ownerOf("l1"), await store.ownerOf("l9")]).toEqual(["a", null]);
      expect([await store.accountOf("l1"), await store.accountOf("l9")]).toMatchObject([
        { latticeId: "l1", linkedTo: "a", readIn: 3 },
        null,
      ]);
      expect(await store.identitiesOf(["l2", "l3", "l9"])).toEqual(
        new Map<string, AccountIdentity>([
          ["l2", { userName: "B@example.com", externalId: "7", linkedTo: "b" }],
          ["l3", { userName: "l3@example.com", externalId: null, linkedTo: null }],
        ]),
      );
    });

    it("cannot be a second one of its person", async () => {
      await settled(state.store, [personRow("a")]);
      await put(accountRow("l1", "a"));
      await expect(put(accountRow("l2", "a"), accountRow("l3", null))).rejects.toThrow();
      expect(await rowsOf(["l2", "l3"])).toEqual([]);
    });
  });
}
