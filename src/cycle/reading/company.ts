import { randomUUID } from "node:crypto";
import { ConfigurationError } from "../../domain/errors.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import type { CycleSettings } from "../ports/settings.ts";
import { strangeCompanyText } from "./missing.ts";
import { askFor } from "./missing-accounts.ts";

/** The address with which the target was last reached, and a digest of the key that does not reveal it. */
interface KnownTarget {
  readonly url: string;
  readonly salt: string;
  readonly key: string;
}

/** At a new address, or with a new key, Lattice must know one of this many accounts. */
const witnesses = 5;

/** `true` if the target is reached with the same address and key as before. @param known `null` the first time */
function isReachedAsBefore(
  known: KnownTarget | null,
  { url, keyDigest }: CycleSettings["targetIdentity"],
): boolean {
  return known !== null && known.url === url && known.key === keyDigest(known.salt);
}

/**
 * If the key or the address is new, asks for linked accounts until one is found. A new key or address may belong to another
 * company, where every linked account is unknown and every person would get a new account.
 * @throws ConfigurationError if none is known there; HostUnavailableError
 */
export async function confirmCompany(context: CycleContext, meta: Partial<Meta>): Promise<void> {
  const { store, settings } = context;
  const identity = settings.targetIdentity;
  // Only this program writes it.
  const known = meta.knownTarget === undefined ? null : (JSON.parse(meta.knownTarget) as KnownTarget);
  if (isReachedAsBefore(known, identity)) return;
  const linked = await store.countLinked();
  if (linked > 0 && !(await isKnownThere(context, linked))) return;
  const salt = randomUUID();
  const next: KnownTarget = { url: identity.url, salt, key: identity.keyDigest(salt) };
  await keepNotes(context, { knownTarget: JSON.stringify(next) });
}

/** @returns `false` if it is not known, because none of the accounts can be read */
async function isKnownThere(context: CycleContext, linked: number): Promise<boolean> {
  let unknown = 0;
  for (const latticeId of await context.store.otherAccounts("", Math.min(witnesses, linked))) {
    const found = await askFor(context, latticeId, latticeId);
    if (found === null) unknown += 1;
    else if (found !== "unreadable") return true;
  }
  if (unknown === 0) return false;
  const seen = `${unknown === 1 ? "the one that was tried is" : `all ${unknown} that were tried are`} unknown there, and the API key or the URL is new`;
  throw new ConfigurationError(strangeCompanyText(seen, linked));
}
