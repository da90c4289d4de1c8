import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Provider } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

/**
 * @azure/identity over real TLS against oidc-provider, a token server that another person wrote and that checks
 * the secret or the signed assertion. Graph is a handler on the same origin.
 */
const tls = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const child = fileURLToPath(new URL("sign-in-child.ts", import.meta.url));
const tenantId = "11111111-2222-4333-8444-555555555555";
const secret = "right-secret-right-secret";

let server: Server;
let origin: string;
const bearers: (string | undefined)[] = [];
/** Answers of the token endpoint before it works, one for each request. */
const mishaps: ((response: ServerResponse) => void)[] = [];
let tokenRequests = 0;

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
    if (request.url?.includes("/oauth2/v2.0/token") === true) {
      tokenRequests += 1;
      const mishap = mishaps.shift();
      if (mishap !== undefined) return mishap(response);
    }
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
      // The others use the code that the first of these processes compiles.
      NODE_COMPILE_CACHE: join(dirname(inject("program")), "compiled"),
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
      /authority localhost:\d+ has a TLS certificate that is not trusted.*NODE_EXTRA_CA_CERTS/,
    ],
  ])("explains %s", async (_name, environment, words) => {
    const outcome = await signIn(environment);
    expect(outcome).toMatchObject({ error: "AccessRefusedError", message: expect.stringMatching(words) });
    expect(JSON.stringify(outcome)).not.toContain("wrong-secret");
  });

  const answering =
    (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
    (response: ServerResponse): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    };
  const aadsts = (code: number): string =>
    JSON.stringify({
      error: "invalid_client",
      error_description: `AADSTS${code}: What Entra says. Trace ID: 1`,
      error_codes: [code],
    });
  const page = "<html><body>Please wait</body></html>";
  const html = { "content-type": "text/html" };

  it.each<[string, (response: ServerResponse) => void]>([
    ["500", answering(500, "{}")],
    ["429 with a Retry-After", answering(429, "{}", { "retry-after": "1" })],
    ["503 beside a code that accuses the secret", answering(503, aadsts(7000215))],
    ["a code of a fault that passes", answering(400, aadsts(90033))],
    ["a web page with 200", answering(200, page, html)],
    ["a web page with 403", answering(403, page, html)],
    ["a dropped connection", (response) => response.socket?.destroy()],
  ])("is tried again with a fresh credential after one answer: %s", async (_name, mishap) => {
    mishaps.splice(0, mishaps.length, mishap);
    tokenRequests = 0;
    expect(await signIn({ ALS_TEST_SECRET: secret })).toMatchObject({ user: { objectId: "u1" } });
    expect(tokenRequests).toBe(2);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["500", answering(500, "{}")],
    ["429 beside a code that accuses the secret", answering(429, aadsts(7000215))],
    ["a web page with 403", answering(403, page, html)],
    ["dropped connections", (response) => response.socket?.destroy()],
  ])("ends as an outage, without blaming a credential, if it lasts: %s", async (_name, mishap) => {
    mishaps.splice(0, mishaps.length, ...Array.from({ length: 5 }, () => mishap));
    tokenRequests = 0;
    const outcome = await signIn({ ALS_TEST_SECRET: secret });
    expect(outcome).toMatchObject({ error: "HostUnavailableError" });
    expect(JSON.stringify(outcome)).not.toContain("secret");
    expect(tokenRequests).toBe(5);
  });

  it("names an authority that cannot be reached", async () => {
    const outcome = await signIn({ ALS_TEST_SECRET: secret, ALS_TEST_ORIGIN: "https://localhost:1" });
    expect(outcome).toMatchObject({
      error: "HostUnavailableError",
      message: expect.stringContaining("authority localhost:1 cannot be reached (ECONNREFUSED)"),
    });
  });
});
