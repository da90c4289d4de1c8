import { linkDecisionText } from "../../domain/link-decision.ts";
import { timeText } from "../../domain/sentence.ts";
import type {
  AccountPerson,
  AccountReport,
  PeopleQuery,
  ReportedAccount,
  StateCount,
} from "../../domain/state/account-report.ts";
import type { LinkDecisions } from "../../domain/state/link-decisions.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { Protections } from "../../domain/state/protections.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";
import { alwaysRead } from "../../mapping/rules/source-attributes.ts";
import { type ProtectedAccounts, protectorOf, protectorText } from "../operations/protected-account.ts";
import { type AccountDecisions, withDecisions } from "../planning/decisions.ts";
import { isInScope } from "../planning/in-scope.ts";
import { seenEvents } from "../planning/leaving.ts";
import { type AccountProtection, accountProtection } from "./account-protection.ts";
import type { ExplainSettings } from "./explain-settings.ts";

/**
 * Whose an account is: linked to a person who is in scope and enabled; linked to a person who has left (disabled, deleted, out
 * of scope, or no longer known); not linked although the directory has a user whose it may be; or nobody's.
 */
export const accountKinds = ["linked", "left", "unlinked", "nobodys"] as const;
export type AccountKind = (typeof accountKinds)[number];

/** Accounts by kind and state. One that does not show whether it is active counts as active. */
export type KindCounts = { readonly [K in AccountKind]: StateCount };

/** The counts that the last cycle left; `null` before the first one that was complete. */
export function parseKindCounts({ accountCounts = "" }: Partial<Meta>): KindCounts | null {
  // Only this program writes it.
  return accountCounts === "" ? null : (JSON.parse(accountCounts) as KindCounts);
}

/** An account with whose it is, and why it is as it is. */
export interface AccountedFor {
  readonly latticeId: string;
  readonly userName: string;
  readonly kind: AccountKind;
  /** `null` if Lattice does not show it. */
  readonly active: boolean | null;
  /** Why the account is of this kind, and what keeps it as it is; `null` for a linked account with nothing to say. */
  readonly reason: string | null;
  /** The person, or the first of those whose it may be; `null` for nobody's. */
  readonly objectId: string | null;
  readonly userPrincipalName: string | null;
  readonly externalId: string | null;
  readonly department: string | null;
  /** It is never linked nor written: the configuration (`matching.protected`) or a person protects it. */
  readonly protected: boolean;
  /** The configuration or the person that protects it; `null` if it is not protected. */
  readonly protection: AccountProtection | null;
  /** Since when it has not been found in Lattice, milliseconds since the epoch; `null` if it is found. */
  readonly missingSince: number | null;
  /** When this program last wrote the account, as far as the log goes back; milliseconds since the epoch. */
  readonly changedAt: number | null;
}

type Settings = Pick<ExplainSettings, "mapping" | "scope"> & ProtectedAccounts;

/** Accounts in one statement. */
const pageSize = 10_000;
/** People who are in memory together: some 45 MB for 100,000. Others are looked up with the page of their account. */
const mostInMemory = 200_000;

/**
 * All accounts as last read, by Lattice id, each with whose it is, a page at a time.
 * @param query `department`: the target attribute (path) that holds the department; `null` if it is not to be shown.
 * `now`: milliseconds since the epoch
 */
export async function* accountsOf(
  store: AccountReport & Protections & LinkDecisions,
  given: Pick<Settings, "mapping" | "protectedAccounts" | "scope">,
  query: { readonly department: string | null; readonly now: number; readonly signal: AbortSignal },
): AsyncGenerator<readonly AccountedFor[]> {
  const settings = await withDecisions(given, store);
  const { department, now, signal } = query;
  const asked = neededOfPeople(settings);
  const [people, writes] = await Promise.all([
    store.linkedPeople({ ...asked, limit: mostInMemory }),
    store.lastWrites("everybody"),
  ]);
  const read = (after: string) => {
    const page = store.reportedAccounts({ ...asked, people, department, after, limit: pageSize });
    // Awaited below; an error before that is no unhandled one.
    page.catch(() => {});
    return page;
  };
  // The store looks for the next page while this one is written.
  for (let next = read(""); ; ) {
    signal.throwIfAborted();
    const page = await next;
    const last = page.at(-1);
    if (last === undefined) return;
    next = read(last.latticeId);
    // Until then the question has not been sent.
    await new Promise(setImmediate);
    yield page.map((account) => accountFor(account, settings, writes, now));
  }
}

