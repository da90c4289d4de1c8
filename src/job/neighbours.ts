import { whyNotTogether } from "../config/collisions.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Neighbours } from "../cycle/ports/ports.ts";
import { errorText } from "../domain/errors.ts";
import type { AccountElsewhere } from "../domain/state/other-jobs.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job } from "./job.ts";
import { openToRead, type StatePlace, statePlaceOf } from "./state-place.ts";

/** The number of accounts of each job that are compared. */
const fewAccounts = 5;
const elsewhereAdvice =
  "another program runs that job on the same database. Stop it, or give one of them the key of its own company";

/**
 * The jobs of the configuration that must not write to the same company, and what they know; `undefined` if there are no others.
 * @param store the open state of this job, `null` if there is none yet; a dry run plans on a copy, which knows no other job
 */
export function neighboursOf(job: Job, store: StateStore | null, dryRun: boolean): Neighbours | undefined {
  const { loaded, name, embedded, statePlace, log } = job;
  const others = job.others();
  // A rehearsal has a Lattice of its own.
  if (embedded !== undefined || (others.length === 0 && statePlace.kind === "file")) return undefined;
  const reasons = new Map(others.map((other) => [other.job, whyNotTogether(loaded, other)]));
  const apart = others.filter((other) => reasons.get(other.job) !== null);
  const allowed = others.filter((other) => !apart.includes(other)).map((other) => other.job);
  const here = apart.filter(
    ({ config }) => store !== null && sharesDatabase(statePlace, config.state.url?.reveal()),
  );
  const query = { among: here.map((other) => other.job), except: [name, ...allowed] };
  return {
    self: name,
    adviceFor: (other) => reasons.get(other) ?? elsewhereAdvice,
    accounts: async () => {
      const found: AccountElsewhere[] = [];
      if (statePlace.kind === "postgres" && store !== null)
        found.push(...(await ofDatabase(statePlace, store, dryRun, query)));
      for (const other of apart) {
        if (here.includes(other)) continue;
        try {
          found.push(...(await ofState(other)));
        } catch (error) {
          // A fault of that job must not stop this one.
          log.warn(
            { other: other.job, error: errorText(error) },
            "the accounts of another job could not be compared with those of this one",
          );
        }
      }
      return found;
    },
  };
}

function sharesDatabase(place: StatePlace, url: string | undefined): boolean {
  return place.kind === "postgres" && place.database.url === url;
}

async function ofDatabase(
  place: StatePlace,
  store: StateStore,
  dryRun: boolean,
  query: Parameters<StateStore["accountsElsewhere"]>[0],
): Promise<readonly AccountElsewhere[]> {
  if (!dryRun) return store.accountsElsewhere(query);
  const reader = await openToRead(place);
  if (reader === null) return [];
  try {
    return await reader.accountsElsewhere(query);
  } finally {
    await reader.close();
  }
}

/** A few accounts of a job whose state is in a file, or in another database. */
async function ofState({ config, job }: LoadedConfig): Promise<readonly AccountElsewhere[]> {
  const state = await openToRead(statePlaceOf(config, job, undefined));
  if (state === null) return [];
  try {
    // Linked ones come first.
    const ids = await state.otherAccounts("", fewAccounts);
    const identities = await state.identitiesOf(ids);
    return ids.map((latticeId) => ({
      job,
      latticeId,
      linked: (identities.get(latticeId)?.linkedTo ?? null) !== null,
    }));
  } finally {
    await state.close();
  }
}
