import { ConfigurationError, ListingIncompleteError } from "../../domain/errors.ts";
import type { CycleContext } from "../context.ts";
import { strangeCompany } from "./missing.ts";
import { askFor, dissolve, noteAbsence } from "./missing-accounts.ts";

const pageSize = 500;

/**
 * Reads every Lattice account into the target picture. A listing that contradicts itself is no listing, unless the setting
 * is `tolerant`: then nobody is forgotten because of it, and it is remembered that it did not show everybody.
 * @throws ConfigurationError where the accounts there are another company's; HostUnavailableError
 */
export async function ingestTarget(context: CycleContext): Promise<void> {
  const { store, target, cycleId, signal, settings, notes, log } = context;
  let done = 0;
  let fault = "";
  try {
    for await (const page of target.list(signal)) {
      await store.saveTargets(page, cycleId);
      done += page.length;
      context.onProgress?.({ phase: "reading Lattice", done, total: null });
    }
  } catch (error) {
    if (!(error instanceof ListingIncompleteError) || settings.listing === "strict") throw error;
    fault = error.message;
    notes.push(`${fault} (lattice.listing: tolerant) Whoever is to get an account is searched for first.`);
    log.warn({ accounts: done, error: fault }, "Lattice's listing does not show everybody");
  }
  await confirmMissing(context, done > 0);
  if (fault === "") await store.forgetTargetsMissing(cycleId);
  await store.putMeta({ targetListedAt: String(context.clock.now()), listingFault: fault });
}

/**
 * "Was not in the list" is no evidence: each linked account that was not is asked for by id.
 * @param othersListed whether the listing had anybody
 */
async function confirmMissing(context: CycleContext, othersListed: boolean): Promise<void> {
  const { store, cycleId, settings } = context;
  const missing = await missingLinks(context);
  const { linked } = await store.totals();
  let found = linked - missing.length;
  const unknown: string[] = [];
  for (const { latticeId, objectId } of missing) {
    const account = await askFor(context, objectId, latticeId);
    // What cannot be read stays as it was known.
    if (account === "unreadable") continue;
    if (account === null) {
      unknown.push(latticeId);
      // Where nobody at all is known, asking for the rest of a company would say nothing more.
      const strange = strangeCompany({ linked, found, unknown: unknown.length }, settings.guard);
      if (found === 0 && strange !== null) throw new ConfigurationError(strange);
    } else {
      found += 1;
      await store.saveTargets([account], cycleId);
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

async function missingLinks({ store, cycleId }: CycleContext) {
  const links: { readonly latticeId: string; readonly objectId: string }[] = [];
  for (;;) {
    const page = await store.targetsMissing(cycleId, links.at(-1)?.latticeId ?? "", pageSize);
    if (page.length === 0) return links;
    links.push(...page);
  }
}
