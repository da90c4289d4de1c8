import { beforeEach, describe, expect, it } from "vitest";
import type { HeldPlanDecision } from "../../../src/domain/decision.ts";
import type { NewOperation, StateChange } from "../../../src/domain/state/change.ts";
import type { Candidate } from "../../../src/domain/state/planning.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

let store: StateStore;
let cycleId: number;

const commit = (change: StateChange) => store.commit(change, "private");

const heldRow = (some: Partial<NewOperation> = {}): NewOperation => ({
  cycleId,
  status: "held",
  operation: {
    action: "update",
    objectId: "a",
    userName: "a@example.com",
    latticeId: "L",
    reason: "title cleared",
    evidence: null,
    changes: [{ attribute: "title", before: "Analyst", after: null }],
    adopts: false,
  },
  weights: [{ kind: "clear", detail: "title" }],
  refersTo: null,
  wave: 1,
  attempt: 1,
  at: 1,
  ...some,
});

const title = { objectId: "a", attribute: "title", fingerprint: "f" } as const;
const active = { ...title, attribute: "active" } as const;
const releaseOf = (change: typeof title | typeof active) => ({ ...change, planId: "plan", releasedAt: 5 });
const rejectionOf = (change: typeof title | typeof active) => ({
  ...change,
  evidence: null,
  planId: "plan",
  rejectedAt: 5,
});

async function candidate(objectId: string): Promise<Candidate | undefined> {
  const select = { only: [objectId] };
  return (await store.candidates({ select, everyoneInScope: true, after: "", limit: 1 }))[0];
}

const rejected = async () => (await store.rejections(10)).map(({ attribute }) => attribute).sort();

/** Held operations, and decisions about them, are written as given. */
export function describeHeldCommit(make: MakeState): void {
  describe("a commit of held operations", () => {
    const state = eachWithFreshState(make);

    beforeEach(async () => {
      store = state.store;
      cycleId = await store.beginCycle({ planId: "plan", kind: "initial", startedAt: 1 }, "private");
      const item = { kind: "upsert", attributes: {}, managerId: null, complete: true } as const;
      await kept(store).people(
        ["a", "b"].map((objectId) => ({ ...item, objectId })),
        cycleId,
      );
    });

    it("holds an operation, and keeps since when exactly this is held", async () => {
      await commit({ operations: { add: [heldRow({ status: "planned" }), heldRow()] } });
      const [first = 0] = await store.unsentOf(cycleId, ["a"]);
      await commit({ operations: { patch: [{ id: first, status: "held" }] } });
      expect((await candidate("a"))?.held).toHaveLength(2);
      const later = await store.beginCycle({ planId: "later", kind: "incremental", startedAt: 2 }, "private");
      await commit({ operations: { add: [heldRow({ cycleId: later })] } });
      const earlier = await store.earlierHeld(later, 0, 10);
      expect(earlier).toMatchObject([{ held: { id: first }, since: cycleId, now: [{ cycleId: later }] }, {}]);
      const id = earlier[0]?.now[0]?.id ?? 0;
      const remove = earlier.map(({ held }) => held.id);
      await commit({ operations: { patch: [{ id, heldSince: cycleId }], remove } });
      const all = { afterWave: -1, afterId: 0, limit: 10 };
      expect((await store.heldOf(cycleId, all)).map((operation) => operation.id)).toEqual([id]);
      expect((await store.heldOf(later, all)).map((operation) => operation.id)).toEqual([id]);
    });

    it("keeps releases and rejections of known people, the newest of each", async () => {
      await commit({
        releases: { put: [releaseOf(title), { ...releaseOf(title), fingerprint: "g" }] },
        rejections: { put: [rejectionOf(active), { ...rejectionOf(title), objectId: "stranger" }] },
      });
      expect((await candidate("a"))?.released).toEqual(new Map([["title", "g"]]));
      expect(await store.rejections(10)).toEqual([{ ...rejectionOf(active), userName: null }]);
      expect(await store.releasesBefore(5)).toEqual([]);
      expect(await store.releasesBefore(6)).toEqual([{ ...title, fingerprint: "g" }]);
    });

    it("ends exactly the releases, rejections and failures that it names", async () => {
      const other = { ...title, fingerprint: "other" };
      const all = {
        releases: { put: [releaseOf(title), releaseOf(active)] },
        rejections: { put: [rejectionOf(title), rejectionOf(active)] },
      };
      await commit(all);
      await commit({ releases: { drop: [title, { ...active, fingerprint: "other" }] } });
      expect((await candidate("a"))?.released).toEqual(new Map([["active", "f"]]));
      await commit({ rejections: { drop: [other] }, retries: { drop: ["a"] } });
      expect(await rejected()).toEqual(["active", "title"]);
      await commit({ rejections: { drop: [title] } });
      expect(await rejected()).toEqual(["active"]);
      await commit(all);
      await commit({ rejections: { drop: [{ objectId: "a", attribute: "active" }] } });
      expect(await rejected()).toEqual(["title"]);
      await commit({ rejections: { drop: [{ objectId: "b" }] } });
      expect(await rejected()).toEqual(["title"]);
      await commit({ rejections: { drop: [{ objectId: "a" }] } });
      expect(await rejected()).toEqual([]);
    });

    it("ends what it names before it keeps what it adds", async () => {
      await commit({ rejections: { put: [rejectionOf(active)] } });
      await commit({ rejections: { drop: [{ objectId: "a" }], put: [rejectionOf(title)] } });
      expect(await rejected()).toEqual(["title"]);
    });

    it("keeps who decided, and links the rejections to the decision", async () => {
      const decision: HeldPlanDecision = {
        planId: "plan",
        at: 5,
        by: { kind: "cli", name: "kim@host" },
        reason: "on leave",
        people: { released: ["b"], rejected: ["a"], undone: [] },
      };
      await commit({ decision, rejections: { put: [rejectionOf(title)] } });
      // One that comes later, with the outcome of a revert, belongs to the decision about its plan.
      await commit({ rejections: { put: [{ ...rejectionOf(title), objectId: "b" }] } });
      await commit({ rejections: { put: [{ ...rejectionOf(active), objectId: "b", planId: "other" }] } });
      expect(
        (await store.rejections(10)).map(({ planId, decision: of }) => [planId, of?.reason]).toSorted(),
      ).toEqual([
        ["other", undefined],
        ["plan", "on leave"],
        ["plan", "on leave"],
      ]);
      await commit({ rejections: { drop: [{ objectId: "b" }] } });
      const { people: _, ...said } = decision;
      expect(await store.decisionsOf("a", 10)).toEqual([{ ...said, what: "rejected" }]);
      expect(await store.decisionsOf("b", 10)).toEqual([{ ...said, what: "released" }]);
      expect(await store.rejections(10)).toMatchObject([
        { decision: { by: decision.by, reason: decision.reason } },
      ]);
    });

    it("keeps an event together with its cause, for the receivers", async () => {
      const event = { kind: "guardCleared", planId: "plan" } as const;
      await commit({ notes: { heldPlan: "" }, events: [{ event, at: 5 }] });
      expect((await store.meta()).heldPlan).toBe("");
      await store.addressEvents([{ name: "hook", events: ["guardCleared"] }]);
      expect(await store.claimDelivery("hook", 6, { claimMs: 10, longestWaitMs: 86_400_000 })).toMatchObject({
        kept: { at: 5, event },
      });
    });
  });
}
