import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Provider } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/**
 * @azure/identity over real TLS against oidc-provider, a token server that somebody else wrote and that checks
 * the secret or the signed assertion. Graph is a handler on the same origin.
 */
const tls = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const child = fileURLToPath(new URL("sign-in-child.ts", import.meta.url));
const tenantId = "11111111-2222-4333-8444-555555555555";
const secret = "right-secret-right-secret";

let server: Server;
let origin: string;
const bearers: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer({
    key: readFileSync(tls("test-only-server-key.pem")),
    cert: readFileSync(tls("test-only-server.pem")),
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const authority = startAuthority(origin);
  server.on("request", (request, response) => {
    const prefix = `/${tenantId}`;
    if (request.url?.startsWith(prefix) === true) {
      // Entra serves its discovery document below /v2.0, oidc-provider at its root.
      request.url = request.url.slice(prefix.length).replace(/^\/v2\.0\/\.well-known/, "/.well-known");
      Object.assign(request, { originalUrl: `${prefix}${request.url}` });
      void authority(request, response);
      return;
    }
    const isUser = request.url?.startsWith("/v1.0/users/u1?") === true;
    if (isUser) bearers.push(request.headers.authorization);
    response.writeHead(isUser ? 200 : 404, { "content-type": "application/json" });
    response.end(isUser ? '{"id":"u1"}' : "{}");
  });
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function startAuthority(base: string) {
  const scope = `${base}/.default`;
  const client = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"], scope };
  const provider = new Provider(`${base}/${tenantId}`, {
    clients: [
      {
        ...client,
        client_id: "app-with-secret",
        client_secret: secret,
        token_endpoint_auth_method: "client_secret_post",
      },
      {
        ...client,
        client_id: "app-with-certificate",
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "PS256",
        jwks: { keys: [clientKey()] },
      },
    ],
    clientAuthMethods: ["client_secret_post", "private_key_jwt"],
    enabledJWA: { clientAuthSigningAlgValues: ["PS256"] },
    scopes: [scope],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    routes: { token: "/oauth2/v2.0/token", authorization: "/oauth2/v2.0/authorize" },
    ttl: { ClientCredentials: 3600 },
  });
  return provider.callback();
}

function clientKey() {
  const certificate = new X509Certificate(readFileSync(tls("test-only-client.pem")));
  const thumbprint = createHash("sha256").update(certificate.raw).digest("base64url");
  return {
    ...certificate.publicKey.export({ format: "jwk" }),
    use: "sig",
    alg: "PS256",
    "x5t#S256": thumbprint,
  };
}

async function signIn(environment: Readonly<Record<string, string>>): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [child], {
    env: {
      PATH: process.env.PATH,
      NODE_EXTRA_CA_CERTS: tls("test-only-ca.pem"),
      ALS_TEST_ORIGIN: origin,
      ALS_TEST_TENANT: tenantId,
      ...environment,
    },
  });
  return JSON.parse(stdout);
}

describe("signing in through @azure/identity", () => {
  it("gets a token for the right secret and uses it at Graph", async () => {
    bearers.length = 0;
    expect(await signIn({ ALS_TEST_SECRET: secret })).toMatchObject({ user: { objectId: "u1" } });
    expect(bearers).toEqual([expect.stringMatching(/^Bearer .{20,}$/)]);
  });

  it("gets a token for a certificate", async () => {
    expect(await signIn({ ALS_TEST_PEM: tls("test-only-client.pem") })).toMatchObject({
      user: { objectId: "u1" },
    });
  });

  it.each([
    [
      "a wrong secret",
      { ALS_TEST_SECRET: "wrong-secret" },
      /refused the credentials of the application app-with-secret/,
    ],
    [
      "an unknown tenant",
      { ALS_TEST_SECRET: secret, ALS_TEST_TENANT: "nobody.example.com" },
      /answered 404.*tenantId/,
    ],
    [
      "a missing certificate file",
      { ALS_TEST_PEM: "/nowhere/app.pem" },
      /certificate cannot be used: ENOENT/,
    ],
    ["a PEM file without a key", { ALS_TEST_PEM: tls("test-only-ca.pem") }, /certificate cannot be used/],
    [
      "an authority whose certificate nobody vouches for",
      { ALS_TEST_SECRET: secret, NODE_EXTRA_CA_CERTS: "" },
      /authority localhost:\d+ presented a TLS certificate that is not trusted.*NODE_EXTRA_CA_CERTS/,
    ],
  ])("explains %s", async (_name, environment, words) => {
    const outcome = await signIn(environment);
    expect(outcome).toMatchObject({ error: "ConfigurationError", message: expect.stringMatching(words) });
    expect(JSON.stringify(outcome)).not.toContain("wrong-secret");
  });

  it("names an authority that cannot be reached", async () => {
    const outcome = await signIn({ ALS_TEST_SECRET: secret, ALS_TEST_ORIGIN: "https://localhost:1" });
    expect(outcome).toMatchObject({
      error: "HostUnavailableError",
      message: expect.stringContaining("authority localhost:1 cannot be reached (ECONNREFUSED)"),
    });
  });
});
