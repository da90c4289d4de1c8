import { ConfigurationError, ListingIncompleteError } from "../../domain/errors.ts";
import type { UnreadAccount } from "../../domain/state/accounts.ts";
import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import { forgetAccounts, keepAccounts } from "./keep-accounts.ts";
import { strangeCompany } from "./missing.ts";
import { askFor, dissolve, noteAbsence } from "./missing-accounts.ts";

const pageSize = 500;

/**
 * Reads every Lattice account into the store. A listing that contradicts itself does not count. With the setting `tolerant`
 * it does, but no account is forgotten because of it, and the store records that it was incomplete.
 * @throws ConfigurationError if the accounts belong to another company; HostUnavailableError
 */
export async function ingestTarget(context: CycleContext): Promise<void> {
  const { target, signal, settings, notes, log } = context;
  let done = 0;
  let fault = "";
  try {
    for await (const page of target.list(signal)) {
      await keepAccounts(context, page);
      done += page.length;
      context.onProgress?.({ phase: "reading Lattice", done, total: null });
    }
  } catch (error) {
    if (!(error instanceof ListingIncompleteError) || settings.listing === "strict") throw error;
    fault = error.message;
    notes.push(
      `${fault} (lattice.listing: tolerant) Before an account is created, Lattice is searched for the person.`,
    );
    log.warn({ accounts: done, error: fault }, "Lattice's list of accounts is incomplete");
  }
  await confirmMissingAccounts(context, done > 0);
  if (fault === "") await forgetMissing(context);
  await keepNotes(context, { targetListedAt: String(context.clock.now()), listingFault: fault });
}

/**
 * Asks by id for each linked account that the listing did not show, because a missing entry in a listing is not evidence.
 * @param othersListed whether the listing showed any account
 */
async function confirmMissingAccounts(context: CycleContext, othersListed: boolean): Promise<void> {
  const { store, settings } = context;
  const missing = await missingLinks(context);
  const linked = await store.countLinked();
  let found = linked - missing.length;
  const unknown: string[] = [];
  for (const { latticeId, objectId } of missing) {
    const account = await askFor(context, objectId, latticeId);
    // An account that cannot be read stays as it is stored.
    if (account === "unreadable") continue;
    if (account === null) {
      unknown.push(latticeId);
      // If Lattice knows none of the accounts, there is no need to ask for the rest.
      const strange = strangeCompany({ linked, found, unknown: unknown.length }, settings.guard);
      if (found === 0 && strange !== null) throw new ConfigurationError(strange);
    } else {
      found += 1;
      await keepAccounts(context, [account]);
    }
  }
  const strange = strangeCompany({ linked, found, unknown: unknown.length }, settings.guard);
  if (strange !== null) throw new ConfigurationError(strange);
  const gone: string[] = [];
  for (const latticeId of unknown) {
    const { absence } = await noteAbsence(context, latticeId, async () => othersListed);
    if (absence === "gone") gone.push(latticeId);
  }
  await dissolve(context, gone);
}

async function missingLinks(context: CycleContext) {
  const links: { readonly latticeId: string; readonly objectId: string }[] = [];
  for await (const page of unreadAccounts(context)) {
    for (const { latticeId, objectId } of page) if (objectId !== null) links.push({ latticeId, objectId });
  }
  return links;
}

/** Forgets accounts of no person that a complete listing did not show. */
async function forgetMissing(context: CycleContext): Promise<void> {
  for await (const page of unreadAccounts(context)) {
    await forgetAccounts(
      context,
      page.filter(({ objectId }) => objectId === null),
    );
  }
}

/** Accounts that this cycle has not read, in pages. */
async function* unreadAccounts({
  store,
  cycleId,
}: CycleContext): AsyncGenerator<readonly UnreadAccount[], void, void> {
  for (let after = ""; ; ) {
    const page = await store.unreadAccounts(cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.latticeId;
  }
}
