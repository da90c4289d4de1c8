import { ConfigurationError, HostUnavailableError } from "../../domain/errors.ts";
import type { EvidenceKind } from "../../domain/plan.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { CycleContext } from "../context/context.ts";
import { operationsOf } from "../operations/pages.ts";
import { makePlan } from "../planning/plan.ts";
import { savePerson } from "../reading/ingest.ts";
import { keepMembership } from "../reading/scope.ts";

/**
 * Up to this many people are asked for before the plan is weighed. If there are more, only those whom the guard does not hold
 * are asked for.
 */
const mostAskedFirst = 50;
const pageSize = 250;

/**
 * Evidence that a listing or a round of changes can get wrong. A disabled account is a value that was read, and is not here.
 */
const seenInLists: ReadonlySet<EvidenceKind> = new Set([
  "softDeleted",
  "deleted",
  "leftScope",
  "filteredOut",
]);

/** The result of asking for people by id. */
interface Answers {
  /** People who exist, or are members, after all. */
  readonly contradicted: Set<string>;
  /** People about whom nothing was learnt, and why. */
  readonly unanswered: Map<string, string>;
}

/**
 * A listing sometimes leaves a member out (Graph's group reads are eventually consistent), and a round of changes may repeat
 * an old `@removed`. So each person who would be deactivated for having left is asked for by id: whether they exist, and
 * whether they are members of the scope and of the filters' groups. If the answer contradicts, the stored data is corrected
 * and the person is planned again; without an answer the person is not deactivated in this cycle.
 * @returns `false` if they are too many to be asked for before the plan is weighed
 */
export async function confirmLeavers(context: CycleContext): Promise<boolean> {
  const leavers = await plannedLeavers(context, mostAskedFirst + 1);
  if (leavers.length > mostAskedFirst) return false;
  await withdraw(context, await askAll(context, leavers), { planAgain: true });
  return true;
}

/**
 * The same for a larger number of people, after the guard has held a part of them. The plan is not weighed again: a person
 * who must not be deactivated is taken out of the plan, and planned again in the next cycle.
 * @returns how many were taken out, and how many reports whose manager was to be cleared because of them
 */
export async function confirmWeighedLeavers(
  context: CycleContext,
): Promise<{ readonly leavers: number; readonly reports: number }> {
  const answers = await askAll(context, await plannedLeavers(context, null));
  const reports = await withdraw(context, answers, { planAgain: false });
  return { leavers: answers.contradicted.size + answers.unanswered.size, reports };
}

async function plannedLeavers(
  { store, cycleId }: CycleContext,
  most: number | null,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { objectId, evidence } of operationsOf(store, cycleId, {
    status: "planned",
    action: "deactivate",
  })) {
    if (evidence !== null && seenInLists.has(evidence.kind)) found.push(objectId);
    if (found.length === most) return found;
  }
  return found;
}

async function askAll(context: CycleContext, objectIds: readonly string[]): Promise<Answers> {
  const answers: Answers = { contradicted: new Set(), unanswered: new Map() };
  for (let from = 0; from < objectIds.length; from += pageSize) {
    await askSome(context, objectIds.slice(from, from + pageSize), answers);
    // The lease heartbeat and signals get their turn.
    await context.clock.sleep(0, context.signal);
  }
  return answers;
}

async function askSome(context: CycleContext, objectIds: readonly string[], answers: Answers): Promise<void> {
  const { store, source, settings, everyoneInScope, signal } = context;
  const candidates = await store.candidates({
    select: { only: objectIds },
    everyoneInScope,
    after: "",
    limit: objectIds.length,
  });
  const gone = candidates.filter(({ source: { presence } }) => presence !== "present");
  const idsOf = (people: readonly Candidate[]): string[] => people.map((one) => one.source.objectId);

  await askEach(context, idsOf(gone), answers, async (id) => {
    const found = await source.readUser(id, signal);
    if (found !== null) await savePerson(context, found);
    return found !== null;
  });

  // A person who exists after all may be missing from the list of the scope too.
  const there = candidates.filter(
    (one) => one.source.presence === "present" || answers.contradicted.has(one.source.objectId),
  );
  const outside = idsOf(there.filter(({ member }) => !member));
  const members = await membersAmong(context, outside, answers);
  if (members.length > 0) await keepMembership(context, { members, others: [] });
  for (const id of members) answers.contradicted.add(id);

  const { groups } = settings.mapping.filters;
  if (groups.length === 0) return;
  const filtered = new Map(
    there.filter(({ member }) => member).map((one) => [one.source.objectId, one.groups]),
  );
  await askEach(context, [...filtered.keys()], answers, async (id) => {
    const now = (await source.readFilterMembership(groups, [id], signal)).get(id) ?? new Set();
    const listed = filtered.get(id) ?? new Set();
    if (groups.every((group) => now.has(group) === listed.has(group))) return false;
    // The next cycle lists the groups again and shows which of the two is right.
    answers.unanswered.set(
      id,
      "the list of a group of the scoping filters and the person's own groups differ",
    );
    return false;
  });
}

