import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LeaseHeldError, StateError } from "../../../src/domain/errors.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { databaseInWords } from "../../../src/state/postgres/connection/errors.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { migrate, migrations, newestVersion } from "../../../src/state/postgres/schema/migrate.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const hour = 3_600_000;
const minute = 60_000;

describe("the lease of a state in PostgreSQL", () => {
  let place: PostgresPlace;
  let store: StateStore;

  beforeEach(async () => {
    place = await placeInFreshSchema();
    store = await openStore(place);
  });

  afterEach(() => store.close());

  it.each([-hour, hour])(
    "goes by the server's clock if one of this machine is wrong by %d ms",
    async (wrong) => {
      const other = await openStore(place);
      const now = Date.now();
      expect(await store.acquireLease("one", now, minute)).toEqual({ acquired: true });
      expect(await other.acquireLease("two", now + wrong, minute)).toMatchObject({ acquired: false });
      expect(await other.leaseHolder(now + wrong)).toMatchObject({ owner: "one" });
      expect(await other.renewLease("two", now + wrong, minute)).toBe(false);
      // Taken by a clock that is wrong, it lasts as long as it says.
      await store.releaseLease("one");
      expect(await other.acquireLease("two", now + wrong, minute)).toEqual({ acquired: true });
      expect(await store.acquireLease("one", now, minute)).toMatchObject({ acquired: false });
      await other.close();
    },
  );

  it("has another term with each run that takes it, and the same one while it is renewed", async () => {
    const term = async () => (await sql(place, "SELECT term FROM lease"))[0]?.term;
    await store.acquireLease("one", 0, minute);
    await store.renewLease("one", 0, minute);
    await store.acquireLease("one", 0, minute);
    expect(await term()).toBe("1");
    await store.releaseLease("one");
    await store.acquireLease("two", 0, minute);
    expect(await term()).toBe("2");
  });

  it("is not taken over within a commit: the commit comes first, or is refused", async () => {
    const other = await openStore(place);
    await store.acquireLease("one", 0, minute);
    const client = new pg.Client({ connectionString: place.url, options: `-c search_path=${place.schema}` });
    await client.connect();
    // As a commit of the run, which is not at its end yet.
    await client.query("BEGIN");
    await client.query("SELECT 1 FROM lease WHERE owner = 'one' FOR UPDATE");
    const silent = await other.leaseHolder(0);
    if (silent === null) throw new Error("nobody holds the lease");
    let taken = false;
    const takeOver = other.acquireLease("two", 0, minute, silent).then(() => {
      taken = true;
    });
    await sql(place, "SELECT pg_sleep(0.1)");
    expect(taken).toBe(false);
    await client.query("COMMIT");
    await takeOver;
    await client.end();
    await expect(store.commit({ notes: { watermark: "w" } }, { owner: "one" })).rejects.toThrow(
      LeaseHeldError,
    );
    expect(await store.meta()).toEqual({});
    await other.close();
  });

  it("ends the run of an older version once a newer one has changed the tables", async () => {
    await store.acquireLease("one", 0, minute);
    await store.commit({ notes: { watermark: "1" } }, { owner: "one" });
    await sql(place, "UPDATE schema_version SET version = 99");
    const commit = store.commit({ notes: { watermark: "2" } }, { owner: "one" });
    await expect(commit).rejects.toThrow(StateError);
    await expect(commit).rejects.toThrow(/was upgraded by a newer version of azure-lattice-sync/);
    expect(await store.meta()).toEqual({ watermark: "1" });
  });

  it("keeps a newer version from changing the tables while a run of the older one holds it", async () => {
    const next = newestVersion() + 1;
    const newer = [...migrations(), { version: next, sql: "CREATE TABLE later (job int PRIMARY KEY)" }];
    const upgrade = async () => {
      const client = new pg.Client({
        connectionString: place.url,
        options: `-c search_path=${place.schema}`,
      });
      await client.connect();
      try {
        await migrate(client, place.schema ?? "", databaseInWords(new URL(place.url)), newer);
      } finally {
        await client.end();
      }
    };
    await store.acquireLease("host/7/one", 0, minute);
    await expect(upgrade()).rejects.toThrow(LeaseHeldError);
    await expect(upgrade()).rejects.toThrow(
      /a run of an older version holds its lease \(process 7 on host\)/,
    );
    expect(await sql(place, "SELECT version FROM schema_version")).toEqual([{ version: next - 1 }]);
    await store.releaseLease("host/7/one");
    await upgrade();
    expect(await sql(place, "SELECT version FROM schema_version")).toEqual([{ version: next }]);
  });
});
