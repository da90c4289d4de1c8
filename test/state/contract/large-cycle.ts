import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countsOf } from "../../../src/cycle/operations/weights.ts";
import type { Change } from "../../../src/domain/plan.ts";
import type { PersonPlan } from "../../../src/domain/state/planning.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";
import type { FreshState, MakeState } from "./fresh-state.ts";

// More than one part of whatever is done in parts.
const people = 11_000;
const ids = Array.from({ length: people }, (_, number) => `person-${String(number).padStart(6, "0")}`);

function plan(objectId: string, index: number): PersonPlan {
  const manager = index === 0 ? null : (ids[Math.floor((index - 1) / 10)] ?? null);
  const change: Change =
    manager === null
      ? { attribute: "title", before: null, after: "Chief" }
      : {
          attribute: "manager",
          before: null,
          after: manager,
          reference: { beforeId: null, afterObjectId: manager },
        };
  // The last of all has a manager who gets no account.
  const last = index === people - 1;
  return {
    kind: "operation",
    referencePending: false,
    weights: index % 4 === 3 && !last ? [{ kind: "deactivate", detail: "accountDisabled" }] : [],
    operation: {
      action: last ? "update" : index % 4 === 3 ? "deactivate" : "create",
      objectId,
      userName: `${objectId}@example.com`,
      latticeId: null,
      reason: "made up",
      evidence: index % 4 === 3 && !last ? { kind: "accountDisabled" } : null,
      changes: last
        ? [{ ...change, reference: { beforeId: null, afterObjectId: "nobody" } }]
        : index % 4 === 3
          ? [{ attribute: "active", before: true, after: false }]
          : [change],
      adopts: false,
    },
  } as PersonPlan;
}

/** Work that is done in steps has the same result as in one step. */
export function describeLargeCycle(make: MakeState): void {
  describe("a state of 11,000 people", () => {
    let state: FreshState;
    let store: StateStore;
    let cycleId = 0;

    beforeAll(async () => {
      state = await make();
      store = await state.open();
      await kept(store).people(
        ids.map((objectId) => ({
          kind: "upsert",
          objectId,
          attributes: { displayName: objectId },
          complete: true,
          managerId: null,
        })),
        1,
        () => null,
      );
      // A cycle before it, so that ids do not begin with 1.
      const earlier = await store.beginCycle({ planId: "earlier", kind: "initial", startedAt: 1 }, "private");
      await kept(store).decisions(earlier, ids.slice(0, 50).map(plan));
      await kept(store).ended(earlier, { finishedAt: 2, outcome: "done", error: null });
      cycleId = await store.beginCycle({ planId: "large", kind: "initial", startedAt: 3 }, "private");
      await kept(store).decisions(cycleId, ids.map(plan));
    });

    afterAll(async () => {
      await store.close();
      await state.remove();
    });

    describe("a cycle with more operations than fit into one step", () => {
      const deactivations = people / 4;

      it("is counted completely, and once", async () => {
        const { byAction, adoptions } = await store.countOperations(cycleId);
        expect(Object.fromEntries(byAction)).toEqual({
          create: people - deactivations,
          deactivate: deactivations - 1,
          update: 1,
        });
        expect(adoptions).toBe(0);
        const planned = countsOf(await store.plannedWeights(cycleId));
        expect(planned.of("deactivate")).toBe(deactivations - 1);
        expect(planned.of("deactivate", ["accountDisabled"])).toBe(deactivations - 1);
      });

      it("finds a reference to a person without an account at its very end", async () => {
        const found: string[] = [];
        let after = 0;
        for (;;) {
          const page = await store.unpromisedReferences(cycleId, after, {
            without: [],
            giving: ["create"],
          });
          if (page.length === 0) break;
          found.push(...page.map(({ objectId }) => objectId));
          after = page.at(-1)?.id ?? 0;
        }
        expect(found.at(-1)).toBe(ids.at(-1));
        expect(new Set(found).size).toBe(found.length);
      });

      it("is ordered completely", async () => {
        const { operationIds, managerIndexes } = await store.referenceDependencies(cycleId, [
          "create",
          "reactivate",
        ]);
        expect(operationIds.length).toBe(people - deactivations + 1);
        expect([...operationIds]).toEqual([...operationIds].sort((one, other) => one - other));
        expect(managerIndexes[0]).toBe(-1);
        // Person 10,990 reports to person 1,098, who is created: three of four before each are.
        const at = (number: number): number => number - Math.floor((number + 1) / 4);
        expect(managerIndexes[at(10_990)]).toBe(at(1_098));
        const patch = [...operationIds].map((id) => ({ id, wave: 7 }));
        await store.commit({ operations: { patch } }, "private");
        const [first] = await store.operations(cycleId, { afterWave: 6, afterId: 0, limit: 1 });
        expect(first?.objectId).toBe(ids[0]);
        const page = await store.operations(cycleId, { afterWave: 6, afterId: 0, limit: people });
        expect(page).toHaveLength(operationIds.length);
      });

      it("is ended completely", async () => {
        await kept(store).ended(cycleId, { finishedAt: 4, outcome: "interrupted", error: null });
        const [ended] = await store.recentCycles(1);
        expect(ended?.outcomes).toHaveLength(3);
        expect(ended?.outcomes.every(({ outcome }) => outcome === "cancelled")).toBe(true);
        expect(ended?.outcomes.reduce((sum, { count }) => sum + count, 0)).toBe(people);
      });
    });

    describe("a scope with more members than fit into one step", () => {
      const scope = async (members: readonly string[]) => {
        await store.beginScope();
        for (let from = 0; from < members.length; from += 999)
          await store.stageScope(members.slice(from, from + 999));
        return kept(store).scope();
      };

      it("takes the difference over, in whichever part it is", async () => {
        expect(await scope(ids)).toEqual({ members: people, entered: people, left: 0 });
        expect(await scope(ids)).toEqual({ members: people, entered: 0, left: 0 });
        const gone = new Set([0, 4_999, 5_000, 5_001, 9_999, 10_000, people - 1].map((index) => ids[index]));
        expect(await scope(ids.filter((id) => !gone.has(id)))).toEqual({
          members: people - gone.size,
          entered: 0,
          left: gone.size,
        });
        expect(await scope(ids)).toEqual({ members: people, entered: gone.size, left: 0 });
      });
    });

    describe("accounts that are more than fit into one step", () => {
      it("are counted completely", async () => {
        await kept(store).accounts(
          ids.map((objectId, index) => ({
            latticeId: `account-${objectId}`,
            userName: `${objectId}@example.com`,
            externalId: objectId,
            active: true,
            values: index % 2 === 0 ? { title: "Analyst" } : {},
          })),
          cycleId,
        );
        const adopting = await store.beginCycle(
          { planId: "adopting", kind: "initial", startedAt: 5 },
          "private",
        );
        await kept(store).decisions(
          adopting,
          ids.map(
            (objectId) =>
              ({
                kind: "operation",
                referencePending: false,
                operation: {
                  action: "link",
                  objectId,
                  userName: `${objectId}@example.com`,
                  latticeId: `account-${objectId}`,
                  reason: "made up",
                  evidence: null,
                  changes: [],
                  adopts: true,
                },
              }) satisfies PersonPlan,
          ),
        );
        expect(await store.countActive(adopting)).toBe(people);
        expect(await store.countHolders("title", adopting, Number.MAX_SAFE_INTEGER)).toBe(people / 2);
        expect((await store.countOperations(adopting)).adoptions).toBe(people);
      });
    });
  });
}
