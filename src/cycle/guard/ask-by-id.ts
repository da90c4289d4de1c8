import { ConfigurationError, HostUnavailableError } from "../../domain/errors.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { CycleContext } from "../context/context.ts";
import { savePerson } from "../reading/ingest.ts";
import { keepMembership } from "../reading/scope.ts";

const pageSize = 250;

/** The result of asking for people by id. */
export interface Answers {
  /** People who exist, or are members, after all. */
  readonly contradicted: Set<string>;
  /** People about whom nothing was learnt, and why. */
  readonly unanswered: Map<string, string>;
}

/**
 * Asks Entra by id whether these people have left: whether they exist, and whether they are members of the scope and of the
 * filters' groups. If an answer contradicts the stored data, the stored data is corrected.
 */
export async function askAll(context: CycleContext, objectIds: readonly string[]): Promise<Answers> {
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
    const now = (await source.readNamedMembership(groups, [id], signal)).get(id) ?? new Set();
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

/** The members among these people, as Entra says when it is asked by id. The listing of the scope did not have them. */
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
    context.log.info(
      { reason: error.message },
      "memberships could not be asked for together: they are listed again, or asked for one by one",
    );
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
