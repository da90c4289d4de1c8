import { WatermarkExpiredError } from "../../domain/errors.ts";
import type { SourceChange, SourceUser } from "../../domain/source.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { UnreadPerson } from "../../domain/state/people.ts";
import type { CycleContext } from "../context/context.ts";
import { failsNoMore } from "../pictures/failures.ts";
import { keysTouched } from "../pictures/marks.ts";
import { keepNotes } from "../ports/ports.ts";
import { keepPeople } from "./keep-people.ts";
import { type PeopleById, parseUnread, readById, unreadNote, unreadText } from "./read-by-id.ts";

const pageSize = 500;
/**
 * People saved in one transaction; the event loop runs between two. Their ids are random, so most of them are on a page of their
 * own: with 250 a first run of 10,000 people writes 58,600 pages of the database, with 500 it writes 50,600.
 */
const sliceSize = 500;

/**
 * Brings Entra's stored data up to date. Each page is saved as it comes, because it is true by itself; the watermark is saved
 * after the last page. If pages were saved without a watermark (the read broke off, or a person was read on demand), the next
 * read is of everyone: a change that such a page has shown, and that was undone since, may not be among the next changes.
 * @param changesSuffice whether it is enough to read what changed since the last watermark
 * @returns `full`: whether everyone was read; `empty`: whether Entra answered that the directory has no people
 */
export async function ingestSource(
  context: CycleContext,
  meta: Partial<Meta>,
  changesSuffice: boolean,
): Promise<{ full: boolean; empty: boolean }> {
  const { watermark, aheadOfWatermark } = meta;
  const people = readById(context);
  if (changesSuffice && (aheadOfWatermark ?? "") !== "") {
    context.log.info({}, "a person was read outside a complete round of changes; reading everyone");
  } else if (changesSuffice && watermark !== undefined) {
    try {
      const pages = context.source.readChanges(watermark, context.signal);
      const read = await readInto(context, pages, people);
      for (const objectId of parseUnread(meta)) {
        if (people.asked.has(objectId)) continue;
        const known = await context.store.findSource(objectId);
        if (known === null) await readOnceMore(context, people, objectId);
        else await readMissing(context, people, known);
      }
      await keepWatermark(context, read.watermark, people);
      return { full: false, empty: false };
    } catch (error) {
      if (!(error instanceof WatermarkExpiredError)) throw error;
      context.log.warn({ reason: error.message }, "Entra no longer accepts the watermark; reading everyone");
    }
  }
  const left = new Map<string, number>();
  const read = await readInto(context, context.source.readAll(context.signal), people, left);
  // A directory is never empty: a user registered this application. Such an answer changes nothing in the store.
  if (read.people === 0 && (await context.store.totals()).sourceUsers > 0) return { full: true, empty: true };
  await confirmMissingPeople(context, people);
  await keepNotes(context, { notShown: await notShownNote(context, left, read.people) });
  await keepWatermark(context, read.watermark, people);
  return { full: true, empty: false };
}

/**
 * Reads what changed since the watermark, between two cycles, and moves the watermark for both. No person is asked for a second time
 * whom an earlier read left open, and the next read is of everyone if it would have been without this one.
 * @param dueOf called when everything is read, with the people whom it shows as disabled or deleted
 * @returns the people of whom `dueOf` says that they are due; they are stored with the watermark
 * @throws WatermarkExpiredError, ConfigurationError, HostUnavailableError
 */
export async function ingestBetweenCycles(
  context: CycleContext,
  { watermark = "", aheadOfWatermark = "", ...meta }: Partial<Meta>,
  dueOf: (leavers: ReadonlySet<string>) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const people = readById(context);
  const leavers = new Set<string>();
  const changes = context.source.readChanges(watermark, context.signal);
  const read = await readInto(context, noting(changes, leavers), people);
  const due = await dueOf(leavers);
  const open = parseUnread(meta).filter((objectId) => !people.asked.has(objectId));
  await keepWatermark(context, read.watermark, people, {
    aheadOfWatermark,
    leaversDue: due.length === 0 ? "" : JSON.stringify(due),
    unreadPeople: unreadText({ unread: new Map([...open.map((id) => [id, ""] as const), ...people.unread]) }),
  });
  return due;
}

/** Passes pages on, and notes whom they show as disabled or deleted. */
async function* noting(
  pages: ReturnType<CycleContext["source"]["readChanges"]>,
  leavers: Set<string>,
): ReturnType<CycleContext["source"]["readChanges"]> {
  try {
    for (let page = await pages.next(); ; page = await pages.next()) {
      if (page.done === true) return page.value;
      for (const item of page.value) if (showsLeaver(item)) leavers.add(item.objectId);
      yield page.value;
    }
  } finally {
    await pages.return({ watermark: "" });
  }
}

function showsLeaver(item: SourceChange): boolean {
  return item.kind === "removed" || item.attributes.accountEnabled === false;
}

async function readInto(
  context: CycleContext,
  pages: AsyncGenerator<readonly SourceChange[], { readonly watermark: string }>,
  byId: PeopleById,
  left: Map<string, number> = new Map(),
): Promise<{ readonly watermark: string; readonly people: number }> {
  let done = 0;
  try {
    for (let page = await pages.next(); ; page = await pages.next()) {
      if (page.done === true) return { watermark: page.value.watermark, people: done };
      for (const part of slices(page.value)) {
        const { readAgain, kept, unshown } = await keepPeople(context, part);
        for (const [name, people] of [...kept, ...unshown]) left.set(name, people + (left.get(name) ?? 0));
        for (const objectId of readAgain) await readOnceMore(context, byId, objectId);
        await context.clock.sleep(0, context.signal);
      }
      done += page.value.length;
      context.onProgress?.({ phase: "reading Entra", done, total: null });
    }
  } finally {
    // If a page could not be saved, the page that is read ahead is not awaited.
    await pages.return({ watermark: "" });
  }
}

