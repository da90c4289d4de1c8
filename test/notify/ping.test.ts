import { describe, expect, it } from "vitest";
import { Secret } from "../../src/domain/secret.ts";
import { ping } from "../../src/notify/ping.ts";
import { startReceiver } from "./receiver.ts";

const signal = new AbortController().signal;
const clock = { now: () => 0, sleep: async () => {} };

describe("the dead-man's ping", () => {
  it("is tried three times, with the configured method", async () => {
    await using receiver = await startReceiver(500, (response) => response.destroy(), 200);
    const url = new Secret(`${receiver.origin}/uuid?a=b`);
    const answer = await ping({ url, method: "GET", failures: false }, "good", clock, signal);
    expect(answer).toMatchObject({ ok: true });
    expect(receiver.got.map(({ method, path }) => [method, path])).toEqual(
      Array.from({ length: 3 }, () => ["GET", "/uuid?a=b"]),
    );
  });

  it("reports a bad end if configured, below the same path", async () => {
    await using receiver = await startReceiver(200);
    const url = new Secret(`${receiver.origin}/uuid/?a=b`);
    expect(await ping({ url, method: "POST", failures: false }, "bad", clock, signal)).toBeNull();
    await ping({ url, method: "POST", failures: true }, "bad", clock, signal);
    expect(receiver.got.map(({ method, path }) => [method, path])).toEqual([["POST", "/uuid/fail?a=b"]]);
  });

  it("is not repeated if it is refused", async () => {
    await using receiver = await startReceiver(404);
    const url = new Secret(`${receiver.origin}/uuid`);
    expect(await ping({ url, method: "POST", failures: true }, "good", clock, signal)).toMatchObject({
      ok: false,
    });
    expect(receiver.got).toHaveLength(1);
  });
});
