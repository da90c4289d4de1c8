import { resolve } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createFleets } from "../../../src/daemon/fleet/fleets.ts";
import { isExposed } from "../../../src/job/state-place.ts";
import { connect } from "../../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { peopleMethods } from "../../../src/state/postgres/people.ts";
import { makeOwnServer, type OwnServer } from "./own-server.ts";

const fixture = (name: string): string => resolve(import.meta.dirname, "../../fixtures/tls", name);
const authority = `sslrootcert=${fixture("test-only-ca.pem")}`;

describe("a PostgreSQL server with TLS", () => {
  let server: OwnServer;

  beforeAll(async () => {
    server = await makeOwnServer({ listen_addresses: "*" });
    const files = server.folder("tls", {
      "cert.pem": fixture("test-only-server.pem"),
      "key.pem": fixture("test-only-server-key.pem"),
    });
    await server.start();
    await server.sql(
      `ALTER SYSTEM SET ssl_cert_file = '${files}/cert.pem'`,
      `ALTER SYSTEM SET ssl_key_file = '${files}/key.pem'`,
      "ALTER SYSTEM SET ssl = on",
      "SELECT pg_reload_conf()",
    );
  });

  afterAll(() => server[Symbol.asyncDispose]());

  const at = (host: string, query: string): PostgresPlace => {
    const url = new URL(server.url);
    url.hostname = host;
    return { url: `${url.href}?${query}`, job: "default", schema: "tls" };
  };
  const encrypted = async (place: PostgresPlace): Promise<unknown> => {
    const { db, close } = await connect(place);
    try {
      return await db.one("SELECT ssl, $1::int AS job FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    } finally {
      await close();
    }
  };

  it("is used over TLS if its certificate is of the authority that is named, and of this name or address", async () => {
    for (const host of ["localhost", "127.0.0.1"]) {
      expect(await encrypted(at(host, `sslmode=verify-full&${authority}`))).toMatchObject({ ssl: true });
    }
    expect(await encrypted(at("localhost", `sslmode=verify-ca&${authority}`))).toMatchObject({ ssl: true });
  });

  it("is used without TLS only if the URL does not ask for it", async () => {
    expect(await encrypted(at("127.0.0.1", "sslmode=disable"))).toMatchObject({ ssl: false });
  });

  it.each(["sslmode=verify-full", "sslmode=require", "ssl=true"])(
    "is refused with %s if nobody knows its authority",
    async (query) => {
      await expect(connect(at("localhost", query))).rejects.toThrow(
        /^the certificate of the state database localhost:\d+\/postgres is not valid for this machine \((UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\): name the authority/,
      );
    },
  );

  // Elsewhere 127.0.0.1 is the only such address.
  it.runIf(process.platform === "linux")("is refused if its certificate is of another address", async () => {
    await expect(connect(at("127.0.0.2", `sslmode=verify-full&${authority}`))).rejects.toThrow(
      /is not valid for this machine \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    );
  });

  it("is never asked for without a check of its certificate", async () => {
    const place = at("localhost", "sslmode=no-verify");
    await expect(connect(place)).rejects.toThrow(/does not check the server's certificate/);
    await expect(
      isExposed({ kind: "postgres", name: "", database: place, renewSignIn: () => {} }),
    ).rejects.toThrow(/does not check the server's certificate/);
  });

  it("gets a password of its own with each connection", async () => {
    const place = at("localhost", `sslmode=verify-full&${authority}`);
    const named = new URL(place.url);
    const { password } = named;
    named.password = "";
    let asked = 0;
    const { db, close } = await connect({
      ...place,
      url: named.href,
      password: async () => {
        asked += 1;
        return password;
      },
    });
    await Promise.all([1, 2, 3].map(() => peopleMethods(db).personRows(["a"])));
    expect(asked).toBeGreaterThan(1);
    await close();
  });

  it("is used by jobs with one credential through the same connections, and the password of any of them is good", async () => {
    const place = at("localhost", `sslmode=verify-full&${authority}`);
    const named = new URL(place.url);
    const { password } = named;
    named.password = "";
    const asked: string[] = [];
    const jobOf = (job: string, credential: string, give: () => string): PostgresPlace => ({
      ...place,
      url: named.href,
      job,
      signsInAs: () => credential,
      password: async () => {
        asked.push(job);
        return give();
      },
    });
    const expired = (): never => {
      throw new Error("the secret has expired");
    };
    const first = await connect(jobOf("first", "one", () => password));
    const second = await connect(jobOf("second", "one", expired));
    expect(asked).toEqual(["first"]);
    await Promise.all([1, 2, 3].map(() => peopleMethods(second.db).personRows(["a"])));
    expect(asked).toEqual(["first", "second", "first", "second", "first"]);
    await expect(connect(jobOf("third", "another", expired))).rejects.toThrow("the secret has expired");
    await first.close();
    await second.close();
  });

  it("has the queue of its daemons by the password of any job, also if the one that opened it has none any more", async () => {
    const named = new URL(at("localhost", `sslmode=verify-full&${authority}`).url);
    const { password } = named;
    named.password = "";
    let expired = false;
    const placeOf = (job: string, give: () => string) => ({
      statePlace: {
        kind: "postgres" as const,
        name: "tls",
        database: { url: named.href, job, signsInAs: () => "one", password: async () => give() },
        renewSignIn: () => {},
      },
    });
    const { signal } = new AbortController();
    const fleets = createFleets({ maxAtOnce: () => 1, log: pino({ level: "silent" }), signal });
    const first = placeOf("first", () => {
      if (expired) throw new Error("the secret has expired");
      return password;
    });
    try {
      const fleet = await fleets.of(first);
      expect(await fleets.of(placeOf("second", () => password))).toBe(fleet);
      expired = true;
      // New connections ask for a password again.
      await server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'azure-lattice-sync%'",
      );
      await vi.waitFor(async () => expect(await fleet?.queue.waiting()).toEqual([]), 10_000);
      expect(await fleet?.store.workers()).toEqual([]);
    } finally {
      await fleets.close();
    }
  });
});
