import { randomUUID } from "node:crypto";
import { ConfigurationError, isRecordFailure } from "../domain/errors.ts";
import type { Operation, PersonStep } from "../domain/plan.ts";
import { count } from "../domain/sentence.ts";
import type { ScopePart } from "../domain/source.ts";
import type { LoggedOperation } from "../domain/store.ts";
import { mapUser } from "../mapping/rules/map-user.ts";
import { type CycleContext, cycleContext } from "./context.ts";
import { concealedBy, findExactly, findPerson } from "./person/find-person.ts";
import { attributeList } from "./planning/changes.ts";
import { isInScope } from "./planning/in-scope.ts";
import { planPeople } from "./planning/plan-people.ts";
import type { PlannedPerson } from "./planning/planned-person.ts";
import type { Ports } from "./ports.ts";
import { readManager, savePerson } from "./reading/ingest.ts";
import { dissolve, noteAbsence } from "./reading/missing-accounts.ts";
import { ingestFilterGroups, ingestScope, keepMembership } from "./reading/scope.ts";
import { searchByExternalId } from "./reading/search.ts";

/** Somebody who is provisioned on demand. */
export interface Wanted {
  /** As it was asked for. */
  readonly user: string;
  readonly objectId: string;
}

/**
 * Makes the pictures of these people current and tells of the steps connect and import.
 * @returns each person once; `unreadable` counts those whose account could not be read, and who are left out of the plan
 * because nobody knows whether they have one
 * @throws ConfigurationError that names everybody whom Entra does not know: nobody is touched then
 */
export async function ingestPeople(
  context: CycleContext,
  names: readonly string[],
): Promise<{ readonly people: readonly Wanted[]; readonly unreadable: number }> {
  const wanted = new Map<string, Wanted>();
  const unknown: string[] = [];
  let unreadable = 0;
  for (const user of names) {
    const objectId = await readReadable(context, user);
    if (objectId === null) unknown.push(user);
    else if (objectId === "unreadable") unreadable += 1;
    else if (!wanted.has(objectId)) wanted.set(objectId, { user, objectId });
  }
  if (unknown.length > 0) {
    const list = unknown.map((name) => `"${name}"`).join(", ");
    const similar = await similarNames(context, unknown);
    throw new ConfigurationError(
      `Entra knows no user ${list}: check the user principal name or object id${similar}${names.length > 1 ? "; nobody was touched" : ""}`,
    );
  }
  return { people: [...wanted.values()], unreadable };
}

const fewNames = 3;

/** Those who have what was asked for in their names, for a message. */
async function similarNames(context: CycleContext, unknown: readonly string[]): Promise<string> {
  const concealed = concealedBy(context.settings.mapping);
  const found: string[] = [];
  for (const text of unknown) {
    const { people } = await context.store.searchPeople({ text, limit: fewNames, concealed });
    found.push(...people.flatMap(({ userName }) => (userName === null ? [] : [userName])));
  }
  return found.length === 0 ? "" : `; similar names: ${[...new Set(found)].slice(0, fewNames).join(", ")}`;
}

/** One account that cannot be read stops nobody else. A linked person is planned on what was known of the account. */
async function readReadable(context: CycleContext, user: string): Promise<string | null | "unreadable"> {
  try {
    return await readPerson(context, user);
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    const person = await context.store.findSource(user);
    const link = person === null ? null : await context.store.linkOf(person.objectId);
    return person === null || link === null ? "unreadable" : person.objectId;
  }
}

