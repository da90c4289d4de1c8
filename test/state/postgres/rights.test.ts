import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect, connectToCopy, proveWritable } from "../../../src/state/postgres/connection/connect.ts";
import { type PostgresPlace, queueSchema } from "../../../src/state/postgres/connection/place.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

describe("a user of PostgreSQL who may not do everything", () => {
  let admin: PostgresPlace;
  let user: PostgresPlace;
  let name: string;

  beforeEach(async () => {
    const place = await placeInFreshSchema();
    name = `user_${place.schema}`;
    await sql(place, `CREATE DATABASE ${name}`, `CREATE ROLE ${name} LOGIN PASSWORD 'only-for-tests'`);
    const url = new URL(place.url);
    url.pathname = `/${name}`;
    admin = { ...place, url: url.href };
    await sql(
      admin,
      `REVOKE TEMPORARY ON DATABASE ${name} FROM PUBLIC`,
      `CREATE SCHEMA ${queueSchema} AUTHORIZATION ${name}`,
    );
    url.username = name;
    user = { ...admin, url: url.href };
  });

  afterEach(async () => {
    const server = new URL(admin.url);
    server.pathname = "/postgres";
    await sql({ url: server.href }, `DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`);
  });

  it("is told by the check that a dry run is not possible, and by the dry run which right it needs", async () => {
    await sql(admin, `CREATE SCHEMA ${admin.schema} AUTHORIZATION ${name}`);
    expect(await proveWritable(user)).toEqual([
      `a dry run is not possible, because the user ${name} may not make temporary tables: GRANT TEMPORARY ON DATABASE allows it`,
    ]);
    await expect(connectToCopy(user)).rejects.toThrow(
      /may not make temporary tables in the state database .*, which a dry run needs \(42501\): allow it with GRANT TEMPORARY/,
    );
    await sql(admin, `GRANT TEMPORARY ON DATABASE ${name} TO ${name}`);
    expect(await proveWritable(user)).toEqual([]);
  });

  it("is told by the check that a daemon could not keep its queue", async () => {
    await sql(
      admin,
      `GRANT TEMPORARY ON DATABASE ${name} TO ${name}`,
      `CREATE SCHEMA ${admin.schema} AUTHORIZATION ${name}`,
      `DROP SCHEMA ${queueSchema}`,
    );
    expect(await proveWritable(user)).toEqual([
      `a daemon cannot run, because the user ${name} may not make its queue of jobs: CREATE SCHEMA ${queueSchema} AUTHORIZATION ${name} allows it. Runs by hand or by a timer do not need it`,
    ]);
    await sql(admin, `GRANT CREATE ON DATABASE ${name} TO ${name}`);
    expect(await proveWritable(user)).toEqual([]);
  });

  it("is told by the check that the tables of another owner cannot be upgraded, and is refused if they have to be", async () => {
    await (await connect(admin)).close();
    await sql(
      admin,
      `GRANT TEMPORARY ON DATABASE ${name} TO ${name}`,
      `GRANT USAGE, CREATE ON SCHEMA ${admin.schema} TO ${name}`,
      `GRANT ALL ON ALL TABLES IN SCHEMA ${admin.schema} TO ${name}`,
    );
    const notOwner = `the tables of the schema ${admin.schema} belong to the user postgres: make ${name} their owner, because an owner alone can change them`;
    expect(await proveWritable(user)).toEqual([
      `a later version cannot upgrade the state, because ${notOwner}`,
    ]);
    await (await connect(user)).close();
    await sql(admin, "UPDATE schema_version SET version = 1");
    await expect(proveWritable(user)).rejects.toThrow(
      `cannot be upgraded for this version, because ${notOwner}`,
    );
  });

  it("is refused by the check if it may neither make a schema nor write the one that is there", async () => {
    await expect(proveWritable(user)).rejects.toThrow(/may not make or write the tables/);
    await sql(admin, `CREATE SCHEMA ${admin.schema}`);
    await expect(proveWritable(user)).rejects.toThrow(/may not make or write the tables/);
  });
});
