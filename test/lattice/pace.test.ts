import { describe, expect, it } from "vitest";
import { answered, complained, delayBefore, type Pace, started, startPace } from "../../src/lattice/pace.ts";
import { parseRetryAfter } from "../../src/lattice/retry-after.ts";

const NOW = Date.UTC(2026, 0, 5, 9);

function startMany(pace: Pace, times: number, everyMs: number): Pace {
  let current = pace;
  for (let index = 0; index < times; index += 1) current = started(current, NOW + index * everyMs);
  return current;
}

describe("the pace", () => {
  it("knows no delay while the host has not complained and no ceiling is set", () => {
    expect(delayBefore(startMany(startPace(null), 100, 0), NOW)).toBe(0);
  });

  it("spaces requests evenly under a ceiling", () => {
    expect(delayBefore(started(startPace(10), NOW), NOW)).toBe(100);
    expect(delayBefore(started(startPace(10), NOW), NOW + 100)).toBe(0);
  });

  it("pauses for as long as the host says", () => {
    const pace = complained(started(startPace(null), NOW), NOW, NOW, 7000);
    expect(delayBefore(pace, NOW)).toBe(7000);
  });

  it("pauses for a second where the host does not say, twice as long each time, up to a minute", () => {
    let pace = startPace(null);
    let now = NOW;
    const pauses: number[] = [];
    for (let index = 0; index < 8; index += 1) {
      pace = complained(pace, now, now, undefined);
      pauses.push(pace.pausedUntil - now);
      now = pace.pausedUntil;
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    pace = answered(pace, now);
    pace = complained(pace, now + 1, now + 1, undefined);
    expect(pace.pausedUntil - now - 1).toBe(1000);
  });

  it("halves the rate seen, once for all complaints about requests that ran side by side", () => {
    const fast = startMany(startPace(null), 20, 10);
    const once = complained(fast, NOW + 250, NOW, 1000);
    expect(once.rate).toBe(10);
    const sideBySide = complained(once, NOW + 260, NOW + 100, 1000);
    expect(sideBySide.rate).toBe(10);
    expect(complained(sideBySide, NOW + 2000, NOW + 1500, 1000).rate).toBe(5);
  });

  it("gains about one request a second for each second without a complaint", () => {
    let pace = complained(startMany(startPace(null), 20, 10), NOW + 250, NOW, 0);
    for (let index = 0; index < 10; index += 1) pace = answered(pace, NOW + 2000);
    expect(pace.rate).toBeGreaterThan(10.9);
    expect(pace.rate).toBeLessThan(11.1);
  });

  it("never exceeds the ceiling, however much it gained", () => {
    let pace = complained(startMany(startPace(10), 10, 100), NOW + 1000, NOW + 900, 0);
    for (let index = 0; index < 1000; index += 1) pace = answered(pace, NOW + 2000);
    expect(delayBefore(started(pace, NOW + 9000), NOW + 9000)).toBe(100);
  });
});

describe("Retry-After", () => {
  it.each([
    ["3", 3000],
    ["0", 0],
    ["0.25", 250],
    [" 12 ", 12_000],
    [new Date(NOW + 90_000).toUTCString(), 90_000],
    [new Date(NOW - 90_000).toUTCString(), 0],
    ["-5", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%j is read as %j ms", (header, expected) => {
    expect(parseRetryAfter(header, NOW)).toBe(expected);
  });
});
