import type { LoggedOperation } from "../../domain/operation.ts";
import { type Action, type EvidenceKind, isOfEverybody } from "../../domain/plan.ts";
import type { CycleContext } from "../context/context.ts";
import { operationsOf } from "../operations/pages.ts";
import { clearsManager, presumedGone } from "../operations/presumption.ts";
import { foldPresumed, type Presuming } from "../pictures/fold-presumed.ts";
import { makePlan } from "../planning/plan.ts";
import { type Answers, askAll } from "./ask-by-id.ts";

/**
 * Up to this many people are asked for before the plan is weighed. If there are more, only those whom the guard does not hold
 * are asked for.
 */
const mostAskedFirst = 50;

/**
 * Evidence that a listing or a round of changes can get wrong. `disabled` is not among it, because that is a value that was read.
 */
const seenInLists: ReadonlySet<EvidenceKind> = new Set([
  "softDeleted",
  "deleted",
  "leftScope",
  "filteredOut",
]);

/**
 * A listing sometimes leaves a member out (Graph's group reads are eventually consistent), and a round of changes may repeat
 * an old `@removed`. So a person who seems to have left is asked for by id if something is written because of it: the
 * person would be deactivated, or another person's operation rests on it (`presumptionsOf`). If the answer contradicts, the
 * stored data is corrected and these people are planned again; without an answer, nothing that rests on it is sent in this
 * cycle. A plan that does not rest on a person's leaving asks nothing.
 * @returns `false` if they are too many to be asked for before the plan is weighed
 */
export async function confirmLeavers(context: CycleContext): Promise<boolean> {
  const asked = new Set<string>();
  for (;;) {
    const leavers = new Set(await plannedLeavers(context, mostAskedFirst + 1));
    const gone = new Set([...leavers, ...[...context.presumptions.values()].flatMap(presumedGone)]);
    const next = [...gone].filter((objectId) => !asked.has(objectId));
    if (next.length === 0) return true;
    if (asked.size + next.length > mostAskedFirst) return false;
    for (const objectId of next) asked.add(objectId);
    const answers = await askAll(context, next);
    if (answers.contradicted.size + answers.unanswered.size === 0) return true;
    report(context, answers, leavers);
    await planWithAnswers(context, answers, leavers);
  }
}

/** Operations that were taken out of the plan as a whole, because Entra did not confirm that people have left. */
export interface Withdrawn {
  readonly byAction: ReadonlyMap<Action, number>;
  /** Those of them that would have given an account to a person without one. */
  readonly newAccounts: number;
}

/**
 * The same for a larger number of people, after the guard has held a part of them. The plan is not weighed again: what must
 * not be sent is taken out of the plan, and planned again in the next cycle.
 */
export async function confirmWeighedLeavers(context: CycleContext): Promise<Withdrawn> {
  const leavers = new Set(await plannedLeavers(context, null));
  const presuming = await plannedPresuming(context);
  const presumed = presuming.flatMap(({ presumption }) => presumedGone(presumption));
  const answers = await askAll(context, [...new Set([...leavers, ...presumed])]);
  report(context, answers, leavers);
  const there = new Set([...answers.contradicted, ...answers.unanswered.keys()]);
  const withdrawn = [
    ...(await withdrawLeavers(context, there)),
    ...(await withdrawPresuming(context, there)),
  ];
  const byAction = new Map<Action, number>();
  for (const { action } of withdrawn) byAction.set(action, (byAction.get(action) ?? 0) + 1);
  const newAccounts = withdrawn.filter(({ action, adopts }) => action === "create" || adopts).length;
  return { byAction, newAccounts };
}

async function plannedLeavers(context: CycleContext, most: number | null): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { objectId } of deactivationsByLists(context)) {
    found.push(objectId);
    if (found.length === most) return found;
  }
  return found;
}

/** Planned deactivations that rest on a list or on a round of changes. */
async function* deactivationsByLists({ store, cycleId }: CycleContext): AsyncGenerator<LoggedOperation> {
  for await (const operation of operationsOf(store, cycleId, { status: "planned", action: "deactivate" })) {
    const { evidence } = operation;
    if (evidence !== null && seenInLists.has(evidence.kind)) yield operation;
  }
}

