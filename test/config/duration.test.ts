import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/config/duration.ts";

describe("parseDuration", () => {
  it.each([
    ["45m", 2_700_000],
    ["2h", 7_200_000],
    ["90s", 90_000],
    ["1d", 86_400_000],
    ["500ms", 500],
    ["1h30m", 5_400_000],
    ["1d12h", 129_600_000],
    ["1m500ms", 60_500],
    ["0s", 0],
  ])("reads %s as %i ms", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(["", "45", "m", "45 m", "-5m", "1.5h", "30m1h", "1h1h", "1w", "m5", "99999999999999999999d"])(
    "refuses %j",
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );
});

describe("formatDuration", () => {
  it.each(["45m", "1h30m", "1d", "1m30s", "1m500ms", "500ms", "0s"])(
    "writes a text that parses to the same value: %s",
    (text) => {
      expect(formatDuration(parseDuration(text) ?? Number.NaN)).toBe(text);
    },
  );
});
