import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError } from "../../src/domain/errors.ts";
import { Secret } from "../../src/domain/secret.ts";
import { createTokenProvider } from "../../src/entra/credential.ts";
import { createGraphReader } from "../../src/entra/graph-client.ts";
import {
  type Answer,
  drain,
  fakeClock,
  graphError,
  never,
  rightSecret,
  sourceFor,
  startGraph,
  tenantId,
} from "./graph-double.ts";

const ann: Answer = { json: { id: "u1" } };
const found = { objectId: "u1" };
const page = { value: [{ id: "u1" }] };

/** Answers with each of `first`, then with `last` for ever. */
const inTurn =
  (first: readonly Answer[], last: Answer) =>
  (_request: unknown, count: number): Answer =>
    first[count - 1] ?? last;

describe("transient faults of Graph", () => {
  it.each([429, 500, 502, 503, 504])("are retried: %i", async (status) => {
    await using graph = await startGraph(inTurn([{ status, text: "" }], ann));
    expect(await sourceFor(graph).readUser("u1", never)).toMatchObject(found);
    expect(graph.requests).toHaveLength(2);
  });

  it.each<[string, Answer]>([
    ["a dropped connection", (response) => response.socket?.destroy()],
    ["JSON that is cut off", { text: '{"id":"u' }],
    ["a page of a proxy", { text: "<html>Sign in</html>", headers: { "content-type": "text/html" } }],
    [
      "a body shorter than announced",
      (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "500" });
        response.write('{"id":"u1"', () => response.socket?.destroy());
      },
    ],
  ])("are retried: %s", async (_name, fault) => {
    await using graph = await startGraph(inTurn([fault, fault], ann));
    expect(await sourceFor(graph).readUser("u1", never)).toMatchObject(found);
    expect(graph.requests).toHaveLength(3);
  });

  it("are retried: no answer in time", async () => {
    await using graph = await startGraph(inTurn([() => undefined], ann));
    expect(await sourceFor(graph, { timeoutMs: 150 }).readUser("u1", never)).toMatchObject(found);
  });

  it.each<[string, Answer, RegExp]>([
    ["503", { status: 503 }, /answered 503 when reading the user/],
    ["cut-off JSON", { text: "{" }, /malformed answer/],
    ["dropped connections", (response) => response.socket?.destroy(), /cannot be reached|terminated/],
  ])("end the read if they last: %s", async (_name, fault, words) => {
    const clock = fakeClock();
    await using graph = await startGraph(() => fault);
    const read = sourceFor(graph, { clock }).readUser("u1", never);
    await expect(read).rejects.toThrow(words);
    await expect(read).rejects.toBeInstanceOf(HostUnavailableError);
    expect(graph.requests).toHaveLength(5);
    expect(clock.sleeps).toHaveLength(4);
  });

  it("name a host that cannot be reached", async () => {
    const closed = await startGraph(() => ann);
    await closed[Symbol.asyncDispose]();
    await using authority = await startGraph(() => ann);
    const source = sourceFor(closed, { authorityHost: authority.origin });
    const { host } = new URL(closed.origin);
    await expect(source.readUser("u1", never)).rejects.toThrow(
      `Graph at ${host} cannot be reached (ECONNREFUSED)`,
    );
  });
});

describe("a pause that Graph asks for with Retry-After", () => {
  const start = Date.parse("2026-11-01T12:00:00Z");

  it.each([
    ["seconds", "17", 17_000],
    ["a fraction", "0.25", 250],
    ["a date", "Sun, 01 Nov 2026 12:01:30 GMT", 90_000],
  ])("is waited for on the clock: %s", async (_name, value, waitMs) => {
    const clock = fakeClock(start);
    await using graph = await startGraph(inTurn([{ status: 429, headers: { "retry-after": value } }], ann));
    expect(await sourceFor(graph, { clock }).readUser("u1", never)).toMatchObject(found);
    expect(clock.sleeps).toEqual([waitMs]);
  });

  it("beyond five minutes ends the read at once", async () => {
    const clock = fakeClock();
    await using graph = await startGraph(() => ({ status: 429, headers: { "retry-after": "900" } }));
    await expect(sourceFor(graph, { clock }).readUser("u1", never)).rejects.toThrow(/Retry-After: 900/);
    expect(graph.requests).toHaveLength(1);
    expect(clock.sleeps).toEqual([]);
  });
});

