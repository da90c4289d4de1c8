import { UsageError } from "../domain/errors.ts";
import type { LoggedOperation, StateStore } from "../domain/store.ts";
import { printable } from "../report/words.ts";
import { heldOperations, operationsOf } from "./operations.ts";
import { releasedChanges } from "./release.ts";

/** What a person says about a held plan. */
export interface HeldDecision {
  readonly planId: string;
  /** Only these people are let go, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** These people are left alone; nobody else is let go unless `only` says so. */
  readonly reject?: readonly string[] | undefined;
}

export interface DecidedHeld {
  readonly released: readonly LoggedOperation[];
  readonly rejected: readonly LoggedOperation[];
}

/**
 * The held operations that a decision is about. Writes nothing.
 * @throws UsageError where the plan is unknown, holds nothing, or nothing of a person who is named
 */
export async function decideHeld(store: StateStore, decision: HeldDecision): Promise<DecidedHeld> {
  const { planId, only, reject } = decision;
  const cycle = await store.cycleOfPlan(planId);
  if (cycle === null) {
    throw new UsageError(
      `the state database knows no plan "${printable(planId)}": azure-lattice-sync status names the plan that is held; nothing was done`,
    );
  }
  const held: LoggedOperation[] = [];
  for await (const operation of heldOperations(store, cycle.id)) held.push(operation);
  if (held.length === 0) {
    throw new UsageError(`the plan ${planId} holds nothing that could be released; nothing was done`);
  }
  const rejected = named(held, reject ?? [], planId);
  const chosen = only === undefined ? (reject === undefined ? held : []) : named(held, only, planId);
  const both = chosen.find((operation) => rejected.includes(operation));
  if (both !== undefined && only !== undefined) {
    throw new UsageError(
      `${printable(both.userName)} is named to be released and to be rejected; nothing was done`,
    );
  }
  return { released: chosen, rejected };
}

/** Records a decision; the next cycle acts on it. The caller holds the lease. */
export async function recordDecided(
  store: StateStore,
  planId: string,
  { released, rejected }: DecidedHeld,
  now: number,
): Promise<void> {
  await store.release(planId, released.flatMap(releasedChanges), now);
  await store.reject(planId, [...new Set(rejected.map(({ objectId }) => objectId))], now);
}

/** People whose released changes the cycle did not find as they were: they are judged anew. */
export async function notLetGo(
  store: StateStore,
  cycleId: number,
  released: readonly LoggedOperation[],
): Promise<readonly { readonly objectId: string; readonly userName: string }[]> {
  const stale = new Map(released.map(({ objectId, userName }) => [objectId, { objectId, userName }]));
  for await (const operation of operationsOf(store, cycleId, {})) {
    if (operation.changes.some((change) => change.released === true)) stale.delete(operation.objectId);
  }
  return [...stale.values()];
}

function named(
  held: readonly LoggedOperation[],
  names: readonly string[],
  planId: string,
): LoggedOperation[] {
  return names.flatMap((name) => {
    const wanted = name.toLowerCase();
    const found = held.filter(
      (operation) =>
        operation.objectId.toLowerCase() === wanted || operation.userName.toLowerCase() === wanted,
    );
    if (found.length === 0) {
      throw new UsageError(`the plan ${planId} holds nothing of "${printable(name)}"; nothing was done`);
    }
    return found;
  });
}
