import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { databasePassword } from "../../src/job/database-password.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { connect } from "../../src/state/postgres/connection/connect.ts";
import { peopleMethods } from "../../src/state/postgres/people.ts";
import { workplace } from "../config/workplace.ts";
import { freshPlace } from "../state/postgres/place.ts";

const url = new URL("postgres://identity@db.example.com/als?sslmode=verify-full");

describe("a token as the password of a database", () => {
  it("is got at the authority of the directory, with its credential, and again only when it expires", async () => {
    await using opened = new AsyncDisposableStack();
    const sandbox = opened.adopt(await startSandbox({ file: ":memory:", people: 1 }), (one) => one.close());
    const env = {
      AZURE_TENANT_ID: sandbox.tenantId,
      AZURE_CLIENT_ID: sandbox.clientId,
      AZURE_CLIENT_SECRET: sandbox.clientSecret,
      AZURE_AUTHORITY_HOST: sandbox.authorityHost,
    };
    const { config } = loadConfig({ env, cwd: workplace({}) });
    const password = databasePassword(config, url);
    const token = await password();
    expect(token).not.toBe("");
    expect(await password()).toBe(token);
  });

  it("is refused without TLS, without a user and without a credential", () => {
    const { config } = loadConfig({ env: {}, cwd: workplace({}) });
    const plain = new URL("postgres://identity@db.example.com/als");
    expect(() => databasePassword(config, plain)).toThrow(/add \?sslmode=verify-full to state\.url/);
    const nobody = new URL("postgres://db.example.com/als?sslmode=verify-full");
    expect(() => databasePassword(config, nobody)).toThrow(/names no user/);
    expect(() => databasePassword(config, url)).toThrow(/AZURE_TENANT_ID/);
  });

  it("is asked for with each connection", async () => {
    const place = await freshPlace();
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
});
