import { distance } from "fastest-levenshtein";
import type { Actor } from "../../domain/actor.ts";
import { UsageError } from "../../domain/errors.ts";
import type { StateEvent } from "../../domain/event.ts";
import { type Protection, protectionText } from "../../domain/protection.ts";
import { quotation } from "../../domain/quotation.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { visible } from "../../domain/visible.ts";
import { commandLine } from "../../process/command-name.ts";
import { type ProtectedAccounts, protectorOf } from "../operations/protected-account.ts";

/** A person's wish to protect an account, or to end its protection. */
export interface ProtectionOrder {
  /** Lattice id or userName. */
  readonly account: string;
  readonly by: Actor;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The account that an order was about, and what has come of it. */
export interface ProtectionOutcome {
  readonly latticeId: string;
  readonly userName: string;
  /** The result, in a sentence. */
  readonly text: string;
  /** The event that reports it; `null` if nothing has changed. */
  readonly event: StateEvent | null;
}

type Store = Pick<StateStore, "accountOf" | "matches" | "protections" | "unreadAccounts" | "addEvent">;

/**
 * Protects an account at once and without the lease: a cycle under way sends two more batches at most.
 * @param configured the accounts that the configuration protects
 * @throws UsageError if no such account is known, or if several have the userName
 */
export async function protectAccount(
  store: Store,
  { account: named, by, reason, at }: ProtectionOrder,
  configured: Pick<ProtectedAccounts, "protectedAccounts">,
): Promise<ProtectionOutcome> {
  const account = await accountNamed(store, named);
  const { latticeId, userName } = account;
  const protections = await store.protections();
  const known = new Map(protections.map((one) => [one.latticeId, one]));
  const protector = protectorOf(account, { ...configured, protections: known });
  const name = nameOf(account);
  if (protector !== null) {
    const text =
      protector === "configuration"
        ? `${name} is protected by the configuration (matching.protected) already. Nothing was changed.`
        : `${name} is ${protectionText(protector)} already. Nothing was changed.`;
    return { latticeId, userName, text, event: null };
  }
  const protection: Protection = { latticeId, userName, by, reason, at };
  const event = { kind: "accountProtected", latticeId, userName, by, reason } as const;
  await store.addEvent(event, { at, protections: { put: [protection] } });
  return {
    latticeId,
    userName,
    text: `${name} is protected from now on: nothing is sent to it, and it is linked to no one else.`,
    event,
  };
}

/**
 * Ends the protection of an account. The next cycle plans its person again.
 * @throws UsageError if no such account is known, or if the configuration protects it
 */
export async function unprotectAccount(
  store: Store,
  { account: named, by, reason, at }: ProtectionOrder,
  configured: Pick<ProtectedAccounts, "protectedAccounts">,
): Promise<ProtectionOutcome> {
  const protections = await store.protections();
  // The account may be gone from Lattice, or have another userName by now.
  const own = protections.find(({ latticeId }) => latticeId === named);
  const account = own ?? (await accountNamed(store, named, protections));
  const { latticeId, userName } = account;
  const name = nameOf(account);
  const protection = protections.find((one) => one.latticeId === latticeId);
  if (protection === undefined) {
    if (protectorOf(account, configured) !== null) {
      throw new UsageError(
        `${name} is protected by the configuration: remove it from matching.protected. Nothing was changed`,
      );
    }
    return { latticeId, userName, text: `${name} is not protected. Nothing was changed.`, event: null };
  }
  const event = {
    kind: "accountUnprotected",
    latticeId,
    userName,
    by,
    reason,
    since: protection.at,
  } as const;
  await store.addEvent(event, { at, protections: { drop: [latticeId] } });
  const still =
    protectorOf(account, configured) === null
      ? "the next cycle plans it again."
      : "the configuration (matching.protected) still protects it.";
  return { latticeId, userName, text: `${name} is no longer protected by a person: ${still}`, event };
}

function nameOf({ latticeId, userName }: Pick<Protection, "latticeId" | "userName">): string {
  return `The Lattice account ${visible(latticeId)} (${visible(userName)})`;
}

type Named = Pick<Protection, "latticeId" | "userName">;

/**
 * The account with this Lattice id, else the one with this userName, as last read.
 * @param protections accounts that count although they are no longer known
 * @throws UsageError
 */
async function accountNamed(
  store: Omit<Store, "addEvent">,
  named: string,
  protections: readonly Protection[] = [],
): Promise<Named> {
  const byId = await store.accountOf(named);
  if (byId !== null) return byId;
  const answers = await store.matches([{ objectId: "", userName: named, externalId: null, lost: [] }]);
  const found = answers.get("")?.byUserName ?? [];
  const [first, ...others] = found;
  if (others.length > 0) {
    const ids = found.map(({ latticeId }) => latticeId).join(", ");
    throw new UsageError(
      `several Lattice accounts have the userName ${quotation(visible(named))}: give the Lattice id (${ids}). Nothing was changed`,
    );
  }
  const before = protections.find(({ userName }) => userName.toLowerCase() === named.toLowerCase());
  const account = first ?? before;
  if (account !== undefined) return account;
  throw new UsageError(
    `no Lattice account with the id or userName ${quotation(visible(named))} is known${await nearest(store, named)}. Nothing was changed`,
  );
}

/** Accounts in one page while the nearest userName is looked for. */
const pageSize = 5_000;

/** A hint at the account whose userName is spelt most like the text, or at the command that lists all of them. */
async function nearest(store: Pick<Store, "unreadAccounts">, named: string): Promise<string> {
  let best = { userName: "", spelling: Number.POSITIVE_INFINITY };
  let any = false;
  for (let after = ""; ; ) {
    // No cycle has this number, so every account counts as not read in it.
    const page = await store.unreadAccounts(Number.MAX_SAFE_INTEGER, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) break;
    any = true;
    after = last.latticeId;
    for (const { userName } of page) {
      const spelling = misspelling(named, userName);
      if (spelling < best.spelling) best = { userName, spelling };
    }
  }
  if (!any)
    return ": no cycle has read the accounts yet (matching.protected protects one before the first cycle)";
  return best.userName === ""
    ? `: ${commandLine("accounts")} lists all of them`
    : `. The nearest userName is ${quotation(visible(best.userName))}`;
}

/** The most letters of a domain that may be wrong. */
const mostInDomain = 2;

/**
 * The number of letters by which the text differs from the userName; infinity if the userName is a different name. The part before
 * the `@` distinguishes the people of one domain, so at most a quarter of it may be wrong. If the text has no `@`, the domain does
 * not count.
 */
function misspelling(named: string, userName: string): number {
  const [wanted, given] = [parts(named), parts(userName)];
  const inName = distance(wanted.name, given.name);
  const inDomain = wanted.domain === "" ? 0 : distance(wanted.domain, given.domain);
  const isNear = inName <= wanted.name.length / 4 && inDomain <= mostInDomain;
  return isNear ? inName + inDomain : Number.POSITIVE_INFINITY;
}

function parts(userName: string): { readonly name: string; readonly domain: string } {
  const [, name = "", domain = ""] = /^(.*?)(?:@([^@]*))?$/s.exec(userName.toLowerCase()) ?? [];
  return { name, domain };
}
