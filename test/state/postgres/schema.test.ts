import pg from "pg";
import { describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import { connect, type PostgresPlace } from "../../../src/state/postgres/connection/connect.ts";
import { placeInFreshSchema } from "./place.ts";

/** Runs statements on a connection of its own, as another program does. */
async function sql(place: PostgresPlace, ...statements: readonly string[]): Promise<readonly object[]> {
  const client = new pg.Client({ connectionString: place.url, options: `-c search_path=${place.schema}` });
  await client.connect();
  try {
    let rows: readonly object[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

async function open(place: PostgresPlace): Promise<void> {
  await (await connect(place)).close();
}

describe("the tables in PostgreSQL", () => {
  it("are made by the first of several programs that begin at once", async () => {
    const place = await placeInFreshSchema();
    await Promise.all(["one", "two", "one", "three"].map((job) => open({ ...place, job })));
    expect(await sql(place, "SELECT version FROM schema_version")).toEqual([{ version: 1 }]);
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
      `the schema ${place.schema} of the state database was made by a newer version of azure-lattice-sync (schema 99; this one knows 1): install that version`,
    );
    expect(await sql(place, "SELECT name FROM job")).toEqual([]);
  });

  it("are refused if they are another program's, and none is added", async () => {
    const place = await placeInFreshSchema();
    await sql(place, `CREATE SCHEMA ${place.schema}`, "CREATE TABLE accounts (id int)");
    await expect(open(place)).rejects.toThrow("another program made its tables");
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname = '${place.schema}'`;
    expect(await sql(place, tables)).toEqual([{ tablename: "accounts" }]);
  });
});
