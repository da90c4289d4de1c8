import { describe, expect, it } from "vitest";
import type { ReportedAccount } from "../../../src/domain/state/account-report.ts";
import type { AccountRow } from "../../../src/domain/state/change.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow, operationRow, personRow, plannedRow, settled } from "./rows.ts";

const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

/** Every account, with the people to whom it belongs or may belong. */
export function describeAccountReport(make: MakeState): void {
  describe("the report of accounts", () => {
    const state = eachWithFreshState(make);
    const put = (...rows: readonly AccountRow[]) =>
      state.store.commit({ accounts: { put: rows } }, "private");

    it("has every account once, in pages by Lattice id", async () => {
      const { store } = state;
      await put(...["B", "a", "c"].map((id) => accountRow(id, null)));
      const query = { everyoneInScope: true, department, properties: [], limit: 2 };
      const first = await store.reportedAccounts({ ...query, after: "" });
      const second = await store.reportedAccounts({ ...query, after: "a" });
      expect(first.map(({ latticeId }) => latticeId)).toEqual(["B", "a"]);
      expect(second.map(({ latticeId }) => latticeId)).toEqual(["c"]);
      expect(await store.reportedAccounts({ ...query, after: "c" })).toEqual([]);
    });

    it("has what is known of an account, and a department only if it is a text that may be shown", async () => {
      await put(
        accountRow("l1", null, {
          userName: "Kim@example.com",
          externalId: "x",
          active: null,
          missingSince: 7,
          values: { [department]: "Sales" },
        }),
        accountRow("l2", null, { active: false, values: { [department]: { odd: 1 } } }),
      );
      const [first, second] = await report(state.store);
      expect(first).toEqual({
        latticeId: "l1",
        userName: "Kim@example.com",
        externalId: "x",
        active: null,
        department: "Sales",
        missingSince: 7,
        linkedTo: null,
        people: [],
      });
      expect(second).toMatchObject({ active: false, department: null });
      const hidden = { everyoneInScope: true, department: null, properties: [], after: "", limit: 9 };
      expect((await state.store.reportedAccounts(hidden)).map((one) => one.department)).toEqual([null, null]);
    });

    it("has the person of a linked account alone, and the link if the person is not known", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b", { userNameKey: "l1@example.com" })]);
      await put(accountRow("l1", "a"), accountRow("l2", "unknown"));
      const [first, second] = await report(store);
      expect(first).toMatchObject({ linkedTo: "a" });
      expect(first?.people.map(peopleIds)).toEqual(["a"]);
      expect(first?.people[0]).toMatchObject({ latticeId: "l1" });
      expect(second).toMatchObject({ linkedTo: "unknown", people: [] });
    });

    it("reads the people of linked accounts apart, and looks up only those who are not given", async () => {
      const { store } = state;
      const attributes = { accountEnabled: true, userPrincipalName: "kim@example.com", city: "Lyon" };
      await settled(store, [
        personRow("a", { attributes, managerId: "b" }),
        personRow("b", { attributes: { accountEnabled: false } }),
        personRow("no-account"),
      ]);
      await put(
        accountRow("l1", "a"),
        accountRow("l2", "b"),
        accountRow("l3", "unknown"),
        accountRow("l4", null),
      );
      const asked = { everyoneInScope: true, properties };
      const all = await store.linkedPeople({ ...asked, limit: 9 });
      expect([...all.keys()].toSorted()).toEqual(["a", "b"]);
      const { city: _, ...shown } = attributes;
      const source = { objectId: "a", attributes: shown, managerId: "b", presence: "present" };
      expect(all.get("a")).toMatchObject({ source, member: true, former: false, held: null });
      expect(all.get("a")?.source.attributes).toEqual(shown);
      expect((await store.linkedPeople({ ...asked, limit: 1 })).size).toBe(1);
      expect((await store.linkedPeople({ ...asked, properties: ["city"], limit: 9 })).get("a")).toMatchObject(
        {
          source: { attributes: { city: "Lyon" } },
        },
      );

      const query = { ...asked, department, after: "", limit: 9 };
      const known = new Map(
        [...all].filter(([id]) => id === "a").map(([id, one]) => [id, { ...one, held: "as given" }]),
      );
      const accounts = await store.reportedAccounts({ ...query, people: known });
      expect(accounts.map(({ latticeId }) => latticeId)).toEqual(["l1", "l2", "l3", "l4"]);
      expect(
        accounts.map(({ people }) => people.map(({ held, latticeId }) => ({ held, latticeId }))),
      ).toEqual([[{ held: "as given", latticeId: "l1" }], [{ held: null, latticeId: "l2" }], [], []]);
      expect(await store.reportedAccounts({ ...query, people: all })).toEqual(
        await store.reportedAccounts(query),
      );
    });

    it("has everybody whose an account without a link may be, once and in order", async () => {
      const { store } = state;
      await settled(store, [
        personRow("by-key", { externalIdKey: "e-1" }),
        personRow("by-name", { userNameKey: "kim@example.com", externalIdKey: "e-1" }),
        personRow("other", { userNameKey: "sam@example.com" }),
        personRow("had-it"),
      ]);
      await put(accountRow("l1", "had-it"));
      await kept(store).unlinked("l1", { at: 1, reason: "gone" });
      await put(
        accountRow("l1", null, { userName: "Kim@Example.com", externalId: "e-1" }),
        accountRow("l2", null, { externalId: "other" }),
        accountRow("l3", null, { externalId: "OTHER" }),
        accountRow("l4", "by-name"),
      );
      const decided = { userName: "u", by: { kind: "cli", name: "kim@host" }, reason: "", at: 1 } as const;
      await store.commit(
        {
          linkDecisions: {
            put: [
              { ...decided, latticeId: "l3", objectId: "had-it", what: "linked" },
              { ...decided, latticeId: "l3", objectId: "other", what: "unlinked" },
            ],
          },
        },
        "private",
      );
      const people = (await report(store)).map((one) => one.people.map(peopleIds));
      expect(people).toEqual([["by-key", "by-name", "had-it"], ["other"], ["had-it"], ["by-name"]]);
      const former = (await report(store)).map((one) => one.people.map((person) => person.former));
      expect(former).toEqual([[false, false, true], [false], [false], [false]]);
      const linked = (await report(store)).map((one) => one.people.map(({ latticeId }) => latticeId));
      expect(linked).toEqual([[null, "l4", null], [null], [null], ["l4"]]);
    });

    it("has where a person stands", async () => {
      const { store } = state;
      await settled(store, [
        personRow("a", { attributes: { accountEnabled: false }, presence: "softDeleted", unshown: ["x"] }),
        personRow("b", { alwaysInScope: true }),
        personRow("c"),
      ]);
      await put(accountRow("l1", "a"), accountRow("l2", "b"), accountRow("l3", "c"));
      await store.commit(
        {
          moves: [
            { objectId: "c", entered: true },
            { objectId: "c", entered: true, group: "G" },
          ],
          planned: [
            plannedRow("a", { skip: { code: "eventIgnored", reason: "ignored" } }),
            plannedRow("c", { planAgain: true }),
          ],
          leaving: [{ objectId: "a", events: new Map([["deleted", 5]]) }],
        },
        "private",
      );
      const [first, second, third] = (await report(store, false)).map(({ people }) => people[0]);
      expect(first).toEqual({
        source: {
          objectId: "a",
          attributes: { accountEnabled: false },
          managerId: null,
          presence: "softDeleted",
          unshown: ["x"],
        },
        member: false,
        groups: new Set(),
        events: new Map([["deleted", 5]]),
        skip: { code: "eventIgnored", reason: "ignored" },
        retry: null,
        held: null,
        marked: false,
        former: false,
        latticeId: "l1",
      });
      expect(second).toMatchObject({ member: true, skip: null });
      expect(third).toMatchObject({ member: true, groups: new Set(["G"]), marked: true });
      const everyone = await report(store, true);
      expect(everyone.map(({ people }) => people[0]?.member)).toEqual([true, true, true]);
    });

    it("has what is held for a person, why the person failed, and when the account was written", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      await put(accountRow("l-a", "a"), accountRow("l-b", "b"), accountRow("l-c", null));
      const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
      const retry = {
        objectId: "b",
        attempts: 1,
        firstFailedAt: 2,
        lastFailedAt: 2,
        nextTryAt: 9,
        code: "c",
        message: "m",
      };
      await store.commit(
        {
          operations: {
            add: [
              operationRow(cycleId, "a", { status: "held" }),
              ...["b", "b"].map((id) => operationRow(cycleId, id)),
            ],
          },
          retries: { put: [retry] },
        },
        "private",
      );
      const planned = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 9 });
      const written = planned.filter(({ objectId }) => objectId === "b");
      await kept(store).outcomes(
        written.map(({ id }, index) => ({
          operationId: id,
          objectId: "b",
          status: "done",
          unknown: false,
          referencePending: false,
          finishedAt: 8 - index,
        })),
      );
      await store.commit({ retries: { put: [retry] } }, "private");
      const [first, second, third] = await report(store);
      expect(first).toMatchObject({ people: [{ held: "title changed", retry: null }] });
      expect(second).toMatchObject({
        people: [{ held: null, retry: { code: "c", message: "m", nextTryAt: 9 } }],
      });
      expect(third).toMatchObject({ people: [] });
      const writes = new Map([["b", 8]]);
      expect(await store.lastWrites("everybody")).toEqual(writes);
      expect(await store.lastWrites(["a", "b", "unknown"])).toEqual(writes);
      expect(await store.lastWrites(["a"])).toEqual(new Map());
    });
  });
}

const properties = ["accountEnabled", "userPrincipalName"];

const peopleIds = ({ source }: ReportedAccount["people"][number]) => source.objectId;

function report(store: StateStore, everyoneInScope = true): Promise<readonly ReportedAccount[]> {
  return store.reportedAccounts({ everyoneInScope, department, properties, after: "", limit: 100 });
}
