import type { Actor } from "../../domain/actor.ts";
import { UsageError } from "../../domain/errors.ts";
import type { StateEvent } from "../../domain/event.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import { matcherOf } from "../../domain/person-search.ts";
import { quotation } from "../../domain/quotation.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { visible } from "../../domain/visible.ts";
import { commandLine } from "../../process/command-name.ts";
import type { CycleContext } from "../context/context.ts";
import {
  isPlannedAsReleased,
  isRejected,
  rejectedChanges,
  releasedChanges,
} from "../operations/fingerprint.ts";
import { heldOperations, operationsOf } from "../operations/pages.ts";
import { foldRelease } from "../pictures/fold-release.ts";
import { canaryReleased } from "./canary/standing.ts";

/** A person's request to release or reject held changes of a plan, or to undo rejections. */
export interface ReleaseRequest {
  readonly planId: string;
  /**
   * Only these people are released, by user principal name or object id. Default: everyone, unless one of the next two is
   * given.
   */
  readonly only?: readonly string[] | undefined;
  /** The held changes of these people are rejected. Other people are released only if `only` names them. */
  readonly reject?: readonly string[] | undefined;
  /** All rejections of these people are undone. Other people are released only if `only` names them. */
  readonly undoReject?: readonly string[] | undefined;
  /** The person who decides. */
  readonly by: Actor;
  /** The reason that the person gives. */
  readonly reason?: string | undefined;
}

/** The held operations that a request releases and rejects, and the people whose rejections it undoes. */
export interface Release {
  readonly released: readonly LoggedOperation[];
  readonly rejected: readonly LoggedOperation[];
  /** People whose rejections are undone. */
  readonly undone: readonly { readonly objectId: string; readonly userName: string }[];
  /** The id of the cycle whose whole plan is released: a canary that holds it ends. */
  readonly wholePlanOf?: number;
}

/** The numbers of people that a decision is about. */
export function countPeople({ released, rejected, undone }: Release): {
  readonly released: number;
  readonly rejected: number;
  readonly undone: number;
} {
  const people = (some: readonly { readonly objectId: string }[]): number => idsOf(some).length;
  return { released: people(released), rejected: people(rejected), undone: people(undone) };
}

const emptyRelease: Release = { released: [], rejected: [], undone: [] };

/**
 * Finds the held operations that the request is about. Writes nothing.
 * @throws UsageError if the plan is unknown, holds nothing, or holds nothing of a person who is named
 */
export async function resolveRelease(
  store: StateStore,
  request: Pick<ReleaseRequest, "planId" | "only" | "reject" | "undoReject">,
): Promise<Release> {
  const { planId, only, reject, undoReject } = request;
  const cycle = await store.cycleOfPlan(planId);
  if (cycle === null && undoReject !== undefined && only === undefined && reject === undefined) {
    // The log may no longer contain a plan whose rejections are still in force.
    const ofPlan = (await store.rejections(mostRejections)).some((one) => one.planId === planId);
    if (ofPlan) return { ...emptyRelease, undone: await rejectedPeople(store, undoReject) };
  }
  if (cycle === null) {
    throw new UsageError(
      `there is no plan "${visible(planId)}" in the state database. ${commandLine("status")} shows the held plan. Nothing was done`,
    );
  }
  const held: LoggedOperation[] = [];
  for await (const operation of heldOperations(store, cycle.id)) held.push(operation);
  const undone = undoReject === undefined ? [] : await rejectedPeople(store, undoReject);
  if (undoReject !== undefined && only === undefined && reject === undefined) {
    return { ...emptyRelease, undone };
  }
  if (held.length === 0) {
    throw new UsageError(
      `the plan ${planId} has no held changes (any more). ${commandLine("status")} shows the held plan. Nothing was done`,
    );
  }
  const heldBy = byName(held);
  const namedOf = (names: readonly string[]) =>
    names.flatMap((name) => {
      const found = heldBy.get(name.toLowerCase());
      if (found !== undefined) return ofOnePerson(found, name);
      throw new UsageError(
        `the plan ${planId} has no held changes for ${quotation(visible(name))}${similar(held, name)}. Nothing was done`,
      );
    });
  const rejected = [...new Set(namedOf(reject ?? []))];
  const all = only === undefined && reject === undefined && undoReject === undefined;
  const chosen = all ? await notRejected(store, held, planId) : [...new Set(namedOf(only ?? []))];
  const refused = new Set(rejected);
  const both = chosen.find((operation) => refused.has(operation));
  if (both !== undefined && only !== undefined) {
    throw new UsageError(
      `${quotation(visible(both.userName))} cannot be both released and rejected. Nothing was done`,
    );
  }
  return { released: chosen, rejected, undone, ...(all ? { wholePlanOf: cycle.id } : {}) };
}

/**
 * The operations that a release of everything is about: all held ones except those that were rejected.
 * @throws UsageError if nothing else is held
 */
