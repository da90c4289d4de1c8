import { describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import {
  connect,
  connectToAll,
  connectToCopy,
  connectToRead,
  connectToReadAll,
  proveWritable,
} from "../../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { droppingPooler } from "./dropping-pooler.ts";
import { saysItIs } from "./older-server.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

/** The sentence with which opening fails. */
async function said(place: PostgresPlace): Promise<string> {
  try {
    await (await connect(place)).close();
  } catch (error) {
    if (error instanceof StateError) return error.message;
    throw error;
  }
  return "opened";
}

/** The place by a URL that is changed. */
function at(place: PostgresPlace, change: (url: URL) => void): PostgresPlace {
  const url = new URL(place.url);
  change(url);
  return { ...place, url: url.href };
}

describe("a PostgreSQL database that cannot be opened", () => {
  it.each<[string, (url: URL) => void, RegExp]>([
    [
      "whose password is wrong",
      (url) => {
        url.password = "not-this-one";
      },
      /^the state database \S+\/postgres refused the password of the user postgres: correct it in state\.url/,
    ],
    [
      "whose URL names no user",
      (url) => {
        url.username = "";
      },
      /^the state database \S+\/postgres does not accept a connection without a user name \(28000\): put one into state\.url/,
    ],
    [
      "that does not exist",
      (url) => {
        url.pathname = "/nothing-here";
      },
      /\/nothing-here does not exist: create the database, or correct state\.url/,
    ],
    [
      "whose server does not run",
      (url) => {
        url.port = "1";
      },
      /^the state database 127\.0\.0\.1:1\/postgres cannot be reached \(ECONNREFUSED\): check that the server runs/,
    ],
    [
      "whose host has no address",
      (url) => {
        url.hostname = "db.invalid";
      },
      /^the state database db\.invalid:\d+\/postgres cannot be found \((ENOTFOUND|EAI_AGAIN)\): check the host name/,
    ],
    [
      "without the TLS that the URL asks for",
      (url) => {
        url.searchParams.set("sslmode", "verify-full");
      },
      /does not offer TLS, which the URL asks for: turn TLS on at the server, or set sslmode in state\.url/,
    ],
  ])("because of one %s is told in a sentence without the password", async (_what, change, sentence) => {
    const message = await said(at(await placeInFreshSchema(), change));
    expect(message).toMatch(sentence);
    expect(message).not.toMatch(/only-for-tests|not-this-one/);
    expect(message.split("\n")).toHaveLength(1);
  });

  it("because the user may make no schema is told what right is missing", async () => {
    const place = await placeInFreshSchema();
    const role = `role_${place.schema}`;
    await sql(place, `CREATE ROLE ${role} LOGIN PASSWORD 'only-for-tests'`);
    const message = await said(
      at(place, (url) => {
        url.username = role;
      }),
    );
    expect(message).toMatch(/may not do what is needed .* make this user the owner of the schema/);
    await sql(place, `DROP ROLE ${role}`);
  });

  it("because it is read-only is told where to connect", async () => {
    const place = await placeInFreshSchema();
    const role = `role_${place.schema}`;
    await sql(
      place,
      `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD 'only-for-tests'`,
      `ALTER ROLE ${role} SET default_transaction_read_only = on`,
    );
    const reading = at(place, (url) => {
      url.username = role;
    });
    expect(await said(reading)).toMatch(
      /cannot be written, because it is set to read-only: connect to the primary/,
    );
    await sql(place, `DROP ROLE ${role}`);
  });

  it("because a pooler drops the settings of a connection is told so", async () => {
    const place = await placeInFreshSchema();
    await using pooler = await droppingPooler(place.url);
    expect(await said({ ...place, url: pooler.url })).toMatch(
      /is behind a connection pooler that drops the settings of a connection: connect to the server itself/,
    );
    expect(await sql(place, `SELECT 1 FROM pg_namespace WHERE nspname = '${place.schema}'`)).toEqual([]);
  });

  it("because the server is too old is told which version is needed", async () => {
    const place = await placeInFreshSchema();
    await using older = await saysItIs(120_022, place.url);
    const ways = [connect, connectToAll, connectToRead, connectToReadAll, connectToCopy, proveWritable];
    for (const open of ways) {
      await expect(open({ ...place, url: older.url })).rejects.toThrow(
        /^the state database \S+ is PostgreSQL 12, and 13 or later is needed: upgrade the server, or connect to another one$/,
      );
    }
    expect(await sql(place, `SELECT 1 FROM pg_namespace WHERE nspname = '${place.schema}'`)).toEqual([]);
    await using oldest = await saysItIs(130_000, place.url);
    expect(await said({ ...place, url: oldest.url })).toBe("opened");
  });

  it("because its encoding cannot write every name is told which one can", async () => {
    const place = await placeInFreshSchema();
    const name = `latin_${place.schema}`;
    await sql(place, `CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0`);
    const message = await said(
      at(place, (url) => {
        url.pathname = `/${name}`;
      }),
    );
    expect(message).toMatch(/keeps texts in LATIN1, .* create a database with the encoding UTF8/);
    await sql(place, `DROP DATABASE ${name}`);
  });
});
