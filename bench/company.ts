import { type Ends, startEnds } from "./ends/ends.ts";
import { type Program, program, type Ran } from "./program.ts";
import { sync } from "./sync.ts";

/** A directory and a Lattice that a first run has made equal, with the database that it left. */
export interface Company {
  readonly people: number;
  readonly ends: Ends;
  readonly program: Program;
  /** The first run, and the accounts that it made. */
  readonly firstRun: Ran;
  readonly accounts: number;
  /** One more cycle. @throws Error where it does not end with 0 */
  sync(...options: readonly string[]): Promise<Ran>;
}

const known = new Map<number, Promise<Company>>();

/** Of each size there is one, made when it is first asked for and left as it is for the next bench. */
export function linkedCompany(people: number, note: (text: string) => void): Promise<Company> {
  const made = known.get(people) ?? found(people, note);
  known.set(people, made);
  return made;
}

/** Ends the processes of all companies, and removes what they left. */
export async function closeCompanies(): Promise<void> {
  for (const company of await Promise.all(known.values())) {
    company.ends[Symbol.dispose]();
    company.program[Symbol.dispose]();
  }
  known.clear();
}

/**
 * Makes a company, for the caller to close.
 * @param state the configuration's section; default: a database file
 */
export async function found(people: number, note: (text: string) => void, state?: object): Promise<Company> {
  note(`a first run of ${people.toLocaleString("en")} people`);
  const ends = await startEnds({ people });
  const als = await program(state);
  const syncNow = (...options: readonly string[]): Promise<Ran> =>
    sync(als, ends, { maxConcurrency: 8, maxRequestsPerSecond: null }, options);
  const firstRun = await syncNow();
  const { writes } = await ends.stats();
  return { people, ends, program: als, firstRun, accounts: writes, sync: syncNow };
}
