import { describe, expect, it } from "vitest";
import { isNobodys } from "../../../src/cycle/person/account-kinds.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, personRow, settled } from "./rows.ts";

/** Accounts by whose they are, and those that have become nobody's. */
export function describeAccountCounts(make: MakeState): void {
  describe("the counts of accounts", () => {
    const state = eachWithFreshState(make);

    it("are by whose they are, as the report of accounts has it, and by state", async () => {
      const { store } = state;
      const none = { active: 0, inactive: 0 };
      expect(await store.accountCounts()).toEqual({ linked: none, left: none, matched: none, nobodys: none });
      await settled(store, [
        personRow("a"),
        personRow("b"),
        personRow("c", { userNameKey: "named@example.com" }),
        personRow("d", { externalIdKey: "key" }),
        personRow("e"),
        personRow("gone", { presence: "deleted" }),
      ]);
      const lost = { externalId: null, userName: "u", missingSince: 1, dissolvedAt: 2, reason: "gone" };
      const decided = { userName: "u", by: { kind: "cli", name: "kim@host" } as const, reason: "", at: 1 };
      await store.commit(
        {
          accounts: {
            put: [
              accountRow("l1", "a"),
              accountRow("l2", "b", { active: false }),
              accountRow("l3", "unknown", { active: null }),
              accountRow("m1", null, { userName: "Named@example.com" }),
              accountRow("m2", null, { externalId: "key", active: false }),
              accountRow("m3", null, { externalId: "e" }),
              accountRow("m4", null),
              accountRow("m5", null),
              accountRow("n1", null),
              accountRow("n2", null, { active: null }),
              accountRow("n4", null),
              accountRow("n5", null, { externalId: "new" }),
              accountRow("m6", null, { externalId: "old" }),
              accountRow("n3", null, { active: false, externalId: "of another system" }),
            ],
          },
          lostLinks: {
            put: [
              { ...lost, latticeId: "m4", objectId: "e" },
              { ...lost, latticeId: "n1", objectId: "forgotten" },
              { ...lost, latticeId: "n4", objectId: "gone" },
              { ...lost, latticeId: "n5", objectId: "a", externalId: "old" },
              { ...lost, latticeId: "m6", objectId: "a", externalId: "old" },
            ],
          },
          linkDecisions: {
            put: [
              { ...decided, latticeId: "m5", objectId: "a", what: "linked" },
              { ...decided, latticeId: "n1", objectId: "forgotten", what: "linked" },
              { ...decided, latticeId: "n2", objectId: "a", what: "unlinked" },
            ],
          },
          leaving: [
            {
              objectId: "b",
              events: new Map([
                ["disabled", 1],
                ["outOfScope", 2],
              ]),
            },
            { objectId: "c", events: new Map([["disabled", 1]]) },
          ],
        },
        "private",
      );
      expect(await store.accountCounts()).toEqual({
        linked: { active: 2, inactive: 1 },
        left: { active: 1, inactive: 1 },
        matched: { active: 5, inactive: 1 },
        nobodys: { active: 4, inactive: 1 },
      });
      const query = { department: null, everyoneInScope: true, properties: [], after: "", limit: 100 };
      const unlinked = (await store.reportedAccounts(query)).filter(({ linkedTo }) => linkedTo === null);
      const byEngine = { matched: { active: 0, inactive: 0 }, nobodys: { active: 0, inactive: 0 } };
      for (const account of unlinked) {
        byEngine[isNobodys(account) ? "nobodys" : "matched"][
          account.active === false ? "inactive" : "active"
        ] += 1;
      }
      expect(await store.accountCounts()).toMatchObject(byEngine);
      expect((await store.newNobodys("", 9)).map(({ latticeId }) => latticeId)).toEqual([
        "n1",
        "n2",
        "n4",
        "n5",
      ]);
      expect((await store.newNobodys("n1", 1)).map(({ latticeId }) => latticeId)).toEqual(["n2"]);
    });

    it("tell an account that has become nobody's from one that is noted, and from one that is not any more", async () => {
      const { store } = state;
      await settled(store, [personRow("a")]);
      await store.commit(
        {
          accounts: { put: ["B", "a", "c"].map((id) => accountRow(id, null)) },
          nobodys: { put: ["B", "a", "gone"] },
        },
        "private",
      );
      expect((await store.newNobodys("", 9)).map(({ latticeId }) => latticeId)).toEqual(["c"]);
      expect(await store.formerNobodys("", 9)).toEqual(["gone"]);
      await store.commit(
        { accounts: { put: [accountRow("B", "a"), accountRow("a", null, { active: false })] } },
        "private",
      );
      expect(await store.formerNobodys("", 2)).toEqual(["B", "a"]);
      expect(await store.formerNobodys("a", 2)).toEqual(["gone"]);
      await store.commit({ nobodys: { drop: ["B", "a", "gone", "unknown"], put: ["c", "c"] } }, "private");
      expect(await store.formerNobodys("", 9)).toEqual([]);
      expect(await store.newNobodys("", 9)).toEqual([]);
    });
  });
}
