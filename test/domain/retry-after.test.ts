import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "../../src/domain/retry-after.ts";

const now = Date.parse("2026-11-01T12:00:00Z");

describe("Retry-After", () => {
  it.each([
    ["3", 3000],
    ["0", 0],
    ["0.25", 250],
    ["1.5", 1500],
    [" 12 ", 12_000],
    ["Sun, 01 Nov 2026 12:00:20 GMT", 20_000],
    ["Sun, 01 Nov 2026 11:59:00 GMT", 0],
    ["Sunday, 01-Nov-26 12:00:20 GMT", 20_000],
    ["Sun Nov  1 12:00:20 2026 GMT", 20_000],
    ["-5", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
    [undefined, undefined],
  ])("%j is parsed as %j ms", (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});
