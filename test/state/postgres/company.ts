import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { createWorkplace, type Workplace } from "../../cycle/workplace.ts";

/** A company whose state is in PostgreSQL, and that nothing has been done for yet. */
export interface Company extends AsyncDisposable {
  readonly place: Workplace;
  /** Closes the state and opens it again, as a new process does. */
  restart(at?: PostgresPlace): Promise<void>;
  /**
   * Runs a full cycle, which must find nothing to do.
   * @returns what is not as it must be: Lattice is equal to the directory, and each person has the one account that was made once
   */
  wrongs(): Promise<readonly string[]>;
}

/** A company of this many people, with a manager for each but the first. */
export async function companyIn(at: PostgresPlace, people: number): Promise<Company> {
  const place = await createWorkplace();
  await place.store.close();
  place.store = await openStore(at, { leaseClock: "caller" });
  for (let number = 0; number < people; number += 1) {
    place.source.hire(`p${number}`, { jobTitle: "Analyst" }, number === 0 ? null : "p0");
  }
  return {
    place,
    restart: async (where = at) => {
      await place.store.close();
      place.store = await openStore(where, { leaseClock: "caller" });
    },
    wrongs: async () => {
      const { outcome, header } = await place.cycle({ full: true });
      const { create, update, link, deactivate } = header.summary;
      const made = place.target.writes
        .filter(({ kind }) => kind === "create")
        .map(({ userName }) => userName);
      const { sourceUsers, linked, retrying } = await place.store.totals();
      const found = {
        outcome,
        planned: create + update + link + deactivate,
        accounts: place.target.accounts.size,
        madeTwice: made.filter((name, index) => made.indexOf(name) !== index),
        sourceUsers,
        linked,
        retrying,
        intents: (await place.store.openIntents()).length,
      };
      const wanted = {
        outcome: "done",
        planned: 0,
        accounts: people,
        madeTwice: [],
        sourceUsers: people,
        linked: people,
        retrying: 0,
        intents: 0,
      };
      return Object.entries(wanted).flatMap(([name, value]) => {
        const is = JSON.stringify(found[name as keyof typeof found]);
        return is === JSON.stringify(value) ? [] : [`${name} is ${is} instead of ${JSON.stringify(value)}`];
      });
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}
