import { ConfigurationError } from "../../domain/errors.ts";
import { count } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { AccountElsewhere } from "../../domain/state/other-jobs.ts";
import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import { askFor } from "./missing-accounts.ts";

/** Ids of accounts that are looked up at a time. */
const atATime = 500;
/** Other jobs for which Lattice is asked, one request each. */
const mostAskedFor = 20;

/**
 * Refuses to write to a Lattice company to which another job writes, by another API key: each would undo what the other has done. Two jobs that
 * may share a company, because their settings say so, are not compared.
 *
 * Asked for in each cycle that compares everything, in a first run, and once after it.
 * @throws ConfigurationError that names both jobs
 */
export async function refuseSharedCompany(context: CycleContext, meta: Partial<Meta>): Promise<void> {
  const { neighbours, store, firstRun, kind, clock } = context;
  if (neighbours === undefined) return;
  if (kind === "incremental" && !firstRun && meta.companyAloneAt !== undefined) return;
  const elsewhere = await neighbours.accounts();
  const { linked } = await store.totals();
  const seen = await knownHere(context, elsewhere);
  // Without a list this job may know none of the company's accounts yet.
  const known =
    linked > 0 || context.listed ? seen : [...seen, ...(await foundThere(context, elsewhere, seen))];
  const [other, ...more] = jobsInTheWay(known, linked);
  if (other === undefined) {
    if (!firstRun) await keepNotes(context, { companyAloneAt: String(clock.now()) });
    return;
  }
  const others = more.length === 0 ? "" : ` (and so ${more.length === 1 ? "does" : "do"} ${more.join(", ")})`;
  throw new ConfigurationError(
    `the jobs ${neighbours.self} and ${other} write to the same Lattice company by different API keys${others}: ${count(known.filter(({ job }) => job === other).length, "account is", "accounts are")} known to both, of a few that were compared. Nothing was sent: ${neighbours.adviceFor(other)}`,
  );
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
  context: CycleContext,
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
    const answer = await askFor(context, account.latticeId, account.latticeId);
    if (answer !== null && answer !== "unreadable") found.push(account);
  }
  return found;
}

/** Those that this job knows too, and that Lattice has shown. */
async function knownHere(
  { store }: CycleContext,
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
