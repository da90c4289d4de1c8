import { commandLine } from "../command-name.ts";
import { UsageError } from "../domain/errors.ts";
import { matcherOf } from "../domain/person-search.ts";
import type { LoggedOperation, StateStore } from "../domain/store.ts";
import { printable } from "../report/words.ts";
import { heldOperations, operationsOf } from "./operations.ts";
import { isRejected, rejectedChanges, releasedChanges } from "./release.ts";

/** What a person says about a held plan. */
export interface HeldDecision {
  readonly planId: string;
  /** Only these people are let go, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** What is held of these people is not sent as long as it is due as it was; nobody else is let go unless `only` says so. */
  readonly reject?: readonly string[] | undefined;
  /** Whatever was rejected of these people is taken back; nobody else is let go unless `only` says so. */
  readonly undoReject?: readonly string[] | undefined;
}

export interface DecidedHeld {
  readonly released: readonly LoggedOperation[];
  readonly rejected: readonly LoggedOperation[];
  /** People whose rejections are taken back. */
  readonly undone: readonly { readonly objectId: string; readonly userName: string }[];
}

export const nothingDecided: DecidedHeld = { released: [], rejected: [], undone: [] };

/**
 * The held operations that a decision is about. Writes nothing.
 * @throws UsageError where the plan is unknown, holds nothing, or nothing of a person who is named
 */
export async function decideHeld(store: StateStore, decision: HeldDecision): Promise<DecidedHeld> {
  const { planId, only, reject, undoReject } = decision;
  const cycle = await store.cycleOfPlan(planId);
  if (cycle === null && undoReject !== undefined && only === undefined && reject === undefined) {
    // The log may have let go of a plan whose rejections are still in force.
    const ofPlan = (await store.rejections(mostRejections)).some((one) => one.planId === planId);
    if (ofPlan) return { ...nothingDecided, undone: await rejectedPeople(store, undoReject) };
  }
  if (cycle === null) {
    throw new UsageError(
      `the state database knows no plan "${printable(planId)}": ${commandLine("status")} names the plan that is held; nothing was done`,
    );
  }
  const held: LoggedOperation[] = [];
  for await (const operation of heldOperations(store, cycle.id)) held.push(operation);
  const undone = undoReject === undefined ? [] : await rejectedPeople(store, undoReject);
  if (undoReject !== undefined && only === undefined && reject === undefined) {
    return { ...nothingDecided, undone };
  }
  if (held.length === 0) {
    throw new UsageError(
      `the plan ${planId} holds nothing that could be released (any more): ${commandLine("status")} names the plan that is held; nothing was done`,
    );
  }
  const rejected = named(held, reject ?? [], planId);
  const all = only === undefined && reject === undefined && undoReject === undefined;
  const chosen = all ? await notRejected(store, held, planId) : named(held, only ?? [], planId);
  const both = chosen.find((operation) => rejected.includes(operation));
  if (both !== undefined && only !== undefined) {
    throw new UsageError(
      `${printable(both.userName)} is named to be released and to be rejected; nothing was done`,
    );
  }
  return { released: chosen, rejected, undone };
}

/**
 * What a release of everything releases: what was rejected of the plan before is not meant.
 * @throws UsageError where nothing else is held
 */
async function notRejected(
  store: StateStore,
  held: readonly LoggedOperation[],
  planId: string,
): Promise<LoggedOperation[]> {
  const rejections = await store.rejections(mostRejections);
  const meant = held.filter((operation) => !isRejected(operation, rejections));
  if (meant.length > 0) return meant;
  throw new UsageError(
    `everything that the plan ${planId} holds was rejected: name people to release them all the same; nothing was done`,
  );
}

/** More changes than anybody rejects one by one. */
const mostRejections = 1_000_000;

/** @throws UsageError where nothing of somebody was rejected */
async function rejectedPeople(store: StateStore, names: readonly string[]): Promise<DecidedHeld["undone"]> {
  const people = new Map<string, string>();
  for (const { objectId, userName } of await store.rejections(mostRejections)) {
    people.set(objectId, userName ?? objectId);
  }
  return names.map((name) => {
    const wanted = name.toLowerCase();
    const found = [...people].find(
      ([objectId, userName]) => objectId.toLowerCase() === wanted || userName.toLowerCase() === wanted,
    );
    if (found === undefined) {
      throw new UsageError(
        `nothing of "${printable(name)}" is rejected: ${commandLine("status")} names who is; nothing was done`,
      );
    }
    return { objectId: found[0], userName: found[1] };
  });
}

/** Records a decision; the next cycle acts on it. The caller holds the lease. */
export async function recordDecided(
  store: StateStore,
  planId: string,
  { released, rejected, undone }: DecidedHeld,
  now: number,
): Promise<void> {
  await store.undoReject(undone.map(({ objectId }) => objectId));
  await store.release(planId, released.flatMap(releasedChanges), now);
  await store.reject(planId, rejected.flatMap(rejectedChanges), now);
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

const fewNames = 5;

/** Held people with the text in their names: a part of a name is never enough to decide about somebody. */
function similar(held: readonly LoggedOperation[], text: string): string {
  const matcher = matcherOf(text);
  const names = held
    .map(({ userName }) => userName)
    .filter((userName) => matcher?.matches({ names: [userName], ids: [] }) === true);
  if (names.length === 0) return "";
  const rest = names.length - fewNames;
  const shown = names.slice(0, fewNames).map(printable).join(", ");
  return `; it holds something of ${shown}${rest > 0 ? ` and ${rest} more` : ""}: give the whole name or the object id`;
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
      throw new UsageError(
        `the plan ${planId} holds nothing of "${printable(name)}"${similar(held, name)}; nothing was done`,
      );
    }
    return found;
  });
}
