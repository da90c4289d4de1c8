import { ConfigurationError } from "../../domain/errors.ts";
import { count } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { AccountElsewhere } from "../../domain/state/other-jobs.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { CycleContext } from "../context/context.ts";
import { keepNotes, type Neighbours } from "../ports/ports.ts";
import { askFor } from "./missing-accounts.ts";

/** Ids of accounts that are looked up at a time. */
const atATime = 500;
/** Other jobs for which Lattice is asked, one request each. */
const mostAskedFor = 20;

/**
 * Refuses to write to a Lattice company to which another job writes, by another API key: each would undo what the other has done. Two jobs that
 * may share a company, because their settings say so, are not compared.
 *
 * Asked for in each cycle that compares everything, in a first run, and once after it; and before anything is sent between two cycles, for
 * single people, or to take a cycle back.
 * @throws ConfigurationError that names both jobs
 */
export async function refuseSharedCompany(context: CycleContext, meta: Partial<Meta>): Promise<void> {
  const { neighbours, firstRun, kind, clock, listed } = context;
  if (neighbours === undefined) return;
  if (kind === "incremental" && !firstRun && isAlone(meta)) return;
  const shared = await sharedCompany(context.store, neighbours, {
    listed,
    isThere: async (latticeId) => {
      const answer = await askFor(context, latticeId, latticeId);
      return answer !== null && answer !== "unreadable";
    },
  });
  if (shared === null) {
    if (!firstRun) await keepNotes(context, { companyAloneAt: String(clock.now()) });
    return;
  }
  // The next cycle compares again, whichever kind it is, until nothing is shared any more.
  if (isAlone(meta)) await keepNotes(context, { companyAloneAt: "" });
  throw new ConfigurationError(`${shared.fact}. Nothing was sent: ${shared.advice}`);
}

function isAlone({ companyAloneAt = "" }: Partial<Meta>): boolean {
  return companyAloneAt !== "";
}

/** A Lattice company to which other jobs write too, in words without a full stop. */
export interface SharedCompany {
  /** Which jobs they are. */
  readonly fact: string;
  readonly advice: string;
}

/**
 * Finds out whether other jobs write to the Lattice company of this one. Writes nothing.
 * @param store `null`: this job has no state yet
 * @param lattice `listed`: the store knows all accounts; `isThere` asks Lattice for one of them
 * @returns `null` if none is known to do so
 */
export async function sharedCompany(
  store: Pick<StateStore, "accountRows" | "countLinked"> | null,
  neighbours: Neighbours,
  lattice: { readonly listed: boolean; readonly isThere: (latticeId: string) => Promise<boolean> },
): Promise<SharedCompany | null> {
  const elsewhere = await neighbours.accounts();
  const linked = store === null ? 0 : await store.countLinked();
  const seen = store === null ? [] : await knownHere(store, elsewhere);
  // Without a list this job may know none of the company's accounts yet.
  const known =
    linked > 0 || lattice.listed ? seen : [...seen, ...(await foundThere(lattice, elsewhere, seen))];
  const [other, ...more] = jobsInTheWay(known, linked);
  if (other === undefined) return null;
  const others = more.length === 0 ? "" : ` (and so ${more.length === 1 ? "does" : "do"} ${more.join(", ")})`;
  return {
    fact: `the jobs ${neighbours.self} and ${other} write to the same Lattice company by different API keys${others}: ${count(known.filter(({ job }) => job === other).length, "account is", "accounts are")} known to both, of a few that were compared`,
    advice: neighbours.adviceFor(other),
  };
}

/**
 * The jobs that have the company, or may get it. One that has accounts of its own here is not stopped by a job that has only seen them:
 * that other job is the one to stop.
 * @param known accounts of other jobs that this one knows as well
 * @param linked how many accounts this job has linked
 */
export function jobsInTheWay(known: readonly AccountElsewhere[], linked: number): readonly string[] {
  return [...new Set(known.filter((account) => account.linked || linked === 0).map(({ job }) => job))];
}

/** Asks Lattice for an account of each job of which none is known here. */
async function foundThere(
  { isThere }: { readonly isThere: (latticeId: string) => Promise<boolean> },
  accounts: readonly AccountElsewhere[],
  seen: readonly AccountElsewhere[],
): Promise<readonly AccountElsewhere[]> {
  const seenOf = new Set(seen.map(({ job }) => job));
  const witnesses = new Map<string, AccountElsewhere>();
  for (const account of accounts) {
    if (!seenOf.has(account.job) && !witnesses.has(account.job)) witnesses.set(account.job, account);
  }
  const found: AccountElsewhere[] = [];
  for (const account of [...witnesses.values()].slice(0, mostAskedFor)) {
    if (await isThere(account.latticeId)) found.push(account);
  }
  return found;
}

/** Those that this job knows too, and that Lattice has shown. */
async function knownHere(
  store: Pick<StateStore, "accountRows">,
  accounts: readonly AccountElsewhere[],
): Promise<readonly AccountElsewhere[]> {
  const here = new Set<string>();
  const ids = [...new Set(accounts.map(({ latticeId }) => latticeId))];
  for (let from = 0; from < ids.length; from += atATime) {
    const rows = await store.accountRows({ latticeIds: ids.slice(from, from + atATime), objectIds: [] });
    for (const { latticeId, missingSince } of rows) if (missingSince === null) here.add(latticeId);
  }
  return accounts.filter(({ latticeId }) => here.has(latticeId));
}
