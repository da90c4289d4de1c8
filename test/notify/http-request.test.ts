import { describe, expect, it } from "vitest";
import { sendHttp } from "../../src/notify/http-request.ts";
import { startReceiver } from "./receiver.ts";

const dayMs = 24 * 60 * 60 * 1000;

describe("a request to a receiver of notifications that asks for a pause", () => {
  it.each([
    ["in seconds", "120", 120_000],
    ["in part of a second", "0.5", 500],
    ["until a date, for a day at most", "Tue, 31 Dec 2999 23:59:59 GMT", dayMs],
    ["in more seconds than a day has", "999999", dayMs],
    ["until a date in the past, which is none", "Thu, 01 Jan 1998 00:00:00 GMT", undefined],
    ["in a form that cannot be read", "soon", undefined],
  ])("%s", async (_form, retryAfter, expected) => {
    await using receiver = await startReceiver(
      (response) => void response.writeHead(503, { "retry-after": retryAfter }).end(),
    );
    const request = { method: "GET", headers: {}, timeoutMs: 10_000 } as const;
    const answer = await sendHttp(receiver.origin, request, new AbortController().signal);
    expect(answer).toMatchObject({ ok: false, refused: false });
    expect("retryAfterMs" in answer ? answer.retryAfterMs : undefined).toBe(expected);
  });
});
