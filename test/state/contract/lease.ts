import { describe, expect, it } from "vitest";
import type { Lease } from "../../../src/domain/state/lease.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

type LeaseStore = Lease & Pick<StateStore, "close">;

/** One run at a time, whichever process it is in. */
export function describeLease(make: MakeState<LeaseStore>): void {
  describe("the lease of the state", () => {
    const state = eachWithFreshState(make);

    it("belongs to one run until it expires, and its own run renews it", async () => {
      const other = await state.another();
      expect(await state.store.acquireLease("one", 0, 100)).toEqual({ acquired: true });
      expect(await other.acquireLease("two", 50, 100)).toEqual({
        acquired: false,
        holder: { owner: "one", acquiredAt: 0, expiresAt: 100 },
      });
      expect(await state.store.renewLease("one", 50, 100)).toBe(true);
      expect(await other.acquireLease("two", 120, 100)).toMatchObject({ acquired: false });
      expect(await other.acquireLease("two", 151, 100)).toEqual({ acquired: true });
    });

    it("cannot be renewed or released by a run that lost it", async () => {
      await state.store.acquireLease("one", 0, 100);
      await (await state.another()).acquireLease("two", 100, 100);
      expect(await state.store.renewLease("one", 110, 100)).toBe(false);
      await state.store.releaseLease("one");
      expect(await state.store.leaseHolder(110)).toMatchObject({ owner: "two", expiresAt: 200 });
    });

    it("is free for the next run once it is released", async () => {
      await state.store.acquireLease("one", 0, 100);
      await state.store.releaseLease("one");
      expect(await state.store.leaseHolder(1)).toBeNull();
      expect(await (await state.another()).acquireLease("two", 1, 100)).toEqual({ acquired: true });
    });

    it("has no holder from the moment at which it expires", async () => {
      await state.store.acquireLease("one", 0, 100);
      expect(await state.store.leaseHolder(99)).toMatchObject({ owner: "one" });
      expect(await state.store.leaseHolder(100)).toBeNull();
    });

    it("is taken from a silent holder, unless the holder has renewed it since", async () => {
      const other = await state.another();
      await state.store.acquireLease("one", 0, 1_000);
      const silent = await other.leaseHolder(10);
      if (silent === null) throw new Error("nobody holds the lease");
      await state.store.renewLease("one", 20, 1_000);
      expect(await other.acquireLease("two", 30, 100, silent)).toMatchObject({ acquired: false });
      const again = await other.leaseHolder(30);
      if (again === null) throw new Error("nobody holds the lease");
      expect(await other.acquireLease("two", 40, 100, again)).toEqual({ acquired: true });
      expect(await state.store.renewLease("one", 50, 1_000)).toBe(false);
    });

    it("that has expired is renewed by its own run as long as no other run has taken it", async () => {
      await state.store.acquireLease("one", 0, 100);
      expect(await state.store.renewLease("one", 500, 100)).toBe(true);
      expect(await state.store.leaseHolder(599)).toEqual({ owner: "one", acquiredAt: 0, expiresAt: 600 });
    });

    it("begins again if its own run acquires it again", async () => {
      await state.store.acquireLease("one", 0, 100);
      expect(await state.store.acquireLease("one", 50, 100)).toEqual({ acquired: true });
      expect(await state.store.leaseHolder(60)).toEqual({ owner: "one", acquiredAt: 50, expiresAt: 150 });
    });

    it("goes to one of several runs that acquire it at once", async () => {
      const others = [await state.another(), await state.another()];
      const answers = await Promise.all(
        [state.store, ...others].map((store, index) => store.acquireLease(`run-${index}`, 0, 100)),
      );
      expect(answers.filter(({ acquired }) => acquired)).toHaveLength(1);
      const { owner = "" } = (await state.store.leaseHolder(1)) ?? {};
      const held = { acquired: false, holder: { owner, acquiredAt: 0, expiresAt: 100 } };
      expect(answers.filter(({ acquired }) => !acquired)).toEqual([held, held]);
    });
  });
}
