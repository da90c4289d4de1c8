import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { UsageError } from "../../../src/domain/errors.ts";
import { serverOf } from "../../../src/state/postgres/connection/server.ts";

const at = (query: string): string => `postgres://als:pass-word-1@db.example.com/als${query}`;

describe("the URL of a PostgreSQL server", () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ["", false],
    ["?sslmode=disable", false],
    ["?ssl=0", false],
    ["?ssl=false", false],
    ["?ssl=true", true],
    ["?ssl=1", true],
    ["?sslmode=prefer", true],
    ["?sslmode=require", true],
    ["?sslmode=require&uselibpqcompat=true", true],
    ["?sslmode=verify-ca&uselibpqcompat=true", true],
    ["?sslmode=verify-full", true],
    ["?sslmode=verify-full&ssl=0", true],
    ["?sslmode=allow", true],
    ["?sslnegotiation=direct", true],
  ])("that ends with %j has TLS with a certificate that is checked: %s", (query, verified) => {
    vi.stubEnv("PGSSLMODE", "no-verify");
    const server = serverOf(at(query));
    expect(server.verified).toBe(verified);
    expect(server.config.ssl).toEqual(
      verified ? { rejectUnauthorized: true, host: "db.example.com" } : false,
    );
  });

  it.each([
    ["?sslmode=no-verify", /does not check the server's certificate: set sslmode=verify-full/],
    ["?ssl=true&sslmode=no-verify", /does not check the server's certificate/],
    ["?sslmode=verify-full&sslmode=disable", /has sslmode twice: keep one/],
    ["?sslmode=&ssl=0", /does not say clearly whether TLS is used/],
    ["?ssl=no-verify", /does not say clearly whether TLS is used/],
    ["?ssl=yes", /does not say clearly whether TLS is used/],
    ["?host=other.example.com", /has host among its parameters: write it before the \?/],
    ["?password=pass-word-1", /has password among its parameters/],
    [
      "?sslrootcert=/nothing/here.pem",
      /names the file \/nothing\/here\.pem, which cannot be read \(ENOENT\)/,
    ],
  ])("that ends with %j is refused", (query, sentence) => {
    expect(() => serverOf(at(query))).toThrow(UsageError);
    expect(() => serverOf(at(query))).toThrow(sentence);
    expect(() => serverOf(at(query))).not.toThrow(/pass-word-1/);
  });

  it("is refused if it names several hosts", () => {
    expect(() => serverOf("postgres://one.example.com,two.example.com/als")).toThrow(/names several hosts/);
  });

  it.each([
    ["localhost", true],
    ["127.0.0.1", true],
    ["[::1]", true],
    ["%2Frun%2Fpostgresql", true],
    ["db.example.com", false],
  ])("with the host %s stays on this machine: %s", (host, local) => {
    expect(serverOf(`postgres://${host}/als`).local).toBe(local);
  });

  it("takes the files of certificates, and none of the driver's own settings", () => {
    const folder = mkdtempSync(join(tmpdir(), "als-url-"));
    const file = join(folder, "ca.pem");
    writeFileSync(file, "the authority");
    const { config } = serverOf(at(`?sslrootcert=${file}&max=1000&query_timeout=1&stream=x`));
    expect(config).toEqual({
      user: "als",
      password: "pass-word-1",
      host: "db.example.com",
      database: "als",
      ssl: { ca: "the authority", rejectUnauthorized: true, host: "db.example.com" },
    });
    rmSync(folder, { recursive: true });
  });
});
