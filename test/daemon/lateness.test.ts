import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLateness } from "../../src/daemon/lateness.ts";
import type { Schedule } from "../../src/daemon/scheduler.ts";

const minuteMs = 60_000;
const late = (schedule: Schedule, ended: string, now: string): boolean => {
  vi.setSystemTime(now);
  return createLateness()(schedule, Date.parse(ended), Date.parse(now));
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

  it("if a rare cron expression has fired twice since then, also if that was months before the daemon started", () => {
    const monthly: Schedule = { kind: "cron", cron: "0 3 1 * *", timezone: "UTC" };
    expect(late(monthly, "2026-08-01T03:05Z", "2026-09-30T12:00Z")).toBe(false);
    expect(late(monthly, "2026-08-01T03:05Z", "2026-10-20T12:00Z")).toBe(true);
    const quarterly: Schedule = { kind: "cron", cron: "0 3 1 */3 *", timezone: "Europe/Berlin" };
    expect(late(quarterly, "2026-01-01T03:05Z", "2026-06-30T12:00Z")).toBe(false);
    expect(late(quarterly, "2026-01-01T03:05Z", "2026-09-15T12:00Z")).toBe(true);
  });
});
