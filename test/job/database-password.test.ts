import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { databasePassword } from "../../src/job/database-password.ts";
import { statePlaceOf } from "../../src/job/state-place.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { connect } from "../../src/state/postgres/connection/connect.ts";
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

  it("is got with the credential of the configuration that is in force", async () => {
    await using opened = new AsyncDisposableStack();
    const sandbox = opened.adopt(await startSandbox({ file: ":memory:", people: 1 }), (one) => one.close());
    const withSecret = (secret: string) =>
      loadConfig({
        file: "c.yaml",
        env: {
          AZURE_TENANT_ID: sandbox.tenantId,
          AZURE_CLIENT_ID: sandbox.clientId,
          AZURE_CLIENT_SECRET: secret,
          AZURE_AUTHORITY_HOST: sandbox.authorityHost,
          ALS_STATE_URL: url.href,
        },
        cwd: workplace({ "c.yaml": "state: { signIn: entra }" }),
      }).config;
    const place = statePlaceOf(withSecret("a-secret-that-has-expired"), "default", undefined);
    if (place.kind === "file") throw new Error("the state is in PostgreSQL");
    await expect(place.database.password?.()).rejects.toThrow();
    place.renewSignIn(withSecret(sandbox.clientSecret));
    expect(await place.database.password?.()).not.toBe("");
  });

  it.each(["", "?sslmode=disable", "?ssl=0"])(
    "is not asked for if the URL ends with %j, which is without TLS",
    async (query) => {
      const place = await freshPlace();
      let asked = false;
      const password = async () => {
        asked = true;
        return "token";
      };
      await expect(connect({ ...place, url: `${place.url}${query}`, password })).rejects.toThrow(
        /a token, which must not travel unencrypted: add \?sslmode=verify-full to state\.url/,
      );
      expect(asked).toBe(false);
    },
  );

  it("is refused without a user and without a credential", () => {
    const { config } = loadConfig({ env: {}, cwd: workplace({}) });
    const nobody = new URL("postgres://db.example.com/als?sslmode=verify-full");
    expect(() => databasePassword(config, nobody)).toThrow(/names no user/);
    expect(() => databasePassword(config, url)).toThrow(/AZURE_TENANT_ID/);
  });
});