function* slices(page: readonly SourceChange[]): Generator<readonly SourceChange[]> {
  for (let from = 0; from < page.length; from += sliceSize) yield page.slice(from, from + sliceSize);
}

/**
 * The requested properties that Entra did not show for some or all people, in a sentence; empty if it showed everything.
 * @param left the number of people by property
 */
async function notShownNote(
  { source, signal }: CycleContext,
  left: ReadonlyMap<string, number>,
  people: number,
): Promise<string> {
  if (left.size === 0) return "";
  const list = [...left].map(([name, count]) => `${name} (${count} of ${people} people)`).join(", ");
  const permissions = await source.readPermissions(signal);
  const allowed =
    permissions === null
      ? "Check the application's permissions"
      : `The token's permissions are ${permissions.length === 0 ? "none" : permissions.join(", ")}; it needs User.Read.All`;
  return `Entra did not show ${list}. The last known values are kept, and nothing is created, reactivated, deactivated or cleared because of this. ${allowed}.`;
}

/**
 * Reads a person by id about whom a list of changes said too little, for example one restored from the bin: such an item does
 * not show that the manager is gone. If the person is not found, nothing is concluded; the next changes say what happened.
 */
async function readOnceMore(context: CycleContext, byId: PeopleById, objectId: string): Promise<void> {
  const found = await byId.read(objectId);
  if (found !== null && found !== "unread") await savePerson(context, found);
}

async function keepWatermark(
  context: CycleContext,
  watermark: string,
  byId: PeopleById,
  otherwise: Partial<Meta> = {},
): Promise<void> {
  const note = unreadNote(byId);
  if (note !== null) context.notes.push(note);
  await keepNotes(context, {
    watermark,
    unreadPeople: unreadText(byId),
    aheadOfWatermark: "",
    watermarkAt: String(context.clock.now()),
    tenantId: context.settings.tenantId,
    ...otherwise,
  });
}

/**
 * Asks by id for the people whom the listing did not show. A missing entry in a listing is not evidence: only a 404 means
 * that a person is gone, and a person who was gone may be back.
 */
async function confirmMissingPeople(context: CycleContext, byId: PeopleById): Promise<void> {
  for await (const page of unreadPeople(context)) {
    for (const person of page.filter(mayStillBeThere)) await readMissing(context, byId, person);
  }
  const decisions = (await context.store.linkDecisions()).filter(({ what }) => what === "linked");
  const toLink = new Set(decisions.map(({ objectId }) => objectId));
  for await (const page of unreadPeople(context)) {
    const forgotten = page.filter((person) => isForgotten(person) && !toLink.has(person.objectId));
    if (forgotten.length === 0) continue;
    const change = {
      forgotten: forgotten.map(({ objectId }) => objectId),
      failures: forgotten.flatMap(({ retry }) => (retry === null ? [] : [failsNoMore(retry)])),
      marks: keysTouched(forgotten),
    };
    await context.store.commit(change, context.fence);
  }
}

/** People whom this cycle has not read yet, in pages. */
async function* unreadPeople({
  store,
  cycleId,
}: CycleContext): AsyncGenerator<readonly UnreadPerson[], void, void> {
  for (let after = ""; ; ) {
    const page = await store.unreadPeople(cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.objectId;
  }
}

/**
 * A person who has, had, or may have an account is asked for by id. A person known to be gone is asked for only if the
 * account is active: the person may have come back.
 */
function mayStillBeThere({ presence, account, lostLink, unconfirmed }: UnreadPerson): boolean {
  if (account?.active === true) return true;
  return presence === "present" && (account !== null || lostLink || unconfirmed);
}

/** `true` if the person has no account, never lost one, and no write in doubt may have made one. One whom a person wants linked is kept, too. */
function isForgotten({ account, lostLink, unconfirmed }: UnreadPerson): boolean {
  return account === null && !lostLink && !unconfirmed;
}

/** Asks for one person who should have been in a list, or could not be read before. */
async function readMissing(
  context: CycleContext,
  byId: PeopleById,
  { objectId, presence }: Pick<SourceUser, "objectId" | "presence">,
): Promise<void> {
  const found = await byId.read(objectId);
  if (found === "unread") return;
  // A 404 says nothing new about a person who was in the bin.
  if (found === null && presence !== "present") return;
  await savePerson(context, found ?? { kind: "removed", objectId, presence: "deleted" });
}

/** Saves one person as read. */
export async function savePerson(context: CycleContext, change: SourceChange): Promise<void> {
  await keepPeople(context, [change]);
}

/** If a person is mapped from the manager's attributes, reads the manager too; a 404 leads to no conclusion. */
export async function readManager(context: CycleContext, objectId: string): Promise<void> {
  const managerId = (await context.store.findSource(objectId))?.managerId ?? null;
  if (managerId === null || context.settings.mapping.ofManager.length === 0) return;
  const manager = await context.source.readUser(managerId, context.signal);
  if (manager !== null) await savePerson(context, manager);
}