/** The data of people that is needed to say whose an account is. */
function neededOfPeople({ scope, mapping }: Pick<Settings, "mapping" | "scope">): PeopleQuery {
  const properties = new Set([...alwaysRead, ...mapping.filters.properties]);
  // A person has these without asking for them.
  for (const known of ["id", "manager"]) properties.delete(known);
  return { everyoneInScope: scope.mode === "all", properties: [...properties] };
}

/** The most accounts that are looked at for one page of those that are asked for. */
const mostLookedAt = 20_000;

/**
 * Some of the accounts, by Lattice id.
 * @param query `kinds`: only these; all if absent. `activeOnly` leaves out accounts that are known to be inactive. The rest as of `accountsOf`
 * @returns `after`: where the next page begins; `null` at the end. A page may be shorter than `limit`, or empty, and not the last
 */
export async function accountsPage(
  store: AccountReport & Protections & LinkDecisions,
  given: Pick<Settings, "mapping" | "protectedAccounts" | "scope">,
  query: {
    readonly kinds?: readonly AccountKind[] | undefined;
    readonly activeOnly: boolean;
    readonly department: string | null;
    readonly now: number;
    readonly after: string;
    readonly limit: number;
  },
): Promise<{ readonly accounts: readonly AccountedFor[]; readonly after: string | null }> {
  const settings = await withDecisions(given, store);
  const { kinds, activeOnly, department, now, limit } = query;
  const accounts: AccountedFor[] = [];
  let { after } = query;
  for (let lookedAt = 0; lookedAt < mostLookedAt; ) {
    const page = await store.reportedAccounts({
      ...neededOfPeople(settings),
      department,
      after,
      limit: apiPageSize,
    });
    if (page.length === 0) return { accounts, after: null };
    lookedAt += page.length;
    const writes = await store.lastWrites(page.flatMap(({ linkedTo }) => linkedTo ?? []));
    for (const account of page) {
      after = account.latticeId;
      const shown = accountFor(account, settings, writes, now);
      if (kinds !== undefined && !kinds.includes(shown.kind)) continue;
      if (activeOnly && shown.active === false) continue;
      accounts.push(shown);
      if (accounts.length === limit) return { accounts, after };
    }
  }
  return { accounts, after };
}

/** Accounts in one statement of such a page. */
const apiPageSize = 1_000;

/** Says whose one account is. @param writes when a write was last done for each person */
function accountFor(
  account: ReportedAccount,
  settings: Settings & Pick<AccountDecisions, "promised">,
  writes: ReadonlyMap<string, number>,
  now: number,
): AccountedFor {
  const { latticeId, userName, externalId, active, department, missingSince, linkedTo } = account;
  const { kind, person, reason } = whose(account, settings, now);
  const protector = protectorOf(account, settings);
  return {
    latticeId,
    userName,
    kind,
    active,
    reason:
      protector === null
        ? reason
        : joined(reason, `${protectorText(protector)}: it is neither linked nor changed`),
    objectId: person?.source.objectId ?? linkedTo ?? null,
    userPrincipalName: nameOf(person),
    externalId,
    department,
    protected: protector !== null,
    protection: protector === null ? null : accountProtection(protector),
    missingSince,
    changedAt: linkedTo === null ? null : (writes.get(linkedTo) ?? null),
  };
}

interface Verdict {
  readonly kind: AccountKind;
  readonly person: AccountPerson | undefined;
  readonly reason: string | null;
}

