import { describe, expect, it } from "vitest";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { personRow, settled } from "./rows.ts";

const cleared = { kind: "guardCleared", planId: "p" } as const;
const forOne = [{ name: "one", events: ["guardCleared"] as const }];

/** Claims what is due for the receiver. @throws Error if nothing is */
async function claim(store: StateStore, receiver: string, now: number) {
  const claimed = await store.claimDelivery(receiver, now, { claimMs: 100, longestWaitMs: 86_400_000 });
  if (claimed === null) throw new Error(`nothing is due for ${receiver}`);
  return claimed;
}

/** Events that are to be sent, to whom, and by which process. */
export function describeOutbox(make: MakeState): void {
  describe("an event in the outbox", () => {
    const state = eachWithFreshState(make);

    it("is kept together with its cause, and once if it is the same one", async () => {
      const { store } = state;
      expect(await store.addEvent(cleared, { at: 1, once: "key", notes: { digestedAt: "a" } })).toBe(true);
      expect(await store.addEvent(cleared, { at: 2, once: "key", notes: { digestedAt: "b" } })).toBe(false);
      expect((await store.meta()).digestedAt).toBe("a");
      expect(await store.addEvent(cleared, { at: 3 })).toBe(true);
      expect(await store.addEvent(cleared, { at: 4 })).toBe(true);
    });

    it("goes to the receivers that wanted its kind when it was addressed, and to no later ones", async () => {
      const { store } = state;
      await store.addEvent(cleared, { at: 1 });
      await store.addressEvents([{ name: "two", events: ["guardHeld"] }]);
      await store.addEvent(cleared, { at: 2 });
      await store.addressEvents(forOne);
      expect(await store.claimDelivery("one", 10, { claimMs: 100, longestWaitMs: 86_400_000 })).toMatchObject(
        {
          kept: { at: 2, event: cleared },
          receiver: "one",
          attempts: 0,
        },
      );
      expect(await store.claimDelivery("one", 11, { claimMs: 100, longestWaitMs: 86_400_000 })).toBeNull();
      expect(await store.claimDelivery("two", 11, { claimMs: 100, longestWaitMs: 86_400_000 })).toBeNull();
    });

    it("is claimed by one process at a time, and by another once the claim is over", async () => {
      const { store } = state;
      const other = await state.another();
      await store.addEvent(cleared, { at: 1 });
      await store.addressEvents(forOne);
      const claimed = await claim(store, "one", 10);
      expect(await other.claimDelivery("one", 109, { claimMs: 100, longestWaitMs: 86_400_000 })).toBeNull();
      expect(await other.claimDelivery("one", 110, { claimMs: 100, longestWaitMs: 86_400_000 })).toEqual(
        claimed,
      );
    });

    it("is due again when its sender says so, with one more attempt, until it is settled", async () => {
      const { store } = state;
      await store.addEvent(cleared, { at: 1 });
      await store.addressEvents(forOne);
      const claimed = await claim(store, "one", 10);
      await store.settleDelivery(claimed, 50);
      expect(await store.claimDelivery("one", 49, { claimMs: 100, longestWaitMs: 86_400_000 })).toBeNull();
      expect(await store.claimDelivery("one", 50, { claimMs: 100, longestWaitMs: 86_400_000 })).toEqual({
        ...claimed,
        attempts: 1,
      });
      await store.settleDelivery(claimed, null);
      expect(await store.claimDelivery("one", 1_000, { claimMs: 100, longestWaitMs: 86_400_000 })).toBeNull();
    });

    it("is due at once if its next attempt or its claim lies further ahead than either can", async () => {
      const { store } = state;
      await store.addEvent(cleared, { at: 1 });
      await store.addressEvents(forOne);
      const claimed = await claim(store, "one", 10_000);
      const terms = { claimMs: 100, longestWaitMs: 1_000 };
      // The clock was set back since.
      expect(await store.claimDelivery("one", 10_000, terms)).toBeNull();
      expect(await store.claimDelivery("one", 9_999, terms)).not.toBeNull();
      await store.settleDelivery(claimed, 8_000);
      expect(await store.claimDelivery("one", 7_000, terms)).toBeNull();
      expect(await store.claimDelivery("one", 6_999, terms)).not.toBeNull();
    });

    it("does not go to receivers that are named only after it was addressed, nor twice to one", async () => {
      const { store } = state;
      await store.addEvent(cleared, { at: 1 });
      await store.addressEvents([]);
      await store.addressEvents(forOne);
      expect(await store.claimDelivery("one", 10, { claimMs: 100, longestWaitMs: 1_000 })).toBeNull();
    });

    it("does not write notes if the same event is kept already", async () => {
      const { store } = state;
      await store.noteTold({ digestedAt: "1", silentAt: "2" });
      await store.noteTold({ digestedAt: "3" });
      expect(await store.meta()).toEqual({ digestedAt: "3", silentAt: "2" });
      await store.addEvent(cleared, { at: 1, once: "key" });
      expect(await store.addEvent(cleared, { at: 2, once: "key", notes: { digestedAt: "4" } })).toBe(false);
      expect(await store.meta()).toMatchObject({ digestedAt: "3" });
    });

    it("is sent with the oldest first", async () => {
      const { store } = state;
      for (const at of [2, 1, 3]) await store.addEvent(cleared, { at });
      await store.addressEvents(forOne);
      const order: number[] = [];
      for (let number = 0; number < 3; number += 1) {
        const claimed = await claim(store, "one", 10);
        order.push(claimed.kept.at);
        await store.settleDelivery(claimed, null);
      }
      expect(order).toEqual([1, 2, 3]);
    });

    it("is removed with the cycles of its time, unless it says that a credential expires", async () => {
      const { store } = state;
      const expiring = {
        kind: "credentialExpiring",
        credential: "certificate",
        name: "c",
        expiresAt: 9,
        expired: false,
      } as const;
      await store.addEvent(cleared, { at: 1, once: "cleared" });
      await store.addEvent(expiring, { at: 1, once: "expiring" });
      await kept(store).trimmed({ before: 5, countedSince: 5, maxRows: null });
      expect(await store.addEvent(cleared, { at: 6, once: "cleared" })).toBe(true);
      expect(await store.addEvent(expiring, { at: 6, once: "expiring" })).toBe(false);
    });
  });

  describe("a person who begins to fail or recovers", () => {
    const state = eachWithFreshState(make);

    /** An outcome of the person, who is known. */
    async function ends(objectId: string, status: "done" | "failed", at: number): Promise<void> {
      const times = { firstFailedAt: at, lastFailedAt: at, nextTryAt: at };
      const retry = { objectId, attempts: 1, code: "X", message: "no", ...times };
      const outcome = { operationId: 0, objectId, status, referencePending: false, finishedAt: at };
      await kept(state.store).outcomes([status === "failed" ? { ...outcome, retry } : outcome]);
    }

    it("is noted once, in order, until an event reports it", async () => {
      const { store } = state;
      await settled(store, [personRow("a"), personRow("b")]);
      await ends("a", "failed", 1);
      await ends("a", "failed", 2);
      await ends("b", "failed", 3);
      await ends("a", "done", 4);
      const changes = await store.failureChanges();
      expect(changes.map(({ objectId }) => objectId)).toEqual(["a", "b", "a"]);
      const [, second] = changes;
      const digest = { kind: "failureDigest", began: 2, recovered: 0, passing: 0 } as const;
      const people = { began: [], recovered: [] };
      await store.addEvent({ ...digest, people }, { at: 5, failuresThrough: second?.id ?? 0 });
      expect((await store.failureChanges()).map(({ objectId }) => objectId)).toEqual(["a"]);
    });
  });
}
