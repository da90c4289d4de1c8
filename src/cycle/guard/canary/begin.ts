import { ConfigurationError, HostUnavailableError } from "../../../domain/errors.ts";
import type { CanaryCause, StateEvent } from "../../../domain/event.ts";
import { withoutStop } from "../../../domain/sentence.ts";
import type { Meta } from "../../../domain/state/meta.ts";
import type { WeighedOperation } from "../../../domain/state/plan-log.ts";
import type { CycleContext } from "../../context/context.ts";
import { waitsForCanary } from "../../operations/canary.ts";
import { isTemporaryName } from "../../operations/temporary-name.ts";
import { nameKey, namesIn } from "../../planning/rename-order.ts";
import { keepNotes } from "../../ports/ports.ts";
import type { CanarySettings } from "../../ports/settings.ts";
import { chooseEvenly, type Eligible } from "./choose.ts";
import { type Canary, goesOnAt, parseCanary, resultOf } from "./standing.ts";

const pageSize = 500;
/** The most members of a group on whom a configuration is tried: as many as `rollout.canary` may choose. More are not a trial. */
const mostOfGroup = 1_000;

/** A canary as a cycle begins with it: one that is under way, or one whose people this cycle chooses. */
export type CanaryOfCycle =
  | { readonly kind: "underWay"; readonly canary: Canary }
  | { readonly kind: "begins"; readonly cause: CanaryCause; readonly settings: CanarySettings };

interface Asked {
  /** `sync --canary`. */
  readonly canary?: number | undefined;
  readonly dryRun: boolean;
}

/**
 * Decides before the plan whether a configuration is tried on a few people first. A canary that has lasted long enough, without too
 * many failures, ends here. So does one of another configuration.
 * @returns `null` if this cycle may send to everybody
 */
export async function canaryOf(
  context: CycleContext,
  meta: Partial<Meta>,
  { canary: asked, dryRun }: Asked,
): Promise<CanaryOfCycle | null> {
  const { settings, clockDoubtMs } = context;
  const { digest } = settings.mapping;
  const rolledOut = meta.rolledOut ?? meta.mappingDigest ?? "";
  // Before the plan is made, because the plan replaces the digest of the mapping.
  if (meta.rolledOut === undefined) await keepNotes(context, { rolledOut });
  const canary = parseCanary(meta);
  if (canary?.digest === digest) {
    if (clockDoubtMs !== 0 || !(await hasPassed(context, canary))) {
      if (asked !== undefined)
        context.notes.push("A canary is under way: --canary does not begin another one.");
      return { kind: "underWay", canary };
    }
    await endPassed(context, canary, dryRun);
    return null;
  }
  if (canary !== null) await keepNotes(context, { canary: "" });
  if (asked === undefined && digest === rolledOut) return null;
  const goesOn = settings.canary?.goesOn ?? null;
  const own = asked === undefined ? settings.canary : { people: asked, users: [], group: null, goesOn };
  if (own === null) {
    if (digest !== rolledOut) await keepNotes(context, { rolledOut: digest });
    return null;
  }
  const changed = context.firstRun ? "firstRun" : "configuration";
  return { kind: "begins", cause: digest === rolledOut ? "requested" : changed, settings: own };
}

/** `true` if the canary's time has passed, and no more people failed than may fail. */
async function hasPassed({ store, clock }: CycleContext, canary: Canary): Promise<boolean> {
  if (canary.goesOn === null) return false;
  const at = goesOnAt(canary, await resultOf(store, canary));
  return at !== null && at <= clock.now();
}

/** Ends a canary whose time has passed: from now on, the configuration is sent to everybody. */
async function endPassed(context: CycleContext, canary: Canary, dryRun: boolean): Promise<void> {
  const { store, fence, clock, onEvent } = context;
  const { done, failed } = await resultOf(store, canary);
  const planId = (await store.meta()).heldPlan ?? "";
  const event = { kind: "canaryPassed", planId, done, failed, sent: true, goesOnAt: null } as const;
  const notes = { canary: "", rolledOut: canary.digest };
  if (dryRun) return keepNotes(context, notes);
  await store.commit({ notes, events: [{ event, at: clock.now() }] }, fence);
  onEvent?.(event satisfies StateEvent);
}

/**
 * Chooses the people of a canary from the plan as it stands, and remembers them before anything is sent. Their operations do not
 * wait from here on.
 * @returns a sentence that says why no one is chosen: the group cannot be read, or too many of its members have changes. The next
 * cycle tries again
 */
export async function chooseCanary(
  context: CycleContext,
  { cause, settings }: Extract<CanaryOfCycle, { kind: "begins" }>,
): Promise<Canary | string> {
  const { store, fence, cycleId, startedAt, notes } = context;
  const { digest } = context.settings.mapping;
  const { group } = settings;
  const members = group === null ? new Set<string>() : await membersOf(context, group);
  if (typeof members === "string") return members;
  const { named, ofGroup, eligible } = await eligibleIn(context, settings.users, members);
  if (ofGroup > mostOfGroup) {
    return `${ofGroup.toLocaleString("en")} members of the group "${group}" have changes, which is too many to try it on: name a group with at most ${mostOfGroup.toLocaleString("en")} (rollout.canary.group)`;
  }
  if (group !== null && ofGroup === 0)
    notes.push(
      `The canary includes no member of the group "${group}": none of them has a change that can be sent before those of others.`,
    );
  const others = eligible.filter(({ objectId }) => !named.has(objectId));
  const people = [...named, ...chooseEvenly(others, { people: settings.people, salt: digest })];
  for (const objectId of people) context.canary?.add(objectId);
  const canary: Canary = {
    digest,
    cause,
    at: startedAt,
    cycleId,
    people,
    goesOn: settings.goesOn,
    told: "nothing",
  };
  await store.commit({ notes: { canary: JSON.stringify(canary) } }, fence);
  await dropWaiting(context, new Set(people));
  return canary;
}

