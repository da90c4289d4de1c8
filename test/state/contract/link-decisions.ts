import { describe, expect, it } from "vitest";
import type { LinkDecision } from "../../../src/domain/link-decision.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

const by = { kind: "header", name: "kim@example.com" } as const;
const one: LinkDecision = {
  objectId: "B",
  latticeId: "lat-2",
  what: "linked",
  userName: "a@example.com",
  by,
  reason: "x",
  at: 5,
};
const two: LinkDecision = { ...one, latticeId: "lat-1", what: "unlinked", by: { kind: "local" }, at: 9 };
const three: LinkDecision = { ...one, objectId: "a" };

/** The decisions of people about users and accounts. */
export function describeLinkDecisions(make: MakeState): void {
  describe("decisions about links", () => {
    const state = eachWithFreshState(make);

    it("are kept of users and accounts that are known or not, in the order of ids, and seen by other processes", async () => {
      const { store } = state;
      expect(await store.linkDecisions()).toEqual([]);
      await store.commit({ linkDecisions: { put: [three, one, two] } }, "private");
      expect(await (await state.another()).linkDecisions()).toEqual([two, one, three]);
      await store.commit({ forgotten: ["B"], accounts: { gone: ["lat-1"] } }, "private");
      expect(await store.linkDecisions()).toHaveLength(3);
    });

    it("are replaced by a later one about the same user and account, and end alone, before the new ones are written", async () => {
      const { store } = state;
      await store.commit({ linkDecisions: { put: [one, two, three] } }, "private");
      const again: LinkDecision = { ...one, what: "unlinked", reason: "another" };
      await store.commit({ linkDecisions: { put: [again] } }, "private");
      expect(await store.linkDecisions()).toEqual([two, again, three]);
      await store.commit({ linkDecisions: { drop: [two, one], put: [one] } }, "private");
      expect(await store.linkDecisions()).toEqual([one, three]);
    });

    it("were made no later than now, after the clock was set back", async () => {
      const { store } = state;
      await store.commit({ linkDecisions: { put: [one, two] } }, "private");
      await store.commit({ noLaterThan: 7 }, "private");
      expect(await store.linkDecisions()).toMatchObject([{ at: 7 }, { at: 5 }]);
    });
  });
}
