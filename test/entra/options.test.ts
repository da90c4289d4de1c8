import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/domain/errors.ts";
import { Secret } from "../../src/domain/secret.ts";
import { clouds, isMicrosoftAuthority } from "../../src/entra/clouds.ts";
import { parseOrigin } from "../../src/entra/options.ts";
import { userPath } from "../../src/entra/source.ts";
import { sourceFor } from "./graph-double.ts";

describe("parseOrigin", () => {
  it.each([
    "https://graph.microsoft.com",
    "https://graph.microsoft.com/",
    "http://127.0.0.1:8080",
    "http://localhost:1",
    "http://[::1]:1",
  ])("accepts %s", (value) => {
    expect(parseOrigin("x", value).href).toBe(new URL(value).href);
  });

  it.each([
    "graph.microsoft.com",
    "http://graph.microsoft.com",
    "http://127.0.0.1.example.com",
    "ftp://localhost",
    "https://graph.microsoft.com/v1.0",
    "https://graph.microsoft.com/?a=1",
    "https://user:secret-word@graph.microsoft.com",
  ])("refuses %s without repeating a password", (value) => {
    expect(() => parseOrigin("entra.graphUrl", value)).toThrow(UsageError);
    expect(() => parseOrigin("entra.graphUrl", value)).not.toThrow(/secret-word/);
  });
});

describe("createEntraSource", () => {
  const local = { origin: "http://127.0.0.1:1" };
  const certificate = { kind: "clientCertificate", path: "x.pem" } as const;

  it.each([
    ["a remote authority over plain http", { authorityHost: "http://login.example.com" }],
    ["plain http with a certificate", { credential: certificate }],
    ["a client secret without a client id", { clientId: undefined }],
    ["no tenant", { tenantId: " " }],
    ["no group", { scope: { mode: "groups", groups: [], nested: true } as const }],
    ["an empty application", { scope: { mode: "assigned", application: "", nested: true } as const }],
  ])("refuses %s", (_name, changes) => {
    expect(() => sourceFor(local, changes)).toThrow(UsageError);
  });

  it("keeps the secret out of its errors", () => {
    const credential = { kind: "clientSecret", secret: new Secret("hush") } as const;
    expect(() => sourceFor(local, { credential, clientId: undefined })).not.toThrow(/hush/);
  });
});

describe("isMicrosoftAuthority", () => {
  it("knows only the clouds of the table", () => {
    for (const { authorityHost } of Object.values(clouds))
      expect(isMicrosoftAuthority(authorityHost)).toBe(true);
    expect(isMicrosoftAuthority("https://login.microsoftonline.com.example.com")).toBe(false);
  });
});

describe("userPath", () => {
  it.each([
    ["ann@example.com", "/v1.0/users/ann%40example.com"],
    ["ann_example.org#EXT#@example.com", "/v1.0/users/ann_example.org%23EXT%23%40example.com"],
    ["o'hara@example.com", "/v1.0/users/o%27hara%40example.com"],
    ["$x'y@example.com", "/v1.0/users('%24x%27%27y%40example.com')"],
    ["a/../b", "/v1.0/users/a%2F..%2Fb"],
    ["..", undefined],
    [".", undefined],
    [" ", undefined],
  ])("writes %j as %j", (name, path) => {
    expect(userPath(name)).toBe(path);
  });
});