function whose(
  account: ReportedAccount,
  { mapping, promised }: Pick<Settings, "mapping"> & Pick<AccountDecisions, "promised">,
  now: number,
): Verdict {
  const [person] = account.people;
  if (account.linkedTo !== null) {
    if (person === undefined) {
      return { kind: "left", person, reason: "its person is not among the last known data of Entra" };
    }
    const seen = leftBecause(person, mapping, now);
    if (seen === null) return { kind: "linked", person, reason: standing(person) };
    // An inactive account is as it should be: only an active one needs a reason.
    if (account.active === false) return { kind: "left", person, reason: seen };
    return { kind: "left", person, reason: joined(seen, standing(person) ?? nextCycle) };
  }
  if (isNobodys(account)) {
    const before = account.people.slice(0, mostPeople).map(formerBecause);
    return {
      kind: "nobodys",
      person: undefined,
      reason: ["no user of the directory has it", ...before].join("; "),
    };
  }
  const decision = promised.get(account.latticeId);
  const decided = account.people.find(({ source }) => source.objectId === decision?.objectId);
  if (decision === undefined || decided === undefined) {
    return { kind: "unlinked", person, reason: unlinkedBecause(account, mapping, now) };
  }
  const linked = `${linkDecisionText(decision)} to ${nameOf(decided) ?? decision.objectId}`;
  // The standing of a person who is planned again may be from before the decision.
  const why = decided.marked ? inNextPlan : (standing(decided) ?? nextCycle);
  return { kind: "unlinked", person: decided, reason: joined(linked, why) };
}

/**
 * `true` if an account without a link is nobody's: each of its people is known as a former owner only. `AccountReport.accountCounts`
 * counts so too.
 */
export function isNobodys({ people }: Pick<ReportedAccount, "people">): boolean {
  return people.every(isOnlyFormer);
}

/**
 * The person had the account before, and has another one now or is deleted for good. No plan links them again: that needs the
 * externalId of that time (`returnedAccount`).
 */
function isOnlyFormer({ former, latticeId, source }: AccountPerson): boolean {
  return former && (latticeId !== null || source.presence === "deleted");
}

function formerBecause(person: AccountPerson): string {
  const now = person.latticeId === null ? "is deleted from Entra" : `has the account ${person.latticeId} now`;
  return `${nameOf(person) ?? person.source.objectId} had it before and ${now}`;
}

const inNextPlan = "in the plan of the next cycle";
const nextCycle = "no plan has dealt with it yet: the next cycle does";

function unlinkedBecause({ people }: ReportedAccount, mapping: Mapping, now: number): string {
  const reasons = people.slice(0, mostPeople).map((person) => {
    const why =
      person.latticeId === null
        ? (standing(person) ?? outsideBecause(person, mapping, now) ?? nextCycle)
        : `has the account ${person.latticeId}`;
    return `${nameOf(person) ?? person.source.objectId}: ${why}`;
  });
  const more = people.length - reasons.length;
  return [...reasons, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** People named with one account. */
const mostPeople = 3;

/** Why the person is to have no active account, as last read; `null` if the person is to have one. */
function leftBecause(person: AccountPerson, mapping: Mapping, now: number): string | null {
  const seen = seenEvents({ candidate: person, mapped: scopeOf(person, mapping, now), now });
  return seen.length === 0 ? null : seen.map(({ evidence }) => evidence.detail).join("; ");
}

/** Why nothing is matched for a person without an account. */
function outsideBecause(person: AccountPerson, mapping: Mapping, now: number): string | null {
  if (person.source.presence === "present" && !person.member) return "not a member of the scope";
  if (isInScope(person, scopeOf(person, mapping, now))) {
    return person.source.attributes.accountEnabled === false ? "account disabled in Entra" : null;
  }
  return leftBecause(person, mapping, now);
}

function scopeOf({ source, groups }: AccountPerson, mapping: Mapping, now: number) {
  const { rejection, decidedBy } = mapping.filters.judge(source, { now, groups });
  return { filteredOut: rejection, excluded: decidedBy === "exclude" };
}

/** The person's standing after the last cycle, in words; `null` if nothing is open. */
function standing({ skip, held, retry, marked }: AccountPerson): string | null {
  if (held !== null) return `held by the guard: ${held}`;
  if (retry !== null) {
    return `failed (${retry.code}): ${retry.message}; tried again from ${timeText(retry.nextTryAt)}`;
  }
  if (skip !== null) return `skipped (${skip.code}): ${skip.reason}`;
  return marked ? inNextPlan : null;
}

function nameOf(person: AccountPerson | undefined): string | null {
  const name = person?.source.attributes.userPrincipalName;
  return typeof name === "string" ? name : null;
}

function joined(first: string | null, second: string): string {
  return first === null ? second : `${first}; ${second}`;
}
