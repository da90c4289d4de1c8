import { describe, expect, it } from "vitest";
import type { AccountRow } from "../../../src/domain/state/change.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, personRow, settled } from "./rows.ts";

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
  });
}
