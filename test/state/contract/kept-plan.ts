import { describe, expect, it } from "vitest";
import { foldWithdrawn } from "../../../src/cycle/pictures/fold-references.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { account, creation, hired, marked, noKey, settle } from "./kept-rows.ts";

/** A plan, its log and its outcomes, as the engine keeps them in any store. */
export function describeKeptPlan(make: MakeState): void {
  const opened = eachWithFreshState(make);

  describe("what the engine keeps of a plan", () => {
    it("keeps intents after a crash, and links what the look-up finds", async () => {
      const first = opened.store;
      await kept(first).people([hired("a"), hired("b")], 1, noKey);
      const cycleId = await first.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
      await kept(first).decisions(
        cycleId,
        ["a", "b"].map((id) => ({ kind: "operation", operation: creation(id), referencePending: false })),
      );
      const operations = await first.operations(cycleId, { afterWave: -1, afterId: 0, limit: 10 });
      await kept(first).beginning(
        operations.map(({ id }) => id),
        5,
      );
      // The process dies here: nothing is closed.
      const second = await opened.another();
      expect((await second.openIntents()).map(({ objectId }) => objectId)).toEqual(["a", "b"]);
      await kept(second).lookedUp("a", account("L1", "a"), 6);
      await kept(second).lookedUp("b", null, 6);
      expect(await second.openIntents()).toEqual([]);
      expect(await second.latticeIdOf("a")).toBe("L1");
      expect(await marked(second)).toEqual(["a", "b"]);
    });

    it("orders managers before reports, and withdraws a reference to a person who gets no account", async () => {
      const { store } = opened;
      await kept(store).people([hired("a", {}, "b"), hired("b"), hired("c", {}, "stranger")], 1, noKey);
      const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
      await kept(store).decisions(cycleId, [
        { kind: "operation", operation: creation("a", "b"), referencePending: false },
        { kind: "operation", operation: creation("b"), referencePending: false },
        { kind: "operation", operation: creation("c", "stranger"), referencePending: false },
      ]);
      const [open] = await store.unpromisedReferences(cycleId, 0, { without: [], giving: ["create"] });
      expect(open?.objectId).toBe("c");
      await store.commit(foldWithdrawn(open === undefined ? [] : [open]), "private");
      const { operationIds, managerIndexes, waves } = await store.referenceDependencies(cycleId, [
        "create",
        "reactivate",
      ]);
      expect([...managerIndexes]).toEqual([1, -1, -1]);
      expect([...waves]).toEqual([2, 2, 2]);
      const patch = [{ id: operationIds[0] ?? 0, wave: 3 }];
      await store.commit({ operations: { patch } }, "private");
      const order = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 10 });
      expect(order.map(({ objectId }) => objectId)).toEqual(["b", "c", "a"]);
    });

    describe("for a person who has a report, both of whom failed before,", () => {
      async function team(): Promise<{ store: StateStore; link: (latticeId: string) => Promise<void> }> {
        const { store } = opened;
        await kept(store).people([hired("boss"), hired("report", {}, "boss"), hired("other")], 1, noKey);
        const link = async (latticeId: string): Promise<void> => {
          const id = await store.beginCycle(
            { planId: crypto.randomUUID(), kind: "initial", startedAt: 1 },
            "private",
          );
          await kept(store).decisions(id, [
            { kind: "operation", operation: creation("boss"), referencePending: false },
          ]);
          const [operation] = await store.operations(id, { afterWave: -1, afterId: 0, limit: 1 });
          const outcome = { operationId: operation?.id ?? 0, objectId: "boss", referencePending: false };
          await kept(store).outcomes([
            { ...outcome, status: "done", target: account(latticeId, "boss"), finishedAt: 9 },
          ]);
        };
        await link("L1");
        await settle(store);
        const retry = {
          attempts: 5,
          firstFailedAt: 1,
          lastFailedAt: 2,
          nextTryAt: 99,
          code: "X",
          message: "no",
        };
        await kept(store).outcomes(
          ["boss", "report", "other"].map((objectId) => ({
            operationId: 0,
            objectId,
            status: "failed",
            referencePending: false,
            retry: { ...retry, objectId },
            finishedAt: 2,
          })),
        );
        return { store, link };
      }
      const waiting = async (store: StateStore): Promise<string[]> =>
        (await store.retries(9)).filter(({ nextTryAt }) => nextTryAt > 0).map(({ objectId }) => objectId);
      const boss = async (store: StateStore) =>
        (
          await store.candidates({ select: { only: ["boss"] }, everyoneInScope: true, after: "", limit: 1 })
        )[0];

      it("has both planned and tried at once when the account is lost, the person as one whose account was removed", async () => {
        const { store } = await team();
        await kept(store).unlinked("L1", { at: 5, reason: "gone" });
        expect(await marked(store)).toEqual(["boss", "report"]);
        expect(await waiting(store)).toEqual(["other"]);
        expect(await boss(store)).toMatchObject({ accountRemoved: true, link: null });
      });

      it("has the report planned and tried at once when there is another account, which does not count as removed", async () => {
        const { store, link } = await team();
        await kept(store).unlinked("L1", { at: 5, reason: "gone" });
        await settle(store);
        await link("L2");
        expect(await boss(store)).toMatchObject({ accountRemoved: false, link: { latticeId: "L2" } });
        expect(await marked(store)).toEqual(["report"]);
      });

      it("has the report tried at once when a second account replaces the first", async () => {
        const { store, link } = await team();
        await link("L2");
        expect(await marked(store)).toEqual(["report"]);
        expect(await waiting(store)).toEqual(["other"]);
      });
    });

    it("leaves no retry for a person who failed and then succeeded in one batch", async () => {
      const { store } = opened;
      await kept(store).people([hired("a")], 1, noKey);
      const outcome = { operationId: 0, objectId: "a", referencePending: false, finishedAt: 2 };
      const retry = {
        attempts: 1,
        firstFailedAt: 1,
        lastFailedAt: 2,
        nextTryAt: 99,
        code: "X",
        message: "no",
      };
      await kept(store).outcomes([
        { ...outcome, status: "failed", retry: { ...retry, objectId: "a" } },
        { ...outcome, status: "done" },
      ]);
      expect(await store.retries(9)).toEqual([]);
    });

    it("never links two accounts to one person", async () => {
      const { store } = opened;
      await kept(store).people([hired("a")], 1, noKey);
      const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
      for (const latticeId of ["L1", "L2"]) {
        await kept(store).decisions(cycleId, [
          { kind: "operation", operation: creation("a"), referencePending: false },
        ]);
        const operation = (await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 10 })).at(-1);
        await kept(store).outcomes([
          {
            operationId: operation?.id ?? 0,
            objectId: "a",
            status: "done",
            target: account(latticeId, "a"),
            referencePending: false,
            finishedAt: 9,
          },
        ]);
      }
      expect(await store.latticeIdOf("a")).toBe("L2");
      expect(await store.ownerOf("L1")).toBeNull();
      expect((await store.totals()).linked).toBe(1);
    });
  });
}
