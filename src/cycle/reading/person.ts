import { ConfigurationError, errorText, isRecordFailure } from "../../domain/errors.ts";
import type { PersonStep } from "../../domain/plan.ts";
import { count } from "../../domain/sentence.ts";
import { concealedBy } from "../../mapping/rules/concealed.ts";
import { mapUser } from "../../mapping/rules/map-user.ts";
import type { CycleContext } from "../context/context.ts";
import { readManager, savePerson } from "./ingest.ts";
import { keepAccounts } from "./keep-accounts.ts";
import { dissolve, noteAbsence } from "./missing-accounts.ts";
import { searchByExternalId } from "./search.ts";

/** A person who is provisioned on demand. */
export interface Wanted {
  /** As the person was named in the request. */
  readonly user: string;
  readonly objectId: string;
}

/**
 * Brings the stored data of these people up to date and reports the steps connect and import.
 * @returns each person once. `unreadable` counts those whose account could not be read; they are left out of the plan,
 * because it is unknown whether they have an account
 * @throws ConfigurationError that names everyone whom Entra does not know: nothing is changed then
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
      `Entra has no user ${list}: check the user principal name or object id${similar}${names.length > 1 ? ". Nothing was sent" : ""}`,
    );
  }
  return { people: [...wanted.values()], unreadable };
}

const fewNames = 3;

/** People who have the text in their names, for a message. */
async function similarNames(context: CycleContext, unknown: readonly string[]): Promise<string> {
  const concealed = concealedBy(context.settings.mapping);
  const found: string[] = [];
  for (const text of unknown) {
    const { people } = await context.store.searchPeople({ text, limit: fewNames, concealed });
    found.push(...people.flatMap(({ userName }) => (userName === null ? [] : [userName])));
  }
  return found.length === 0 ? "" : `; similar names: ${[...new Set(found)].slice(0, fewNames).join(", ")}`;
}

/** Reads one person. If the account cannot be read, a linked person is planned with the stored account. */
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

export async function readPerson(context: CycleContext, user: string): Promise<string | null> {
  const { store, source, signal } = context;
  const known = await store.findSource(user);
  const report = (step: PersonStep["step"], outcome: PersonStep["outcome"], detail: string): void => {
    context.onStep?.({ user, objectId: known?.objectId ?? null, step, outcome, detail });
  };
  const connecting = async <T>(end: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      report("connect", "failed", `${end}: ${errorText(error)}`);
      throw error;
    }
  };
  // A name can pass to another person: if a deleted person had it, a present one may have it by now.
  const passedOn = known !== null && known.presence !== "present" && known.objectId !== user;
  const found = await connecting("Entra", async () => {
    const living = passedOn ? await source.readUser(user, signal) : null;
    return living ?? source.readUser(known?.objectId ?? user, signal);
  });
  if (found === null && known === null) {
    report("connect", "done", "Entra answers");
    report("import", "failed", "Entra has no user with this name or id");
    return null;
  }
  const objectId = found?.objectId ?? known?.objectId ?? user;
  const change = found ?? ({ kind: "removed", objectId, presence: "deleted" } as const);
  await savePerson(context, change);
  await connecting("Entra", () => readManager(context, objectId));
  await connecting("Lattice", () => readAccount(context, objectId));
  const named = { user, objectId };
  context.onStep?.({ ...named, step: "connect", outcome: "done", detail: "Entra and Lattice answer" });
  const person = await store.findSource(objectId);
  const properties = Object.keys(person?.attributes ?? {}).length;
  const detail =
    person?.presence === "present"
      ? `read from Entra with ${count(properties, "property", "properties")}`
      : "the person is no longer in Entra: deleted, or in the recycle bin";
  context.onStep?.({ ...named, step: "import", outcome: "done", detail });
  return objectId;
}

/** Reads the person's account: the linked one, else the accounts that could match. */
async function readAccount(context: CycleContext, objectId: string): Promise<void> {
  const { store, target, host, signal } = context;
  const link = await store.linkOf(objectId);
  if (link !== null) {
    const account = await host.reading(objectId, () => target.get(link.latticeId, signal));
    if (account !== null) await keepAccounts(context, [account]);
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
  await keepAccounts(context, accounts);
}