/** Planned operations that rest on other people being gone. */
async function plannedPresuming({
  store,
  cycleId,
  presumptions,
}: CycleContext): Promise<readonly Presuming[]> {
  const found: Presuming[] = [];
  if (presumptions.size === 0) return found;
  for await (const operation of operationsOf(store, cycleId, { status: "planned" })) {
    const presumption = presumptions.get(operation.objectId);
    // The guard may hold the clearing, and not the rest.
    if (presumption === undefined) continue;
    const manager = clearsManager(operation) ? presumption.manager : null;
    found.push({ operation, presumption: { ...presumption, manager } });
  }
  return found;
}

/**
 * Plans again, with the corrected data, people who have not left, and people whose operations rested on it. A cycle of some
 * people does not plan a person who was only presumed gone for another person's operation: that person stays marked.
 */
async function planWithAnswers(
  context: CycleContext,
  { contradicted, unanswered }: Answers,
  leavers: ReadonlySet<string>,
): Promise<void> {
  const { store, fence, cycleId, kind, presumptions, unconfirmed } = context;
  const own = [...contradicted].filter((objectId) => isOfEverybody(kind) || leavers.has(objectId));
  const stay = [...unanswered.keys()].filter((objectId) => leavers.has(objectId));
  const presuming = [...presumptions].flatMap(([objectId, presumption]) =>
    presumedGone(presumption).some((id) => contradicted.has(id)) ? [objectId] : [],
  );
  const only = [...new Set([...own, ...stay, ...presuming])];
  const remove = await store.unsentOf(cycleId, only);
  await store.commit({ operations: { remove } }, fence);
  await makePlan(context, { only });
  await withdrawPresuming(context, new Set(unconfirmed.keys()));
}

/** Takes out of the plan what rests on these people being gone. @returns the operations that were taken out as a whole */
async function withdrawPresuming(
  context: CycleContext,
  people: ReadonlySet<string>,
): Promise<readonly LoggedOperation[]> {
  if (people.size === 0) return [];
  const folded = foldPresumed(await plannedPresuming(context), (objectId) => people.has(objectId), context);
  await context.store.commit(folded.change, context.fence);
  return folded.removed;
}

/** Takes the deactivations of these people out of the plan. @returns them */
async function withdrawLeavers(
  context: CycleContext,
  people: ReadonlySet<string>,
): Promise<readonly LoggedOperation[]> {
  if (people.size === 0) return [];
  const found: LoggedOperation[] = [];
  for await (const operation of deactivationsByLists(context)) {
    if (people.has(operation.objectId)) found.push(operation);
  }
  await context.store.commit({ operations: { remove: found.map(({ id }) => id) } }, context.fence);
  return found;
}

/**
 * Logs and notes the answers that stop something.
 * @param leavers people who were to be deactivated; for others, an operation of another person rests on their leaving
 */
function report(
  context: CycleContext,
  { contradicted, unanswered }: Answers,
  leavers: ReadonlySet<string>,
): void {
  const { log, notes } = context;
  const effect = (objectId: string): string =>
    leavers.has(objectId) ? "not deactivated" : "nothing that depends on it is sent";
  for (const objectId of contradicted) {
    log.warn({ objectId }, `Entra still has this person or membership when asked by id; ${effect(objectId)}`);
  }
  for (const [objectId, reason] of unanswered) {
    context.unconfirmed.set(objectId, reason);
    log.warn({ objectId, reason }, `Entra could not confirm that this person has left; ${effect(objectId)}`);
  }
  const note = (
    people: Iterable<string>,
    due: (count: string) => string,
    others: (count: string) => string,
  ) => {
    const all = [...people];
    const ofLeavers = all.filter((objectId) => leavers.has(objectId)).length;
    if (ofLeavers > 0) notes.push(due(counted(ofLeavers)));
    if (all.length > ofLeavers) notes.push(others(counted(all.length - ofLeavers)));
  };
  note(
    contradicted,
    (people) =>
      `${people} missing from one of Entra's lists, but Entra still has them when asked by id: not deactivated.`,
    (people) =>
      `${people} counted as gone, but Entra still has them when asked by id: nothing that depends on it is sent.`,
  );
  note(
    unanswered.keys(),
    (people) =>
      `${people} due for deactivation, but Entra did not confirm by id that they have left: not deactivated now. The next cycle asks again.`,
    (people) =>
      `${people} counted as gone, but Entra did not confirm it by id: nothing that depends on it is sent now. The next cycle asks again.`,
  );
}

function counted(people: number): string {
  return people === 1 ? "1 person was" : `${people} people were`;
}
