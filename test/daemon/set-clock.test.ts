import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createScheduler, type Schedule, type Scheduler } from "../../src/daemon/scheduler.ts";
import { createSlot } from "../../src/daemon/slot.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const every45: Schedule = { kind: "every", everyMs: 45 * minuteMs, timezone: "UTC" };

describe("a daemon whose clock is set", () => {
  const starts: number[] = [];
  let outcome: "finished" | "retrySoon" = "finished";
  let scheduler: Scheduler;

  const start = (schedule: Schedule): void => {
    const slot = createSlot();
    scheduler = createScheduler({
      schedule,
      clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
      slot,
      cycles: {
        notBefore: async () => 0,
        lastStartedAt: async () => starts.at(-1) ?? null,
        run: async () => {
          starts.push(Date.now());
          return outcome;
        },
        onError: (error) => {
          throw error;
        },
      },
    });
    slot.open();
    scheduler.start();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(new Date("2026-06-01T00:00:02Z"));
    starts.length = 0;
    outcome = "finished";
  });
  afterEach(async () => {
    await scheduler.stop();
    vi.useRealTimers();
  });

  it.each([
    ["three years back", -3 * 365 * dayMs],
    ["three years forward", 3 * 365 * dayMs],
    ["an hour back", -60 * minuteMs],
    ["a day forward", dayMs],
  ])("starts the next cycle at once and keeps its distance from there: %s", async (_name, jumpMs) => {
    start(every45);
    await vi.advanceTimersByTimeAsync(50 * minuteMs);
    expect(starts).toHaveLength(2);

    vi.setSystemTime(Date.now() + jumpMs);
    await vi.advanceTimersByTimeAsync(minuteMs);
    expect(starts).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(100 * minuteMs);
    expect(starts).toHaveLength(5);
    expect(Math.abs((starts[4] ?? 0) - (starts[3] ?? 0) - 45 * minuteMs)).toBeLessThanOrEqual(1_000);
  });

  it("follows a cron expression by the new time", async () => {
    start({ kind: "cron", cron: "*/10 * * * *", timezone: "UTC" });
    await vi.advanceTimersByTimeAsync(11 * minuteMs);
    expect(starts).toHaveLength(1);
    vi.setSystemTime(new Date("2023-06-01T00:00:00Z"));
    await vi.advanceTimersByTimeAsync(25 * minuteMs);
    expect(starts.slice(1).map((time) => new Date(time).toISOString().slice(0, 16))).toEqual([
      "2023-06-01T00:10",
      "2023-06-01T00:20",
    ]);
  });

  it("does not delay the retry after an outage", async () => {
    outcome = "retrySoon";
    start(every45);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(starts).toHaveLength(1);
    vi.setSystemTime(new Date("2023-06-01T00:00:00Z"));
    await vi.advanceTimersByTimeAsync(minuteMs);
    expect(starts).toHaveLength(2);
  });

  it("ignores the small corrections of a time server", async () => {
    start(every45);
    await vi.advanceTimersByTimeAsync(10_000);
    for (let hour = 0; hour < 3; hour += 1) {
      vi.setSystemTime(Date.now() - 2_000);
      await vi.advanceTimersByTimeAsync(60 * minuteMs);
    }
    expect(starts).toHaveLength(5);
  });
});
