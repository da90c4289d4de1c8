import { describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import { connect } from "../../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { newestVersion } from "../../../src/state/postgres/schema/migrate.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

async function open(place: PostgresPlace): Promise<void> {
  await (await connect(place)).close();
}

describe("the tables in PostgreSQL", () => {
  it("are made by the first of several programs that begin at once", async () => {
    const place = await placeInFreshSchema();
    await Promise.all(["one", "two", "one", "three"].map((job) => open({ ...place, job })));
    expect(await sql(place, "SELECT version FROM schema_version")).toEqual([{ version: newestVersion() }]);
    expect(await sql(place, "SELECT name FROM job ORDER BY name")).toEqual([
      { name: "one" },
      { name: "three" },
      { name: "two" },
    ]);
  });

  it("are made by a user who has rights on the schema alone", async () => {
    const place = await placeInFreshSchema();
    const role = `role_${place.schema}`;
    await sql(
      place,
      `CREATE ROLE ${role} LOGIN PASSWORD 'only-for-tests'`,
      `CREATE SCHEMA ${place.schema} AUTHORIZATION ${role}`,
    );
    const url = new URL(place.url);
    url.username = role;
    url.password = "only-for-tests";
    await open({ ...place, url: url.href });
    await open({ ...place, url: url.href });
    expect(await sql(place, "SELECT name FROM job")).toEqual([{ name: "default" }]);
    await sql(place, `DROP OWNED BY ${role} CASCADE`, `DROP ROLE ${role}`);
  });

  it("are refused if a newer version made them, and stay as they are", async () => {
    const place = await placeInFreshSchema();
    await open(place);
    await sql(place, "UPDATE schema_version SET version = 99", "DELETE FROM job");
    await expect(open(place)).rejects.toThrow(StateError);
    await expect(open(place)).rejects.toThrow(
      `was written by a newer version of azure-lattice-sync (schema 99; this version knows ${newestVersion()}): install that version`,
    );
    expect(await sql(place, "SELECT name FROM job")).toEqual([]);
  });

  it("are refused if they are another program's, and none is added", async () => {
    const place = await placeInFreshSchema();
    await sql(place, `CREATE SCHEMA ${place.schema}`, "CREATE TABLE accounts (id int)");
    await expect(open(place)).rejects.toThrow(
      `the schema ${place.schema} in the state database ${new URL(place.url).host}/postgres belongs to another program`,
    );
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname = '${place.schema}'`;
    expect(await sql(place, tables)).toEqual([{ tablename: "accounts" }]);
  });
});
