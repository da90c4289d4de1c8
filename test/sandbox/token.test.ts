import { afterEach, beforeEach, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { graphWith, requestToken } from "./clients.ts";
import { createManualClock } from "./manual-clock.ts";

const clock = createManualClock();
let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ file: ":memory:", people: 20, clock, graph: { roles: ["User.Read.All"] } });
});
afterEach(() => sandbox.close());

it("issues a token that contains its subject, its purpose and its expiry", async () => {
  const { status, body } = await requestToken(sandbox);
  expect(status).toBe(200);
  expect(body).toMatchObject({ token_type: "Bearer", expires_in: 3599 });
  const payload = String(body.access_token).split(".")[1] ?? "";
  expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toMatchObject({
    tid: sandbox.tenantId,
    appid: sandbox.clientId,
    roles: ["User.Read.All"],
    exp: Math.floor(clock.now() / 1000) + 3599,
  });
});

it.each([
  ["client secret", { client_secret: "wrong" }, 401, "invalid_client", "AADSTS7000215"],
  [
    "client id",
    { client_id: "00000000-0000-4000-8000-000000000000" },
    400,
    "unauthorized_client",
    "AADSTS700016",
  ],
  ["tenant", { tenant: "00000000-0000-4000-8000-000000000000" }, 400, "invalid_request", "AADSTS90002"],
  ["scope", { scope: "openid" }, 400, "invalid_scope", "AADSTS1002012"],
])("refuses a wrong %s as Entra does", async (_, wrong, expectedStatus, error, code) => {
  const { status, body } = await requestToken(sandbox, wrong);
  expect({ status, error: body.error }).toEqual({ status: expectedStatus, error });
  expect(body.error_description).toMatch(new RegExp(`^${code}: `));
  expect(JSON.stringify(body)).not.toContain(sandbox.clientSecret);
});

it("refuses Graph calls without a token, with a forged, an expired or a revoked one", async () => {
  const token = String((await requestToken(sandbox)).body.access_token);
  const refused = { statusCode: 401, code: "InvalidAuthenticationToken" };
  await expect(graphWith(sandbox, token).get("/users?$top=1")).resolves.toHaveProperty("value");

  expect((await fetch(`${sandbox.graphUrl}/v1.0/users`)).status).toBe(401);
  const [header, payload] = token.split(".");
  await expect(graphWith(sandbox, `${header}.${payload}.forged`).get("/users")).rejects.toMatchObject(
    refused,
  );

  sandbox.revokeTokens();
  await expect(graphWith(sandbox, token).get("/users")).rejects.toMatchObject(refused);

  const another = String((await requestToken(sandbox)).body.access_token);
  await expect(graphWith(sandbox, another).get("/users?$top=1")).resolves.toHaveProperty("value");
  clock.advance(3_600_000);
  await expect(graphWith(sandbox, another).get("/users")).rejects.toMatchObject(refused);
});

it("refuses calls whose permission the token lacks", async () => {
  const graph = graphWith(sandbox, String((await requestToken(sandbox)).body.access_token));
  const denied = { statusCode: 403, code: "Authorization_RequestDenied" };
  await expect(graph.get("/users?$top=1")).resolves.toHaveProperty("value");
  await expect(graph.get("/servicePrincipals?$filter=displayName eq 'Lattice SCIM'")).rejects.toMatchObject(
    denied,
  );
  await expect(graph.get("/groups?$filter=displayName eq 'All Employees'")).rejects.toMatchObject(denied);
});