async function notRejected(
  store: StateStore,
  held: readonly LoggedOperation[],
  planId: string,
): Promise<LoggedOperation[]> {
  const rejections = Map.groupBy(await store.rejections(mostRejections), ({ objectId }) => objectId);
  const meant = held.filter((operation) => !isRejected(operation, rejections.get(operation.objectId) ?? []));
  if (meant.length > 0) return meant;
  throw new UsageError(
    `every held change of the plan ${planId} was rejected. To release some of them after all, name the people. Nothing was done`,
  );
}

/** There are never this many rejected changes. */
const mostRejections = 1_000_000;

/** @throws UsageError if a person has no rejection */
async function rejectedPeople(store: StateStore, names: readonly string[]): Promise<Release["undone"]> {
  const rejections = await store.rejections(mostRejections);
  const people = byName(rejections.map((one) => ({ ...one, userName: one.userName ?? one.objectId })));
  const undone = names.map((name) => {
    const [found] = ofOnePerson(people.get(name.toLowerCase()) ?? [], name);
    if (found === undefined) {
      throw new UsageError(
        `no change for ${quotation(visible(name))} is rejected. ${commandLine("status")} shows the rejected changes. Nothing was done`,
      );
    }
    return found;
  });
  // A person may be named twice.
  return [...Map.groupBy(undone, ({ objectId }) => objectId).values()].flatMap(([one]) =>
    one === undefined ? [] : [{ objectId: one.objectId, userName: one.userName }],
  );
}

/**
 * The items of the one person whom a name refers to. A userName may have gone over from one person to another, and both may
 * have items.
 * @throws UsageError if the name refers to several people
 */
function ofOnePerson<Item extends { readonly objectId: string }>(
  items: readonly Item[],
  name: string,
): readonly Item[] {
  const people = [...new Set(items.map(({ objectId }) => objectId))];
  if (people.length <= 1) return items;
  throw new UsageError(
    `${quotation(visible(name))} is the name of ${people.length} people. Use the object id (${people.join(" or ")}). Nothing was done`,
  );
}

/**
 * Records a decision about a held plan, and who made it, in one commit. The next cycle acts on it.
 * @returns the event, which is stored for the notifications
 */
export async function recordRelease(
  { store, fence }: Pick<CycleContext, "store" | "fence">,
  { planId, by, reason: given }: Pick<ReleaseRequest, "planId" | "by" | "reason">,
  { released, rejected, undone, wholePlanOf }: Release,
  now: number,
): Promise<StateEvent> {
  const reason = given ?? null;
  const people = {
    released: idsOf(released),
    rejected: idsOf(rejected),
    undone: idsOf(undone),
  };
  const event = {
    kind: "heldDecided",
    planId,
    by,
    reason,
    released: people.released.length,
    rejected: people.rejected.length,
    undone: people.undone.length,
  } as const;
  const decided = foldRelease({
    planId,
    at: now,
    released: released.flatMap(releasedChanges),
    rejected: rejected.flatMap(rejectedChanges),
    undone: people.undone,
  });
  const decision = { planId, at: now, by, reason, people };
  const notes = wholePlanOf === undefined ? {} : canaryReleased(await store.meta(), wholePlanOf);
  await store.commit({ ...decided, decision, notes, events: [{ event, at: now }] }, fence);
  return event;
}

function idsOf(people: readonly { readonly objectId: string }[]): readonly string[] {
  return [...new Set(people.map(({ objectId }) => objectId))];
}

/**
 * People whose released changes are due in another form than they were held in: they were not sent, and are weighed again.
 */
export async function changedSinceHeld(
  store: StateStore,
  cycleId: number,
  released: readonly LoggedOperation[],
): Promise<readonly { readonly objectId: string; readonly userName: string }[]> {
  const stale = new Map(released.map(({ objectId, userName }) => [objectId, { objectId, userName }]));
  const changes = Map.groupBy(released.flatMap(releasedChanges), ({ objectId }) => objectId);
  for await (const operation of operationsOf(store, cycleId, {})) {
    const { objectId, status } = operation;
    if (status === "held") continue;
    if (isPlannedAsReleased(operation, changes.get(objectId) ?? [])) stale.delete(objectId);
  }
  return [...stale.values()];
}

const fewNames = 5;

/** Held people whose names contain the text, as a hint: a part of a name is never enough to decide about a person. */
function similar(held: readonly LoggedOperation[], text: string): string {
  const matcher = matcherOf(text);
  const names = held
    .map(({ userName }) => userName)
    .filter((userName) => matcher?.matches({ names: [userName], ids: [] }) === true);
  if (names.length === 0) return "";
  const rest = names.length - fewNames;
  const shown = names
    .slice(0, fewNames)
    .map((name) => quotation(visible(name)))
    .join(", ");
  return `. Similar names with held changes: ${shown}${rest > 0 ? ` and ${rest} more` : ""}. Use the whole name or the object id`;
}

/** An index by user principal name and object id, in lower case, because thousands of people may be named at once. */
function byName<Item extends { readonly objectId: string; readonly userName: string }>(
  items: readonly Item[],
): ReadonlyMap<string, readonly Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    for (const name of new Set([item.objectId.toLowerCase(), item.userName.toLowerCase()])) {
      const others = found.get(name);
      if (others === undefined) found.set(name, [item]);
      else others.push(item);
    }
  }
  return found;
}
