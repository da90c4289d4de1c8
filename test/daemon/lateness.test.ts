import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFirings } from "../../src/daemon/firing.ts";
import { isLate } from "../../src/daemon/lateness.ts";
import type { Schedule } from "../../src/daemon/scheduler.ts";

const minuteMs = 60_000;
const late = (schedule: Schedule, ended: string, now: string): boolean => {
  vi.setSystemTime(now);
  return isLate(schedule, Date.parse(ended), Date.parse(now), createFirings());
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a cycle that has ended is too long ago", () => {
  it("after two intervals", () => {
    const every: Schedule = { kind: "every", everyMs: 45 * minuteMs, timezone: "UTC" };
    expect(late(every, "2026-03-02T08:00Z", "2026-03-02T09:29:59Z")).toBe(false);
    expect(late(every, "2026-03-02T08:00Z", "2026-03-02T09:30Z")).toBe(true);
  });

  it("if the cron expression has fired twice since then, however long the time between", () => {
    // 6 March 2026 is a Friday.
    const onWeekdays: Schedule = { kind: "cron", cron: "0 8-18 * * 1-5", timezone: "UTC" };
    expect(late(onWeekdays, "2026-03-06T18:05Z", "2026-03-08T23:59Z")).toBe(false);
    expect(late(onWeekdays, "2026-03-06T18:05Z", "2026-03-09T08:59Z")).toBe(false);
    expect(late(onWeekdays, "2026-03-06T18:05Z", "2026-03-09T09:00Z")).toBe(true);
    expect(late(onWeekdays, "2026-03-06T16:05Z", "2026-03-07T12:00Z")).toBe(true);
    const weekly: Schedule = { kind: "cron", cron: "0 3 * * 1", timezone: "UTC" };
    expect(late(weekly, "2026-03-02T03:05Z", "2026-03-15T23:59Z")).toBe(false);
    expect(late(weekly, "2026-03-02T03:05Z", "2026-03-16T03:00Z")).toBe(true);
  });
});
