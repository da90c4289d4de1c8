import { describe, expect, it } from "vitest";
import type { Protection } from "../../../src/domain/protection.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

const by = { kind: "cli", name: "kim@host" } as const;
const root: Protection = {
  latticeId: "lat-B",
  userName: "Root@example.com",
  by,
  reason: 'the "last" key',
  at: 5,
};
const other: Protection = {
  latticeId: "lat-a",
  userName: "other@example.com",
  by: { kind: "local" },
  reason: "x",
  at: 9,
};
const event = { kind: "accountProtected", latticeId: "lat-B", userName: "r", by, reason: "x" } as const;

/** Accounts that people have protected. */
export function describeProtections(make: MakeState): void {
  describe("protections of accounts", () => {
    const state = eachWithFreshState(make);

    it("are kept with their event, of accounts that are known or not, and seen by other processes in the order of ids", async () => {
      const { store } = state;
      expect(await store.protections()).toEqual([]);
      await store.addEvent(event, { at: 1, protections: { put: [other, root] } });
      expect(await (await state.another()).protections()).toEqual([root, other]);
      await store.addressEvents([{ name: "one", events: ["accountProtected"] }]);
      const terms = { claimMs: 1, longestWaitMs: 1_000 };
      expect(await store.claimDelivery("one", 2, terms)).toMatchObject({ kept: { at: 1, event } });
    });

    it("are replaced by a later one of the same account, and end alone", async () => {
      const { store } = state;
      await store.addEvent(event, { at: 1, protections: { put: [root, other] } });
      const again = { ...root, reason: "another", at: 7 };
      await store.addEvent(event, { at: 2, protections: { put: [again] } });
      expect(await store.protections()).toEqual([again, other]);
      await store.addEvent(event, { at: 3, protections: { drop: ["lat-B", "unknown"] } });
      expect(await store.protections()).toEqual([other]);
    });

    it("are not written with an event that is kept already", async () => {
      const { store } = state;
      await store.addEvent(event, { at: 1, once: "key" });
      expect(await store.addEvent(event, { at: 2, once: "key", protections: { put: [root] } })).toBe(false);
      expect(await store.protections()).toEqual([]);
    });

    it("began no later than now, after the clock was set back", async () => {
      const { store } = state;
      await store.addEvent(event, { at: 1, protections: { put: [root, other] } });
      await store.commit({ noLaterThan: 7 }, "private");
      expect(await store.protections()).toMatchObject([{ at: 5 }, { at: 7 }]);
    });
  });
}