describe("the token of the Graph client", () => {
  it("is renewed once on a 401", async () => {
    await using graph = await startGraph((request) =>
      request.authorization === "Bearer token-1" ? graphError(401, "InvalidAuthenticationToken") : ann,
    );
    const source = sourceFor(graph);
    expect(await source.readUser("u1", never)).toMatchObject(found);
    expect(await source.readUser("u1", never)).toMatchObject(found);
    expect(graph.requests.map((request) => request.authorization)).toEqual([
      "Bearer token-1",
      "Bearer token-2",
      "Bearer token-2",
    ]);
  });

  it("that is refused although it is new stops the cycle and hints at the clock", async () => {
    const clock = fakeClock(Date.now() - 3_600_000);
    await using graph = await startGraph(() =>
      graphError(401, "InvalidAuthenticationToken", "Lifetime validation failed."),
    );
    const read = sourceFor(graph, { clock }).readUser("u1", never);
    await expect(read).rejects.toBeInstanceOf(ConfigurationError);
    await expect(read).rejects.toThrow(/newly issued token.*clock is 60 minutes behind/);
    expect(graph.requests).toHaveLength(2);
  });

  it("is requested again shortly before it expires", async () => {
    const clock = fakeClock();
    await using graph = await startGraph(() => ann);
    const source = sourceFor(graph, { clock });
    await source.readUser("u1", never);
    await clock.sleep(54 * 60_000);
    await source.readUser("u1", never);
    expect(graph.tokenRequests).toHaveLength(1);
    await clock.sleep(2 * 60_000);
    await source.readUser("u1", never);
    expect(graph.tokenRequests).toHaveLength(2);
  });

  it("that is refused for a wrong secret is explained without the secret", async () => {
    const refusal = {
      error: "invalid_client",
      error_description: "AADSTS7000215: no",
      error_codes: [7000215],
    };
    await using graph = await startGraph(
      () => ann,
      () => ({ status: 401, json: refusal }),
    );
    const read = sourceFor(graph).readUser("u1", never);
    await expect(read).rejects.toBeInstanceOf(ConfigurationError);
    await expect(read).rejects.toThrow(/AADSTS7000215.*Copy the secret's value/);
    await expect(read).rejects.not.toThrow(rightSecret);
    expect(graph.requests).toEqual([]);
  });

  it("is waited for if the authority is busy", async () => {
    await using graph = await startGraph(
      () => ann,
      (_form, count) =>
        count === 1
          ? { status: 503, headers: { "retry-after": "2" } }
          : { json: { access_token: "late", expires_in: 3600 } },
    );
    const clock = fakeClock();
    expect(await sourceFor(graph, { clock }).readUser("u1", never)).toMatchObject(found);
    expect(clock.sleeps).toEqual([2000]);
    expect(graph.requests[0]?.authorization).toBe("Bearer late");
  });

  it("cannot be had from an authority that is down, which is named", async () => {
    const closed = await startGraph(() => ann);
    await closed[Symbol.asyncDispose]();
    await using graph = await startGraph(() => ann);
    const read = sourceFor(graph, { authorityHost: closed.origin }).readUser("u1", never);
    await expect(read).rejects.toBeInstanceOf(HostUnavailableError);
    await expect(read).rejects.toThrow(`authority ${new URL(closed.origin).host} cannot be reached`);
    expect(graph.requests).toEqual([]);
  });
});

describe("another host than Graph's", () => {
  it.each(["nextLink", "deltaLink"])("named by a %s is never asked", async (link) => {
    await using stranger = await startGraph(() => ({ json: { value: [] } }));
    await using graph = await startGraph(() => ({
      json: { ...page, [`@odata.${link}`]: `${stranger.origin}/v1.0/users/delta?t=2` },
    }));
    const read = drain(sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never));
    await expect(read).rejects.toBeInstanceOf(ConfigurationError);
    await expect(read).rejects.toThrow(/points to another host .*not followed/);
    // Same name, another port: Microsoft's own check of hosts would have sent the token there.
    expect(stranger.requests).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])("named by a redirect (%i) is never asked", async (status) => {
    await using stranger = await startGraph(() => ann);
    await using graph = await startGraph(() => ({
      status,
      headers: { location: `${stranger.origin}/v1.0/users/u1` },
    }));
    const read = sourceFor(graph).readUser("u1", never);
    await expect(read).rejects.toBeInstanceOf(ConfigurationError);
    await expect(read).rejects.toThrow(/redirect .*not followed/);
    expect(stranger.requests).toEqual([]);
    expect(graph.requests).toHaveLength(1);
  });

  it("gets neither the secret nor the form if the token endpoint redirects", async () => {
    await using stranger = await startGraph(() => ann);
    await using graph = await startGraph(
      () => ann,
      () => ({ status: 307, headers: { location: `${stranger.origin}/${tenantId}/oauth2/v2.0/token` } }),
    );
    await expect(sourceFor(graph).readUser("u1", never)).rejects.toThrow(
      /redirect \(307\), which is not followed/,
    );
    expect(stranger.tokenRequests).toEqual([]);
  });
});