async function readPerson(context: CycleContext, user: string): Promise<string | null> {
  const { store, source, signal } = context;
  const known = await store.findSource(user);
  const tell = (step: PersonStep["step"], outcome: PersonStep["outcome"], detail: string): void => {
    context.onStep?.({ user, objectId: known?.objectId ?? null, step, outcome, detail });
  };
  const connecting = async <T>(end: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      tell("connect", "failed", `${end}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  };
  // A name goes on: where a person who is gone had it, it may be a living one's by now.
  const passedOn = known !== null && known.presence !== "present" && known.objectId !== user;
  const found = await connecting("Entra", async () => {
    const living = passedOn ? await source.readUser(user, signal) : null;
    return living ?? source.readUser(known?.objectId ?? user, signal);
  });
  if (found === null && known === null) {
    tell("connect", "done", "Entra answers");
    tell("import", "failed", "Entra has no user with this name or id");
    return null;
  }
  const objectId = found?.objectId ?? known?.objectId ?? user;
  const change = found ?? ({ kind: "removed", objectId, presence: "deleted" } as const);
  await savePerson(context, change);
  await connecting("Entra", () => readManager(context, objectId));
  await connecting("Lattice", () => readAccount(context, objectId));
  const told = { user, objectId };
  context.onStep?.({ ...told, step: "connect", outcome: "done", detail: "Entra and Lattice answer" });
  const person = await store.findSource(objectId);
  const properties = Object.keys(person?.attributes ?? {}).length;
  const detail =
    person?.presence === "present"
      ? `read from Entra with ${count(properties, "property", "properties")}`
      : "Entra has the person no more: deleted, or in the recycle bin";
  context.onStep?.({ ...told, step: "import", outcome: "done", detail });
  return objectId;
}

/** The person's account as it is now: by its link, else whatever could be matched. */
async function readAccount(context: CycleContext, objectId: string): Promise<void> {
  const { store, target, host, cycleId, signal } = context;
  const link = await store.linkOf(objectId);
  if (link !== null) {
    const account = await host.reading(objectId, () => target.get(link.latticeId, signal));
    if (account !== null) await store.saveTargets([account], cycleId);
    else if ((await noteAbsence(context, link.latticeId)).absence === "gone") {
      await dissolve(context, [link.latticeId]);
    }
  }
  if ((await store.linkOf(objectId)) !== null) return;
  const person = await store.findSource(objectId);
  const environment = { now: context.clock.now, random: context.random };
  const { externalId, userName } =
    person === null
      ? { externalId: null, userName: null }
      : mapUser(context.settings.mapping, person, { member: true, environment });
  const accounts = await host.reading(objectId, async () => [
    ...(await searchByExternalId(context, externalId ?? objectId)),
    ...(userName === null ? [] : await target.find("userName", userName, signal)),
  ]);
  await store.saveTargets(accounts, cycleId);
}

/** What was learnt of the scope for the sake of some people. */
export interface Membership {
  /** `null` where only these people were asked about. */
  readonly parts: readonly ScopePart[] | null;
  /** By object id: the assignments and groups that lead to the person; nothing of those who were not asked about. */
  readonly through: ReadonlyMap<string, readonly string[]>;
}

/**
 * Makes the membership of these people current. Being a member is asked person by person. That somebody whose account is
 * active is none is only believed of the whole scope, read to its end: it is what a deactivation would rest on.
 */
export async function ingestMembership(
  context: CycleContext,
  objectIds: readonly string[],
): Promise<Membership> {
  const { store } = context;
  if (context.everyoneInScope) return { parts: [], through: new Map() };
  const present: string[] = [];
  for (const objectId of objectIds) {
    // Of somebody who is gone the scope decides nothing.
    if ((await store.findSource(objectId))?.presence === "present") present.push(objectId);
  }
  const through = await askMembership(context, present);
  const members: string[] = [];
  const others: string[] = [];
  for (const [objectId, parts] of through ?? []) (parts.length > 0 ? members : others).push(objectId);
  const links = await Promise.all(others.map((objectId) => store.linkOf(objectId)));
  if (through === null || links.some((link) => link !== null && link.active !== false)) {
    return { parts: await ingestScope(context), through: through ?? new Map() };
  }
  await keepMembership(context, { members, others });
  return { parts: null, through };
}

async function askMembership(
  context: CycleContext,
  objectIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]> | null> {
  try {
    return await context.source.readMembership(objectIds, context.signal);
  } catch (error) {
    // Reading the whole scope needs other permissions, and says better what is wrong with it.
    if (!(error instanceof ConfigurationError)) throw error;
    context.log.info({ reason: error.message }, "membership cannot be asked for alone; reading the scope");
    return null;
  }
}

/** Tells of the steps scope and match. @returns the decisions, for the last step */
export async function tellScopeAndMatch(
  context: CycleContext,
  people: readonly Wanted[],
  { through }: Membership,
): Promise<ReadonlyMap<string, PlannedPerson>> {
  const { store, settings, everyoneInScope, clock, random } = context;
  const candidates = await store.candidates({
    select: { only: people.map(({ objectId }) => objectId) },
    everyoneInScope,
    after: "",
    limit: people.length,
  });
  const environment = { now: clock.now, random };
  const decided = new Map(
    (
      await planPeople(candidates, {
        store,
        settings,
        everyoneInScope,
        environment,
        ignoreRetrySchedule: true,
        partial: true,
      })
    ).map((one) => [one.candidate.source.objectId, one]),
  );
  for (const person of people) {
    const one = decided.get(person.objectId);
    if (one === undefined) continue;
    context.onStep?.({ ...person, step: "scope", ...scopeStep(one, through.get(person.objectId)) });
    context.onStep?.({ ...person, step: "match", ...matchStep(one) });
  }
  return decided;
}

type Outcome = Pick<PersonStep, "outcome" | "detail">;

function scopeStep({ candidate, mapped }: PlannedPerson, parts: readonly string[] | undefined): Outcome {
  if (isInScope(candidate, mapped)) {
    const by = parts === undefined || parts.length === 0 ? "" : `: ${parts.join(", ")}`;
    return { outcome: "done", detail: `in scope${by}` };
  }
  const { presence } = candidate.source;
  if (presence !== "present") return { outcome: "skipped", detail: "not in scope: deleted in Entra" };
  if (!candidate.member) return { outcome: "skipped", detail: "not in scope: not assigned" };
  return { outcome: "skipped", detail: `not in scope: ${mapped.filteredOut ?? "kept out"}` };
}

const matchFaults: ReadonlySet<string> = new Set([
  "ambiguousMatch",
  "externalIdConflict",
  "externalIdOfAnother",
  "linkedToAnother",
  "formerOwner",
  "protectedAccount",
]);

/** Found before an account was looked for. */
const beforeMatching: ReadonlySet<string> = new Set([
  "invalidUserName",
  "duplicateUserName",
  "duplicateExternalId",
  "mappingFailed",
  "rejected",
]);

function matchStep({ candidate, decision, matches }: PlannedPerson): Outcome {
  const { link } = candidate;
  if (link !== null) return { outcome: "done", detail: `linked to the account ${link.latticeId}` };
  if (decision.kind === "operation" && decision.operation.adopts) {
    const { latticeId, reason } = decision.operation;
    return { outcome: "done", detail: `${reason}: ${latticeId}` };
  }
  if (decision.kind === "skipped" && matchFaults.has(decision.skipped.code)) {
    return { outcome: "failed", detail: decision.skipped.reason };
  }
  if (decision.kind === "ignored")
    return { outcome: "skipped", detail: "not in scope, and without an account" };
  if (decision.kind === "skipped" && beforeMatching.has(decision.skipped.code)) {
    return { outcome: "skipped", detail: `not looked for: ${decision.skipped.reason}` };
  }
  const [existing] = [...(matches?.byUserName ?? []), ...(matches?.byExternalId ?? [])];
  if (existing !== undefined) {
    return {
      outcome: "done",
      detail: `an existing account, which is not adopted now: ${existing.latticeId}`,
    };
  }
  return { outcome: "done", detail: "no account in Lattice" };
}

/** Tells what was done, or would be, for each person: the step act. */
export async function tellActs(
  context: CycleContext,
  people: readonly Wanted[],
  decided: ReadonlyMap<string, PlannedPerson>,
): Promise<void> {
  const operations = await context.store.operations(context.cycleId, {
    afterWave: -1,
    afterId: 0,
    limit: people.length * 4,
  });
  for (const person of people) {
    const own = operations.filter(({ objectId }) => objectId === person.objectId);
    for (const operation of own) context.onStep?.({ ...person, step: "act", ...actStep(operation) });
    const one = decided.get(person.objectId);
    if (own.length === 0 && one !== undefined) {
      context.onStep?.({ ...person, step: "act", ...nothingStep(one, context.unconfirmed) });
    }
  }
}

function actStep({ action, changes, status, reason, error }: LoggedOperation): Outcome {
  const attributes = action === "update" && changes.length > 0 ? ` ${attributeList(changes)}` : "";
  const what = `${action}${attributes}`;
  switch (status) {
    case "done":
      return { outcome: "done", detail: `${what}: ${error ?? reason}` };
    case "held":
      return { outcome: "held", detail: `${what}: held by the guard` };
    case "planned":
      return { outcome: "planned", detail: `${what}: ${reason}` };
    default:
      return { outcome: "failed", detail: `${what}: ${error ?? reason}` };
  }
}

/** @param unconfirmed whose leaving was not confirmed, and why */
function nothingStep({ decision }: PlannedPerson, unconfirmed: ReadonlyMap<string, string>): Outcome {
  switch (decision.kind) {
    case "skipped":
      return { outcome: "skipped", detail: decision.skipped.reason };
    case "operation":
      return { outcome: "skipped", detail: withdrawnBecause(decision.operation, unconfirmed) };
    default:
      return { outcome: "skipped", detail: "nothing to do" };
  }
}

/** Why an operation is not in the plan any more. */
function withdrawnBecause({ action, objectId }: Operation, unconfirmed: ReadonlyMap<string, string>): string {
  const reason = unconfirmed.get(objectId);
  if (reason !== undefined) {
    return `not deactivated: Entra did not confirm that the person has left when it was asked by id (${reason})`;
  }
  return action === "deactivate"
    ? "not deactivated: Entra has the person, or the membership, when asked by id"
    : "the manager has no account yet and is set as soon as there is one";
}

/**
 * Reads one person from both ends into the pictures, and plans nothing: for an explanation, on a private copy of the store.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function readNow(
  ports: Ports,
  asked: string,
  signal: AbortSignal,
): Promise<{ readonly cycleId: number; readonly through: readonly string[] | null }> {
  const { store, target, clock } = ports;
  const startedAt = clock.now();
  const cycleId = await store.beginCycle({ planId: randomUUID(), kind: "on-demand", startedAt });
  const context = cycleContext(
    ports,
    { cycleId, kind: "on-demand", signal, fence: "private", firstRun: false },
    {},
  );
  await store.forgetTheFuture(startedAt);
  const wanted = asked.trim();
  const direct = await store.findSource(wanted);
  const name = direct === null ? ((await findExactly(store, asked)).objectId ?? wanted) : wanted;
  let objectId = await readPerson(context, name);
  if (objectId === null) {
    // Perhaps somebody whom Lattice alone knows, by userName or by id.
    const account = (await target.find("userName", name, signal))[0] ?? (await target.get(name, signal));
    if (account != null) {
      await store.saveTargets([account], cycleId);
      objectId = account.externalId === null ? null : await readPerson(context, account.externalId);
    } else {
      // Nobody of that whole name at either end: a part of one.
      const part = await findPerson(store, asked, ports.settings.mapping);
      objectId = part.objectId === null ? null : await readPerson(context, part.objectId);
    }
  }
  const membership = objectId === null ? null : await ingestMembership(context, [objectId]);
  if (objectId !== null) await ingestFilterGroups(context);
  await store.finishCycle(cycleId, { finishedAt: clock.now(), outcome: "done", error: null });
  const through = objectId === null ? null : (membership?.through.get(objectId) ?? null);
  return { cycleId, through };
}
