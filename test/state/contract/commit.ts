import { describe, expect, it } from "vitest";
import { LeaseHeldError } from "../../../src/domain/errors.ts";
import type { StateChange } from "../../../src/domain/state/change.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { operationRow, personRow } from "./rows.ts";

async function knownPeople(store: StateStore): Promise<readonly string[]> {
  return [...(await store.personRows(["a", "b", "c"])).keys()].sort();
}

/** A commit is written as a whole, by the run that holds the lease. */
export function describeCommit(make: MakeState): void {
  const change: StateChange = {
    people: { readIn: 1, put: [personRow("a")] },
    notes: { watermark: "1" },
  };

  describe("a commit", () => {
    const state = eachWithFreshState(make);

    it("is written by the run that holds the lease, and seen by other processes at once", async () => {
      await state.store.acquireLease("one", 0, 100);
      await state.store.commit(change, { owner: "one" });
      expect(await knownPeople(await state.another())).toEqual(["a"]);
      expect((await (await state.another()).meta()).watermark).toBe("1");
    });

    it("is seen by other processes at once also if it may be lost", async () => {
      await state.store.commit({ ...change, mayBeLost: true }, "private");
      expect(await knownPeople(await state.another())).toEqual(["a"]);
    });

    it("is refused as a whole if another run took the lease over", async () => {
      await state.store.acquireLease("one", 0, 100);
      await (await state.another()).acquireLease("two", 100, 100);
      await expect(state.store.commit(change, { owner: "one" })).rejects.toThrow(LeaseHeldError);
      expect(await knownPeople(state.store)).toEqual([]);
      expect((await state.store.meta()).watermark).toBeUndefined();
    });

    it("is refused if the lease was released", async () => {
      await state.store.acquireLease("one", 0, 100);
      await state.store.releaseLease("one");
      await expect(state.store.commit(change, { owner: "one" })).rejects.toThrow(LeaseHeldError);
      expect(await knownPeople(state.store)).toEqual([]);
    });

    it("needs no lease on a state that is the run's own copy", async () => {
      await state.store.commit(change, "private");
      expect(await knownPeople(state.store)).toEqual(["a"]);
    });

    it("of nothing changes nothing", async () => {
      await state.store.commit(change, "private");
      await state.store.commit({}, "private");
      expect(await knownPeople(state.store)).toEqual(["a"]);
    });

    it("is still accepted from a run whose lease has expired if no other run has taken it", async () => {
      await state.store.acquireLease("one", 0, 100);
      await state.store.commit(change, { owner: "one" });
      await state.store.renewLease("one", 500, 100);
      await state.store.commit({ notes: { watermark: "2" } }, { owner: "one" });
      expect((await state.store.meta()).watermark).toBe("2");
    });

    it("leaves notes that it does not name, and keeps an empty text", async () => {
      await state.store.commit({ notes: { watermark: "1", heldPlan: "plan" } }, "private");
      await state.store.commit({ notes: { heldPlan: "" } }, "private");
      expect(await state.store.meta()).toEqual({ watermark: "1", heldPlan: "" });
    });

    it("that fails in one part writes none of it", async () => {
      const operations = { add: [operationRow(99, "a")] };
      await expect(state.store.commit({ ...change, operations }, "private")).rejects.toThrow();
      expect(await knownPeople(state.store)).toEqual([]);
      expect(await state.store.meta()).toEqual({});
    });
  });
}
