import { describe, expect, it } from "vitest";
import { HostUnavailableError, UnknownOutcomeError } from "../../src/domain/errors.ts";
import { connect, failureOf, json, listOf, quiet, scimError, serve } from "./loopback.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const newcomer = [{ path: "userName", value: "ada@example.com" }];

describe("a 429 of Lattice", () => {
  it.each([
    ["seconds", () => "30", 30_000],
    ["a fraction", () => "2.5", 2500],
    ["a date", (clock: VirtualClock) => new Date(clock.now() + 45_000).toUTCString(), 45_000],
    ["nothing", () => undefined, 100],
  ])("with a Retry-After of %s pauses the whole host", async (_case, retryAfter, pauseMs) => {
    const times: number[] = [];
    let pausedAt = 0;
    const server = await serve((_request, response) => {
      times.push(connection.clock.now());
      if (times.length === 1) {
        pausedAt = connection.clock.now();
        const header = retryAfter(connection.clock);
        scimError(response, 429, "slow down", {
          headers: header === undefined ? {} : { "Retry-After": header },
        });
      } else {
        json(response, 200, listOf([]));
      }
    });
    const connection = connect(server.url, { maxConcurrency: 1 });
    const { target } = connection;
    await Promise.all([1, 2, 3, 4].map((index) => target.find("externalId", `o-${index}`, quiet)));
    expect(times).toHaveLength(5);
    for (const at of times.slice(1)) expect(at).toBeGreaterThanOrEqual(pausedAt + pauseMs);
    expect(times[1]).toBeLessThan(pausedAt + pauseMs + 1000);
    expect(target.stats()).toEqual({ requests: 5, throttled: 1 });
  });

  it("on a create means that it was not carried out, so the create is sent again", async () => {
    const server = await serve((_request, response) =>
      server.requests.length < 3
        ? scimError(response, 429, "busy", { headers: { "Retry-After": "1" } })
        : json(response, 201, { id: "l-1", userName: "ada@example.com" }),
    );
    const receipt = await connect(server.url).target.create(newcomer, quiet);
    expect(receipt.user.latticeId).toBe("l-1");
    expect(server.requests).toHaveLength(3);
  });

  it("as a 503 leaves open whether a create was carried out, and also pauses the host", async () => {
    const server = await serve(({ method }, response) =>
      method === "POST"
        ? scimError(response, 503, "busy", { headers: { "Retry-After": "7" } })
        : json(response, 200, listOf([])),
    );
    const { target, clock } = connect(server.url);
    expect(await failureOf(target.create(newcomer, quiet))).toBeInstanceOf(UnknownOutcomeError);
    expect(await target.find("userName", "ada@example.com", quiet)).toEqual([]);
    expect(server.requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
    expect(clock.sleeps).toEqual([7000]);
  });

  it("without end makes the host unavailable", async () => {
    const server = await serve((_request, response) => scimError(response, 429, "slow down"));
    const failure = await failureOf(connect(server.url).target.create(newcomer, quiet));
    expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(server.requests).toHaveLength(10);
  });

  it("with a wait of hours ends at once, also for waiting requests", async () => {
    const server = await serve((_request, response) =>
      scimError(response, 429, "come tomorrow", { headers: { "Retry-After": "86400" } }),
    );
    const { target, clock } = connect(server.url, { maxConcurrency: 1 });
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(target.create(newcomer, quiet))));
    for (const failure of failures) expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(failures[0]?.message).toContain("1,440 minutes");
    expect(server.requests).toHaveLength(1);
    expect(clock.sleeps).toEqual([]);
  });

  it("ends its pause on an abort", async () => {
    const controller = new AbortController();
    const server = await serve((_request, response) => {
      controller.abort(new Error("stop"));
      scimError(response, 429, "slow down");
    });
    const failure = await failureOf(connect(server.url).target.create(newcomer, controller.signal));
    expect(failure.message).toBe("stop");
    expect(server.requests).toHaveLength(1);
  });
});

describe("an abort of a request to Lattice", () => {
  it("before sending prevents the request", async () => {
    const server = await serve((_request, response) => json(response, 201, { id: "l-1" }));
    const { target } = connect(server.url);
    const stopped = AbortSignal.abort(new Error("stop"));
    expect((await failureOf(target.create(newcomer, stopped))).message).toBe("stop");
    expect((await failureOf(target.get("l-1", stopped))).message).toBe("stop");
    expect(server.requests).toEqual([]);
  });

  it("lets a write under way finish", async () => {
    const controller = new AbortController();
    const server = await serve(({ method }, response) => {
      controller.abort(new Error("stop"));
      setTimeout(
        () => json(response, method === "POST" ? 201 : 200, { id: "l-1", userName: "ada@example.com" }),
        30,
      );
    });
    const { target } = connect(server.url);
    const { user } = await target.create(newcomer, controller.signal);
    expect(user.latticeId).toBe("l-1");
  });

  it("lets an update under way finish", async () => {
    const controller = new AbortController();
    const server = await serve((_request, response) => {
      controller.abort(new Error("stop"));
      setTimeout(() => response.writeHead(204).end(), 30);
    });
    const user = {
      latticeId: "l-1",
      userName: "a@example.com",
      externalId: null,
      active: true,
      values: {},
    };
    const receipt = await connect(server.url).target.update(
      user,
      [{ path: "title", value: "Chief" }],
      controller.signal,
    );
    expect(receipt.status).toBe(204);
  });

  it("cancels a read under way", async () => {
    const controller = new AbortController();
    const server = await serve(() => controller.abort(new Error("stop")));
    const failure = await failureOf(
      connect(server.url, { timeoutMs: 60_000 }).target.get("l-1", controller.signal),
    );
    expect(failure.message).toBe("stop");
  });
});
