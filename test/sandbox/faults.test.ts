import { afterEach, beforeEach, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { requestToken, scim, userSchema } from "./clients.ts";

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ file: ":memory:", people: 20, requestLogSize: 3 });
});
afterEach(() => sandbox.close());

const create = () => scim(sandbox, "POST", "/Users", { schemas: [userSchema], userName: "mira@example.com" });
const created = () => sandbox.lattice.byUserName("mira@example.com") !== undefined;

it("answers in place of the service", async () => {
  sandbox.onRequest = ({ method }) =>
    method === "POST"
      ? { status: 503, headers: { "Retry-After": "7" }, body: { detail: "later" } }
      : undefined;
  const answer = await create();
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("7");
  expect(answer.body).toEqual({ detail: "later" });
  expect(created()).toBe(false);
  expect((await scim(sandbox, "GET", "/Users")).status).toBe(200);
});

it("drops a connection before the request is carried out", async () => {
  sandbox.onRequest = () => "drop";
  await expect(create()).rejects.toThrow();
  expect(created()).toBe(false);
});

it("drops a connection after the request was carried out", async () => {
  sandbox.onRequest = () => "dropAfter";
  await expect(create()).rejects.toThrow();
  expect(created()).toBe(true);
});

it("carries a request out and sends half of the answer", async () => {
  sandbox.onRequest = () => ({ truncate: true });
  await expect(create()).rejects.toThrow();
  expect(created()).toBe(true);
});

it("delays an answer", async () => {
  sandbox.onRequest = () => ({ delayMs: 60 });
  const before = performance.now();
  expect((await create()).status).toBe(201);
  expect(performance.now() - before).toBeGreaterThan(50);
});

it("shows the interceptor what was sent, and waits for it", async () => {
  const seen: string[] = [];
  sandbox.onRequest = async ({ host, method, path, body }) => {
    await new Promise(setImmediate);
    seen.push(`${host} ${method} ${path} ${body.includes("mira@example.com")}`);
    return undefined;
  };
  await create();
  await requestToken(sandbox);
  expect(seen).toEqual([
    "lattice POST /scim/v2/Users true",
    `token POST /${sandbox.tenantId}/oauth2/v2.0/token false`,
  ]);
});

it("lists the latest requests and counts all", async () => {
  for (let index = 0; index < 5; index += 1) await scim(sandbox, "GET", `/Users?startIndex=${index + 1}`);
  await requestToken(sandbox);
  await fetch(`${sandbox.graphUrl}/v1.0/users`);
  expect([...sandbox.requests]).toEqual([
    { host: "lattice", method: "GET", path: "/scim/v2/Users?startIndex=5", status: 200 },
    { host: "token", method: "POST", path: `/${sandbox.tenantId}/oauth2/v2.0/token`, status: 200 },
    { host: "entra", method: "GET", path: "/v1.0/users", status: 401 },
  ]);
  expect(sandbox.requests.count()).toBe(7);
  expect(sandbox.requests.count({ host: "lattice" })).toBe(5);
  expect(sandbox.requests.count({ host: "entra", status: 401 })).toBe(1);
  sandbox.requests.clear();
  expect([sandbox.requests.count(), sandbox.requests.length]).toEqual([0, 0]);
});
