import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { requireEntra, requireLattice } from "../../src/config/require.ts";
import { usageLines, workplace } from "./workplace.ts";

const tenantId = "example.onmicrosoft.com";
const clientId = "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b";

function entra(yaml: string, env: Readonly<Record<string, string>> = {}) {
  const cwd = workplace({ "c.yaml": yaml });
  return requireEntra(loadConfig({ file: "c.yaml", env, cwd }).config);
}

describe("requireEntra", () => {
  it("names everything that is missing, and both ways to give it", () => {
    expect(usageLines(() => entra("entra: { credential: clientSecret }"))).toEqual([
      "Entra's directory (tenant) ID is missing: set AZURE_TENANT_ID or entra.tenantId",
      "the application (client) ID of the app registration is missing (needed by entra.credential: clientSecret): set AZURE_CLIENT_ID or entra.clientId",
      "the client secret is missing (needed by entra.credential: clientSecret): set AZURE_CLIENT_SECRET or entra.clientSecret",
    ]);
    expect(
      usageLines(() =>
        entra("entra: { credential: certificate, scope: { mode: all } }", { AZURE_TENANT_ID: tenantId }),
      ),
    ).toEqual([
      "the application (client) ID of the app registration is missing (needed by entra.credential: certificate): set AZURE_CLIENT_ID or entra.clientId",
      "the certificate file is missing (needed by entra.credential: certificate): set AZURE_CLIENT_CERTIFICATE_PATH or entra.certificate.path",
    ]);
    expect(usageLines(() => entra("", { AZURE_TENANT_ID: tenantId }))).toEqual([
      "the application (client) ID of the app registration is missing: set AZURE_CLIENT_ID or entra.clientId, or name the enterprise application in entra.scope.application",
    ]);
  });

  it("returns a client secret, with the application's own assignments as the scope", () => {
    const env = { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: "s3cret" };
    const settings = entra("", env);
    expect(settings).toMatchObject({
      tenantId,
      clientId,
      authorityHost: "https://login.microsoftonline.com",
      graphUrl: "https://graph.microsoft.com",
      scope: { mode: "assigned", application: clientId, nested: true },
    });
    expect(settings.credential.kind === "clientSecret" && settings.credential.secret.reveal()).toBe("s3cret");
  });

  it("returns a certificate with its password", () => {
    const { credential } = entra(
      `entra: { tenantId: ${tenantId}, clientId: ${clientId}, certificate: { path: /c.pem, password: pw } }`,
    );
    expect(credential).toMatchObject({ kind: "clientCertificate", path: "/c.pem" });
    expect(credential.kind === "clientCertificate" && credential.password?.reveal()).toBe("pw");
  });

  it.each(["managedIdentity", "default"])("does not require a client id for %s", (kind) => {
    const settings = entra(`entra: { tenantId: ${tenantId}, credential: ${kind}, scope: { mode: all } }`);
    expect(settings.credential).toEqual({ kind });
    expect(settings.clientId).toBeUndefined();
    expect(settings.scope).toEqual({ mode: "all" });
  });

  it("takes workload identity from the environment of Kubernetes", () => {
    const env = {
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: clientId,
      AZURE_FEDERATED_TOKEN_FILE: "/var/run/token",
    };
    expect(entra("", env).credential).toEqual({ kind: "workloadIdentity" });
  });

  it("passes on the groups of the scope", () => {
    const { scope } = entra(
      `entra: { tenantId: ${tenantId}, scope: { mode: groups, groups: [a, b], nested: false } }`,
    );
    expect(scope).toEqual({ mode: "groups", groups: ["a", "b"], nested: false });
  });
});

describe("requireLattice", () => {
  it("asks for the API key, and names both ways to give it", () => {
    const { config } = loadConfig({ env: {}, cwd: workplace() });
    expect(usageLines(() => requireLattice(config))).toEqual([
      "Lattice's API key is missing: set LATTICE_API_KEY or lattice.token",
    ]);
  });

  it("returns the settings with the key in them", () => {
    const { config } = loadConfig({ env: { LATTICE_API_KEY: "k" }, cwd: workplace() });
    const { token, ...settings } = requireLattice(config);
    expect(token.reveal()).toBe("k");
    expect(settings).toEqual({
      url: "https://api.latticehq.com/scim/v2",
      updateMethod: "auto",
      listing: "strict",
      maxConcurrency: 8,
      maxRequestsPerSecond: 25,
      timeoutMs: 30_000,
    });
  });
});