/** Those of these people, who were missing from the scope's listing, who are members when they are asked for by id. */
async function membersAmong(
  context: CycleContext,
  objectIds: readonly string[],
  answers: Answers,
): Promise<readonly string[]> {
  if (objectIds.length === 0) return [];
  const { source, signal } = context;
  try {
    const parts = await source.readMembership(objectIds, signal);
    return objectIds.filter((id) => (parts.get(id) ?? []).length > 0);
  } catch (error) {
    if (!isFaultOfSource(context, error)) throw error;
    context.log.info({ reason: error.message }, "memberships cannot be asked for together");
    // Without the permission to ask for membership by id, a second listing must be enough.
    if (error instanceof ConfigurationError) return membersListedAgain(context, objectIds, answers);
  }
  const members: string[] = [];
  await askEach(context, objectIds, answers, async (id) => {
    const parts = await source.readMembership([id], signal);
    if ((parts.get(id) ?? []).length > 0) members.push(id);
    return false;
  });
  return members;
}

async function membersListedAgain(
  context: CycleContext,
  objectIds: readonly string[],
  answers: Answers,
): Promise<readonly string[]> {
  const wanted = new Set(objectIds);
  const found = new Set<string>();
  try {
    const pages = context.source.readScope(context.signal);
    if (pages === null) return [];
    for await (const page of pages) {
      for (const id of page) if (wanted.has(id)) found.add(id);
    }
    return [...found];
  } catch (error) {
    if (!isFaultOfSource(context, error)) throw error;
    for (const id of objectIds) answers.unanswered.set(id, error.message);
    return [];
  }
}

/** If two people in a row cannot be asked for, the fault is not with them, and the others are not asked for either. */
const mostFaultsInARow = 2;

async function askEach(
  context: CycleContext,
  objectIds: readonly string[],
  answers: Answers,
  isThere: (objectId: string) => Promise<boolean>,
): Promise<void> {
  let inARow = 0;
  let last = "";
  for (const objectId of objectIds) {
    if (inARow === mostFaultsInARow) {
      answers.unanswered.set(objectId, last);
      continue;
    }
    try {
      if (await isThere(objectId)) answers.contradicted.add(objectId);
      inARow = 0;
    } catch (error) {
      if (!isFaultOfSource(context, error)) throw error;
      inARow += 1;
      last = error.message;
      answers.unanswered.set(objectId, last);
    }
  }
}

function isFaultOfSource(
  { signal }: CycleContext,
  error: unknown,
): error is ConfigurationError | HostUnavailableError {
  return !signal.aborted && (error instanceof ConfigurationError || error instanceof HostUnavailableError);
}

async function withdraw(
  context: CycleContext,
  { contradicted, unanswered }: Answers,
  { planAgain }: { readonly planAgain: boolean },
): Promise<number> {
  const people = [...contradicted, ...unanswered.keys()];
  if (people.length === 0) return 0;
  const { store, log, notes, cycleId } = context;
  for (const objectId of contradicted) {
    log.warn({ objectId }, "Entra still has this person or membership when asked by id; not deactivated");
  }
  for (const [objectId, reason] of unanswered) {
    context.unconfirmed.set(objectId, reason);
    log.warn({ objectId, reason }, "Entra could not confirm that this person has left; not deactivated");
  }
  if (contradicted.size > 0) {
    notes.push(
      `${counted(contradicted.size)} missing from one of Entra's lists, but Entra still has them when asked by id: not deactivated.`,
    );
  }
  if (unanswered.size > 0) {
    notes.push(
      `${counted(unanswered.size)} due for deactivation, but Entra did not confirm by id that they have left: not deactivated now. The next cycle asks again.`,
    );
  }
  // A manager who has not certainly left stays the manager of the reports.
  const reports = await plannedWithoutManager(context, new Set(people));
  const remove = await store.unsentOf(cycleId, [...people, ...reports.keys()]);
  await store.commit({ operations: { remove } }, context.fence);
  if (planAgain) {
    const known = [...reports].filter(([, manager]) => contradicted.has(manager));
    await makePlan(context, { only: [...new Set([...people, ...known.map(([objectId]) => objectId)])] });
  }
  return reports.size;
}

/** The reports of these managers whose manager the plan clears, each with the manager. */
async function plannedWithoutManager(
  { store, cycleId }: CycleContext,
  managers: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { objectId, changes } of operationsOf(store, cycleId, { status: "planned" })) {
    if (!changes.some(({ reference }) => reference !== undefined && reference.afterObjectId === null))
      continue;
    const managerId = (await store.findSource(objectId))?.managerId ?? null;
    if (managerId !== null && managers.has(managerId)) found.set(objectId, managerId);
  }
  return found;
}

function counted(people: number): string {
  return people === 1 ? "1 person was" : `${people} people were`;
}
