import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../src/domain/errors.ts";
import { decideRetry, maximumAttempts, PassingFault, withRetries } from "../../src/entra/retry.ts";
import { fakeClock, never } from "./graph-double.ts";

const now = Date.parse("2026-11-01T12:00:00Z");
const status = (code: number, retryAfter: string | null = null) =>
  ({ kind: "status", status: code, retryAfter }) as const;

describe("decideRetry", () => {
  it("doubles the pause and adds at most half as much", () => {
    const waits = [1, 2, 3, 4].map((attempt) => decideRetry(attempt, { kind: "network" }, now, 0));
    expect(waits).toEqual([500, 1000, 2000, 4000].map((waitMs) => ({ kind: "wait", waitMs })));
    expect(decideRetry(1, { kind: "timeout" }, now, 1)).toEqual({ kind: "wait", waitMs: 750 });
  });

  it.each([408, 429, 500, 502, 503, 504])("tries again after %i", (code) => {
    expect(decideRetry(1, status(code), now, 0)).toEqual({ kind: "wait", waitMs: 500 });
  });

  it.each([400, 401, 403, 404, 410, 501])("does not try again after %i", (code) => {
    expect(decideRetry(1, status(code), now, 0)).toEqual({ kind: "giveUp", why: "final" });
  });

  it("prefers Retry-After to its own pause", () => {
    expect(decideRetry(4, status(429, "0.2"), now, 1)).toEqual({ kind: "wait", waitMs: 200 });
    expect(decideRetry(1, status(503, "Sun, 01 Nov 2026 12:02:00 GMT"), now, 0)).toEqual({
      kind: "wait",
      waitMs: 120_000,
    });
  });

  it("gives up if the pause would be longer than 300 s, and after the last attempt", () => {
    expect(decideRetry(1, status(429, "300"), now, 0)).toEqual({ kind: "wait", waitMs: 300_000 });
    expect(decideRetry(1, status(429, "301"), now, 0)).toEqual({ kind: "giveUp", why: "tooLong" });
    expect(decideRetry(maximumAttempts, { kind: "malformed" }, now, 0)).toEqual({
      kind: "giveUp",
      why: "exhausted",
    });
  });
});

describe("withRetries", () => {
  const fault = () => new PassingFault({ kind: "network" }, new HostUnavailableError("down"));

  it("waits on the clock and throws the verdict after the last attempt", async () => {
    const clock = fakeClock();
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      throw fault();
    };
    const run = withRetries(attempt, { clock, signal: never, log: undefined, what: "x" });
    await expect(run).rejects.toThrow(new HostUnavailableError("down"));
    expect(calls).toBe(maximumAttempts);
    expect(clock.sleeps).toHaveLength(maximumAttempts - 1);
  });

  it("does not repeat another error, not even a TypeError of ours", async () => {
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      throw new TypeError("a bug");
    };
    const context = { clock: fakeClock(), signal: never, log: undefined, what: "x" };
    await expect(withRetries(attempt, context)).rejects.toThrow("a bug");
    expect(calls).toBe(1);
  });

  it("ends a pause with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const clock = {
      now: () => now,
      sleep: (_milliseconds: number, signal?: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
          controller.abort(reason);
        }),
    };
    const attempt = () => Promise.reject(fault());
    const run = withRetries(attempt, { clock, signal: controller.signal, log: undefined, what: "x" });
    await expect(run).rejects.toBe(reason);
  });
});