describe("refusals of Graph", () => {
  it("name the permission that is missing", async () => {
    await using graph = await startGraph(() => graphError(403, "Authorization_RequestDenied"));
    const read = drain(sourceFor(graph).readAll(never));
    await expect(read).rejects.toBeInstanceOf(ConfigurationError);
    await expect(read).rejects.toThrow(/may not read users .*User\.Read\.All.*admin consent/);
    expect(graph.requests).toHaveLength(1);
  });

  it("carry Graph's request id", async () => {
    await using graph = await startGraph(() => ({
      status: 400,
      headers: { "request-id": "r-1" },
      json: { error: { code: "Request_BadRequest", message: "Could not find a property named 'x'." } },
    }));
    await expect(sourceFor(graph).readUser("u1", never)).rejects.toThrow(
      /property named 'x'.*request-id r-1/,
    );
  });

  it("are read only up to the size limit", async () => {
    await using graph = await startGraph(() => ({ text: JSON.stringify({ id: "x".repeat(2000) }) }));
    const graphUrl = new URL(graph.origin);
    const common = { graphUrl, clock: fakeClock(), log: undefined, timeoutMs: 5000 };
    const credential = { kind: "clientSecret", secret: new Secret(rightSecret) } as const;
    const tokens = createTokenProvider({
      ...common,
      tenantId,
      clientId: "app-id",
      credential,
      authority: graphUrl,
    });
    const reader = createGraphReader({ ...common, tokens, userAgent: "test", maximumBytes: 1000 });
    const call = { subject: "users", permission: "User.Read.All" };
    await expect(reader.get(new URL("/v1.0/users", graphUrl), call, never)).rejects.toThrow(
      /more than 1000 bytes/,
    );
    expect(graph.requests).toHaveLength(1);
    expect(graph.requests[0]?.headers["user-agent"]).toBe("test");
  });
});

describe("the signal of a Graph request", () => {
  it("ends a request under way with its reason", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    await using graph = await startGraph(() => () => controller.abort(reason));
    await expect(sourceFor(graph).readUser("u1", controller.signal)).rejects.toBe(reason);
    expect(graph.requests).toHaveLength(1);
  });

  it("ends the wait for a token with its reason", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    await using graph = await startGraph(
      () => ann,
      () => () => controller.abort(reason),
    );
    await expect(sourceFor(graph).readUser("u1", controller.signal)).rejects.toBe(reason);
  });

  it("that has already aborted prevents every request", async () => {
    await using graph = await startGraph(() => ann);
    const reason = new Error("stop");
    await expect(sourceFor(graph).readUser("u1", AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(graph.tokenRequests).toEqual([]);
  });
});
