import { describe, expect, it } from "vitest";
import { createLatticeTarget } from "../../src/lattice/target.ts";
import { json, listOf, optionsFor, quiet, serve } from "./loopback.ts";

describe("Lattice's clock", () => {
  const ours = Date.UTC(2026, 10, 23, 8);
  const clock = { now: () => ours, sleep: async () => undefined };
  const minuteMs = 60_000;

  it("is known from any answer, and requested once if there was none", async () => {
    const date = new Date(ours + 7 * minuteMs).toUTCString();
    const server = await serve((_request, response) => json(response, 403, {}, { date }));
    const target = createLatticeTarget({ ...optionsFor(server.url), clock });
    expect(await target.clockSkewMs(quiet)).toBe(7 * minuteMs);
    expect(await target.clockSkewMs(quiet)).toBe(7 * minuteMs);
    expect(server.requests).toHaveLength(1);
    target.close();
  });

  it("is that of the last answer if a request was sent anyway", async () => {
    const date = new Date(ours - 90 * minuteMs).toUTCString();
    const server = await serve((_request, response) => json(response, 200, listOf([]), { date }));
    const target = createLatticeTarget({ ...optionsFor(server.url), clock });
    await target.find("userName", "a@example.com", quiet);
    expect(await target.clockSkewMs(quiet)).toBe(-90 * minuteMs);
    expect(server.requests).toHaveLength(1);
    target.close();
  });

  it("is unknown if an answer shows no time", async () => {
    const server = await serve((_request, response) => {
      response.sendDate = false;
      json(response, 200, listOf([]));
    });
    const target = createLatticeTarget({ ...optionsFor(server.url), clock });
    expect(await target.clockSkewMs(quiet)).toBeUndefined();
    target.close();
  });
});
