import { expect } from "vitest";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { createWorkplace, type Workplace } from "../../cycle/workplace.ts";

/** A company whose state is in PostgreSQL, and that nothing has been done for yet. */
export interface Company extends AsyncDisposable {
  readonly place: Workplace;
  /** Closes the state and opens it again, as a new process does. */
  restart(at?: PostgresPlace): Promise<void>;
  /** Expects Lattice to be equal to the directory, each person with the one account that was made once, and nothing left to do. */
  expectWhole(): Promise<void>;
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
    expectWhole: async () => {
      const next = await place.cycle({ full: true });
      expect(next).toMatchObject({ outcome: "done", failed: 0 });
      const { create, update, link, deactivate } = next.header.summary;
      expect({ create, update, link, deactivate }).toEqual({ create: 0, update: 0, link: 0, deactivate: 0 });
      expect(place.target.accounts.size).toBe(people);
      const made = place.target.writes
        .filter(({ kind }) => kind === "create")
        .map(({ userName }) => userName);
      expect(made.filter((name, index) => made.indexOf(name) !== index)).toEqual([]);
      expect(await place.store.totals()).toMatchObject({ sourceUsers: people, linked: people, retrying: 0 });
      expect(await place.store.openIntents()).toEqual([]);
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}
