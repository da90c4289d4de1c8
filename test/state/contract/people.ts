import { describe, expect, it } from "vitest";
import type { KeysOfPerson } from "../../../src/domain/state/people.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, personRow, plannedRow, settled, toPlan } from "./rows.ts";

/** People of the directory, as they were read last. */
export function describePeople(make: MakeState): void {
  describe("a person of the directory", () => {
    const state = eachWithFreshState(make);

    it("is stored as written, whatever the values, and replaced by the next read", async () => {
      const { store } = state;
      const row = personRow("a", {
        attributes: { displayName: "Zoë O'Neil", mail: null, otherMails: ["x@example.com"], deep: { n: 1 } },
        managerId: "boss",
        presence: "softDeleted",
        unshown: ["mail"],
        userNameKey: "a@example.com",
        externalIdKey: "E-7",
        alwaysInScope: true,
      });
      await store.commit({ people: { readIn: 1, put: [row] } }, "private");
      expect((await store.personRows(["a", "nobody"])).get("a")).toEqual(row);
      const next = personRow("a", { attributes: { displayName: "Z" } });
      await store.commit({ people: { readIn: 2, put: [next] } }, "private");
      expect(await store.personRows(["a", "nobody"])).toEqual(new Map([["a", next]]));
    });

    it("keeps JSON with any character, and a property of any name", async () => {
      const { store } = state;
      const attributes = JSON.parse(
        '{"displayName":"a\\u0000b","jobTitle":"\\ud83d","__proto__":"p","constructor":"c","":"empty","department":"\\u2028"}',
      );
      const row = personRow("a", { attributes });
      await store.commit({ people: { readIn: 1, put: [row] } }, "private");
      const [kept] = (await store.personRows(["a"])).values();
      expect(JSON.stringify(kept?.source.attributes, Object.keys(attributes).sort())).toBe(
        JSON.stringify(attributes, Object.keys(attributes).sort()),
      );
    });

    it("is found by object id, else by user principal name, one who is present first", async () => {
      const { store } = state;
      const named = (userPrincipalName: string) => ({ attributes: { userPrincipalName } });
      await settled(store, [
        personRow("a", { ...named("Kim@example.com"), presence: "deleted" }),
        personRow("b", named("kim@Example.com")),
        personRow("kim@example.com", named("other@example.com")),
        personRow("c", { ...named("gone@example.com"), presence: "softDeleted" }),
      ]);
      const idOf = async (text: string) => (await store.findSource(text))?.objectId;
      expect(await idOf("kim@example.com")).toBe("kim@example.com");
      expect(await idOf("KIM@example.com")).toBe("b");
      expect(await idOf("GONE@example.com")).toBe("c");
      expect([await idOf("nobody@example.com"), await idOf("A")]).toEqual([undefined, undefined]);
    });

    it("has a manager who need not be known, unless the person is not present", async () => {
      const { store } = state;
      await settled(store, [
        personRow("a", { managerId: "stranger", userNameKey: "x", externalIdKey: "7" }),
        personRow("b", { managerId: "a", presence: "softDeleted" }),
        personRow("c"),
      ]);
      expect(await store.managerIds(["a", "b", "c", "nobody", "a"])).toEqual(new Map([["a", "stranger"]]));
      const none: KeysOfPerson = { userNameKey: null, externalIdKey: null, managerId: null };
      expect(await store.keysOf(["a", "b", "c", "nobody"])).toEqual(
        new Map<string, KeysOfPerson>([
          ["a", { userNameKey: "x", externalIdKey: "7", managerId: "stranger" }],
          ["b", { ...none, managerId: "a" }],
          ["c", none],
        ]),
      );
    });

    it("who was not read is told with the account, lost links, an open intent and failures", async () => {
      const { store } = state;
      await settled(store, [
        personRow("a", { userNameKey: "x" }),
        personRow("b", { presence: "softDeleted" }),
      ]);
      const link = { latticeId: "l9", externalId: null, userName: "u", reason: "gone" };
      const times = { firstFailedAt: 1, lastFailedAt: 2, nextTryAt: 3 };
      const retry = { objectId: "a", attempts: 1, code: "X", message: "no", ...times };
      await store.commit(
        {
          accounts: { put: [accountRow("l1", "a", { active: null })] },
          lostLinks: { put: [{ ...link, objectId: "b", missingSince: 1, dissolvedAt: 2 }] },
          retries: { put: [retry] },
        },
        "private",
      );
      const keys = { userNameKey: null, externalIdKey: null };
      expect(await store.unreadPeople(2, "", 9)).toEqual([
        {
          ...keys,
          objectId: "a",
          userNameKey: "x",
          presence: "present",
          account: { active: true },
          lostLink: false,
          unconfirmed: false,
          retry,
        },
        {
          ...keys,
          objectId: "b",
          presence: "softDeleted",
          account: null,
          lostLink: true,
          unconfirmed: false,
          retry: null,
        },
      ]);
    });

    it("is counted with what is known of them", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b", { presence: "deleted" }), personRow("c")]);
      const skip = { code: "rejected", reason: "so" } as const;
      await store.commit(
        {
          planned: [
            plannedRow("a", { skip }),
            plannedRow("b", { awaitsManager: true }),
            plannedRow("c", { skip }),
          ],
          accounts: {
            put: [
              accountRow("l1", "a", { missingSince: 3 }),
              accountRow("l2", "b", { active: false }),
              accountRow("l3", "stranger", { active: null }),
              accountRow("l4", null),
            ],
          },
        },
        "private",
      );
      expect(await store.totals()).toEqual({
        sourceUsers: 3,
        linked: 3,
        linkedActive: 2,
        skipped: 2,
        linkedSkipped: 1,
        retrying: 0,
        waitingForManager: 1,
      });
    });

    it("is marked by no one but the commit, new or written again", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      const put = ["a", "b", "c", "d"].map((id) => personRow(id));
      const marks = ["b", "d"].map((objectId) => ({ who: "person", objectId }) as const);
      await store.commit({ people: { readIn: 2, put }, marks }, "private");
      expect(await toPlan(store)).toEqual(["b", "d"]);
      await store.commit({ people: { readIn: 3, put: [personRow("d")] } }, "private");
      expect(await toPlan(store)).toEqual(["b", "d"]);
    });

    it("who is new and marked is in the next plan also if the same commit settles their plan", async () => {
      const { store } = state;
      await store.commit(
        {
          people: { readIn: 1, put: [personRow("a"), personRow("b")] },
          planned: [plannedRow("a"), plannedRow("b")],
          marks: [{ who: "person", objectId: "b" }],
        },
        "private",
      );
      expect(await toPlan(store)).toEqual(["b"]);
    });

    it("is unread by a cycle that neither wrote nor saw them, in pages", async () => {
      const { store } = state;
      const people = ["a", "b", "c", "d", "e"].map((id) => personRow(id));
      await store.commit({ people: { readIn: 1, put: people } }, "private");
      await store.commit({ people: { readIn: 2, put: [personRow("a")], seen: ["c"] } }, "private");
      const idsOf = async (after: string, limit: number) =>
        (await store.unreadPeople(2, after, limit)).map(({ objectId }) => objectId);
      expect(await idsOf("", 2)).toEqual(["b", "d"]);
      expect(await idsOf("d", 2)).toEqual(["e"]);
      expect(await store.unreadPeople(1, "", 9)).toEqual([]);
    });

    it("who is forgotten is gone with failures and leaving events", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      const times = { firstFailedAt: 1, lastFailedAt: 1, nextTryAt: 1 };
      const retry = { objectId: "a", attempts: 1, code: "X", message: "no", ...times };
      await kept(store).outcomes([
        { operationId: 0, objectId: "a", status: "failed", referencePending: false, retry, finishedAt: 1 },
      ]);
      await store.commit({ leaving: [{ objectId: "a", events: new Map([["disabled", 1]]) }] }, "private");
      const change = { objectId: "a", attribute: "title", fingerprint: "f", planId: "plan" };
      await store.commit(
        {
          releases: { put: [{ ...change, releasedAt: 1 }] },
          rejections: { put: [{ ...change, evidence: null, rejectedAt: 1 }] },
          moves: [{ objectId: "a", entered: true }],
          accounts: { put: [accountRow("l1", "a")] },
        },
        "private",
      );
      await store.commit({ forgotten: ["a"] }, "private");
      expect([await store.rejections(9), await store.releasesBefore(9)]).toEqual([[], []]);
      expect([await store.ownerOf("l1"), await store.membersAmong(["a"])]).toEqual(["a", new Set(["a"])]);
      expect([...(await store.personRows(["a", "b"])).keys()]).toEqual(["b"]);
      expect(await store.retries(9)).toEqual([]);
      expect(await store.totals()).toMatchObject({ sourceUsers: 1, retrying: 0 });
      // Back again, and nothing of before is known.
      await store.commit({ people: { readIn: 2, put: [personRow("a")] } }, "private");
      const query = { select: { only: ["a"] }, everyoneInScope: true, after: "", limit: 1 };
      expect(await store.candidates(query)).toMatchObject([{ retry: null, events: new Map() }]);
    });
  });

  describe("the result of a plan for a person", () => {
    const state = eachWithFreshState(make);

    it("says who is planned again, who waits for a manager, and who is skipped for which reason", async () => {
      const { store } = state;
      await settled(
        store,
        ["a", "b", "c"].map((id) => personRow(id)),
      );
      const skip = { code: "rejected", reason: "a person said so" } as const;
      await store.commit(
        {
          planned: [
            plannedRow("a", { planAgain: true }),
            plannedRow("b", { awaitsManager: true }),
            plannedRow("c", { skip }),
          ],
        },
        "private",
      );
      expect(await toPlan(store)).toEqual(["a"]);
      expect(await store.totals()).toMatchObject({ waitingForManager: 1, skipped: 1 });
      expect(await store.skipped({ after: "", limit: 9 })).toMatchObject([{ objectId: "c", ...skip }]);
      expect(await store.countSkipped()).toEqual(new Map([["rejected", 1]]));
      await store.commit({ planned: ["a", "b", "c"].map((id) => plannedRow(id)) }, "private");
      expect(await toPlan(store)).toEqual([]);
      expect(await store.totals()).toMatchObject({ waitingForManager: 0, skipped: 0 });
    });

    it("has a person due from the named time until they are planned", async () => {
      const { store } = state;
      await settled(
        store,
        ["a", "b", "c"].map((id) => personRow(id)),
      );
      await store.commit(
        { planned: [plannedRow("a", { lookAgainAt: 100 }), plannedRow("c", { lookAgainAt: 50 })] },
        "private",
      );
      expect(await store.duePeople(49, "", 9)).toEqual([]);
      expect(await store.duePeople(99, "", 9)).toEqual(["c"]);
      expect(await store.duePeople(100, "", 1)).toEqual(["a"]);
      expect(await store.duePeople(100, "a", 1)).toEqual(["c"]);
      await store.commit({ lookAgain: { objectIds: ["a"], at: null } }, "private");
      expect(await store.duePeople(100, "", 9)).toEqual(["c"]);
    });

    it("replaces the times of leaving events", async () => {
      const { store } = state;
      await settled(store, [personRow("a")]);
      const events = async () => {
        const query = { select: { only: ["a"] }, everyoneInScope: true, after: "", limit: 1 };
        return (await store.candidates(query))[0]?.events;
      };
      const both = new Map([
        ["disabled", 10],
        ["outOfScope", 20],
      ] as const);
      await store.commit({ leaving: [{ objectId: "a", events: both }] }, "private");
      expect(await events()).toEqual(both);
      await store.commit({ leaving: [{ objectId: "a", events: new Map([["deleted", 30]]) }] }, "private");
      expect(await events()).toEqual(new Map([["deleted", 30]]));
    });
  });
}