/**
 * Object ids of the members of a group as Entra has it now, in lower case.
 * @returns a sentence, if it cannot be read to its end
 * @throws HostUnavailableError if a pause is asked for, which is for the whole cycle
 */
async function membersOf(
  { source, signal }: CycleContext,
  group: string,
): Promise<ReadonlySet<string> | string> {
  const members = new Set<string>();
  try {
    for await (const page of source.readNamedGroup(group, signal, "rollout.canary.group")) {
      for (const id of page) members.add(id.toLowerCase());
    }
    return members;
  } catch (error) {
    const fault = error instanceof ConfigurationError || error instanceof HostUnavailableError;
    if (!fault || signal.aborted) throw error;
    if (error instanceof HostUnavailableError && error.retryAt !== undefined) throw error;
    return `they are members of the group "${group}", which cannot be read: ${withoutStop(error.message)}`;
  }
}

interface FoundEligible {
  /** Object ids of people whom the configuration names, or who are members of its group, and who have an operation. */
  readonly named: ReadonlySet<string>;
  /** How many of them are members of the group. */
  readonly ofGroup: number;
  readonly eligible: readonly Eligible[];
}

/** People with operations that wait and do not depend on those of others. */
async function eligibleIn(
  context: CycleContext,
  users: readonly string[],
  members: ReadonlySet<string>,
): Promise<FoundEligible> {
  const { store, cycleId } = context;
  const freeing = new Set((await store.plannedRenames(cycleId)).map(({ from }) => nameKey(from)));
  const names = new Set(users.map((name) => name.toLowerCase()));
  const named = new Set<string>();
  const ofGroup = new Set<string>();
  const eligible = new Map<string, Eligible>();
  for await (const page of waitingPages(context)) {
    const rows = await store.personRows(page.map(({ objectId }) => objectId));
    for (const operation of page) {
      const { objectId } = operation;
      if (needsOthers(operation, freeing)) continue;
      const { userPrincipalName = null, department = null } = rows.get(objectId)?.source.attributes ?? {};
      if (names.has(objectId.toLowerCase()) || names.has(String(userPrincipalName).toLowerCase()))
        named.add(objectId);
      if (members.has(objectId.toLowerCase())) {
        named.add(objectId);
        ofGroup.add(objectId);
      }
      eligible.set(objectId, { objectId, kind: kindOf(operation), department: String(department) });
    }
  }
  return { named, ofGroup: ofGroup.size, eligible: [...eligible.values()] };
}

/** Operations with the weight of a canary, page by page. */
async function* waitingPages({
  store,
  cycleId,
}: Pick<CycleContext, "store" | "cycleId">): AsyncGenerator<readonly WeighedOperation[]> {
  for (let after = 0; ; ) {
    const page = await store.weighedOperations(cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield page.filter(({ weights }) => weights.some(({ kind }) => kind === "canary"));
  }
}

/** `true` if the operation needs a userName that another operation of the plan gives up first. */
function needsOthers({ changes }: WeighedOperation, freeing: ReadonlySet<string>): boolean {
  const { given, freed } = namesIn(changes);
  return given !== undefined && given !== freed && (isTemporaryName(given) || freeing.has(given));
}

/** The kind of an operation: its action, the kind of its evidence, and for an update the attributes that it changes. */
function kindOf({ action, adopts, evidence, changes }: WeighedOperation): string {
  const attributes = action === "update" && !adopts ? changes.map(({ attribute }) => attribute).sort() : [];
  return JSON.stringify([action, evidence?.kind ?? null, ...attributes]);
}

/** Takes the weight of the canary from the operations of the people who are chosen. */
async function dropWaiting(context: CycleContext, chosen: ReadonlySet<string>): Promise<void> {
  if (chosen.size === 0) return;
  for await (const page of waitingPages(context)) {
    const patch = page
      .filter((operation) => chosen.has(operation.objectId) && !waitsForCanary(operation, chosen))
      .map(({ id, changes, weights }) => ({
        id,
        left: {
          changes,
          weights: weights.filter(({ kind }) => kind !== "canary"),
          refers: changes.some(({ reference }) => (reference?.afterObjectId ?? null) !== null),
        },
      }));
    if (patch.length > 0) await context.store.commit({ operations: { patch } }, context.fence);
  }
}

/** Object ids of the people on whom a canary tries; none as long as they are not chosen. */
export function peopleOf(canary: CanaryOfCycle): Set<string> {
  return new Set(canary.kind === "underWay" ? canary.canary.people : []);
}
