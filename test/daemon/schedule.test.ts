import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextDueAt, retryDueAt } from "../../src/cycle/health/schedule.ts";
import { createScheduler, type Schedule, type Scheduler } from "../../src/daemon/scheduler.ts";
import { createSlot, type Slot } from "../../src/daemon/slot.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const every45: Schedule = { kind: "every", everyMs: 45 * minuteMs, timezone: "UTC" };

describe("the schedule", () => {
  const starts: number[] = [];
  let durationMs = 0;
  let running = 0;
  let mostRunning = 0;
  let notBefore = 0;

  interface Running extends Pick<Scheduler, "intervalMs" | "nextCronAt" | "reschedule"> {
    readonly slot: Slot;
    /** Resolves when a cycle under way has ended. */
    stop(): Promise<void>;
  }

  const start = (schedule: Schedule): Running => {
    const slot = createSlot();
    const scheduler = createScheduler({
      schedule,
      clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
      slot,
      cycles: {
        // As the database gives it: the start of the last cycle, whichever process ran it.
        notBefore: async () => notBefore,
        lastStartedAt: async () => starts.at(-1) ?? null,
        run: async () => {
          starts.push(Date.now());
          running += 1;
          mostRunning = Math.max(mostRunning, running);
          await new Promise((resolve) => setTimeout(resolve, durationMs));
          running -= 1;
          return "finished";
        },
        onError: (error) => {
          throw error;
        },
      },
    });
    slot.open();
    scheduler.start();
    const stop = async (): Promise<void> => {
      const ended = slot.close();
      await scheduler.stop();
      await ended;
    };
    return { ...scheduler, slot, stop };
  };

  beforeEach(() => {
    vi.useFakeTimers();
    starts.length = 0;
    durationMs = minuteMs;
    running = 0;
    mostRunning = 0;
    notBefore = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const gaps = (): number[] => starts.slice(1).map((time, index) => time - (starts[index] ?? 0));

  it("waits for the end of a quarantine, with an interval or a cron expression", async () => {
    vi.setSystemTime(new Date("2026-03-02T08:00:00Z"));
    notBefore = Date.now() + 3 * hourMs;
    for (const schedule of [every45, { kind: "cron", cron: "*/15 * * * *", timezone: "UTC" }] as const) {
      starts.length = 0;
      const scheduler = start(schedule);
      await vi.advanceTimersByTimeAsync(notBefore - Date.now() - minuteMs);
      expect(starts).toEqual([]);
      await vi.advanceTimersByTimeAsync(20 * minuteMs);
      expect(starts.length).toBeGreaterThan(0);
      await Promise.all([scheduler.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);
      notBefore = Date.now() + 3 * hourMs;
    }
  });

  it("starts the first cycle at once, and after a restart the one that is due", async () => {
    vi.setSystemTime(new Date("2026-03-02T08:00:01.300Z"));
    const first = start(every45);
    await vi.advanceTimersByTimeAsync(1);
    expect(starts).toEqual([Date.parse("2026-03-02T08:00:01.300Z")]);
    await Promise.all([first.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);
    const early = start(every45);
    await vi.advanceTimersByTimeAsync(10 * minuteMs);
    expect(starts).toHaveLength(1);
    await early.stop();
    vi.setSystemTime(new Date("2026-03-02T09:30:03.700Z"));
    const late = start(every45);
    await vi.advanceTimersByTimeAsync(1);
    expect(starts).toEqual([starts[0], Date.parse("2026-03-02T09:30:03.700Z")]);
    await Promise.all([late.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);
  });

  it("starts a cycle at once if another schedule makes it due", async () => {
    vi.setSystemTime(new Date("2026-03-02T08:00:01.300Z"));
    const scheduler = start(every45);
    await vi.advanceTimersByTimeAsync(20 * minuteMs + 1_200);
    scheduler.reschedule({ kind: "every", everyMs: 15 * minuteMs, timezone: "UTC" });
    await vi.advanceTimersByTimeAsync(1);
    expect(starts).toEqual([Date.parse("2026-03-02T08:00:01.300Z"), Date.parse("2026-03-02T08:20:02.500Z")]);
    await Promise.all([scheduler.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);
  });

  it("accepts another schedule, counted from the last start, also while a cycle is under way", async () => {
    vi.setSystemTime(new Date("2026-03-02T08:00:00Z"));
    const began = Date.now();
    const scheduler = start(every45);
    await vi.advanceTimersByTimeAsync(10 * minuteMs);
    scheduler.reschedule({ kind: "every", everyMs: 15 * minuteMs, timezone: "UTC" });
    expect(scheduler.intervalMs()).toBe(15 * minuteMs);
    await vi.advanceTimersByTimeAsync(5 * minuteMs + 30_000);
    expect(starts.map((time) => Math.round((time - began) / minuteMs))).toEqual([0, 15]);
    expect(scheduler.slot.busy()).toBe(true);
    scheduler.reschedule({ kind: "cron", cron: "0 12 * * *", timezone: "UTC" });
    expect(scheduler.nextCronAt()).toBe(Date.parse("2026-03-02T12:00:00Z"));
    await vi.advanceTimersByTimeAsync(5 * hourMs);
    expect(starts.map((time) => Math.round((time - began) / minuteMs))).toEqual([0, 15, 240]);
    expect(mostRunning).toBe(1);
    await scheduler.stop();
  });

  it("starts a cycle every 45 minutes for a day and a half, over midnight, a change of daylight saving time and a restart", async () => {
    // Europe's clocks go forward in the first of these nights.
    vi.setSystemTime(new Date("2026-03-28T22:17:05Z"));
    const first = start(every45);
    await vi.advanceTimersByTimeAsync(12 * hourMs + 7 * minuteMs);
    const stopping = first.stop();
    await vi.advanceTimersByTimeAsync(2 * minuteMs);
    await stopping;
    const second = start(every45);
    await vi.advanceTimersByTimeAsync(24 * hourMs);
    await Promise.all([second.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);

    expect(starts.length).toBe(49);
    for (const gap of gaps()) expect(Math.abs(gap - 45 * minuteMs)).toBeLessThanOrEqual(1_000);
  });

  it("never runs two cycles at a time, however long one takes", async () => {
    durationMs = 100 * minuteMs;
    vi.setSystemTime(new Date("2026-06-01T00:00:00Z"));
    const scheduler = start(every45);
    await vi.advanceTimersByTimeAsync(8 * hourMs);
    await Promise.all([scheduler.stop(), vi.advanceTimersByTimeAsync(2 * hourMs)]);
    expect(mostRunning).toBe(1);
    expect(starts.length).toBeGreaterThanOrEqual(4);
  });

  it("uses a cron expression unchanged, in its time zone", async () => {
    vi.setSystemTime(new Date("2026-06-01T00:00:30Z"));
    const scheduler = start({ kind: "cron", cron: "30 6 * * *", timezone: "Europe/Berlin" });
    await vi.advanceTimersByTimeAsync(48 * hourMs);
    await Promise.all([scheduler.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);
    expect(starts.map((time) => new Date(time).toISOString().slice(0, 16))).toEqual([
      "2026-06-01T04:30",
      "2026-06-02T04:30",
    ]);
  });

  it("makes up for a cycle of a cron expression as soon as manual work that blocked it ends", async () => {
    vi.setSystemTime(new Date("2026-06-01T06:29:00Z"));
    const scheduler = start({ kind: "cron", cron: "30 6 * * *", timezone: "UTC" });
    const work = scheduler.slot.take(() => new Promise((resolve) => setTimeout(resolve, 5 * minuteMs)));
    expect(scheduler.slot.take(async () => {})).toBeNull();
    await vi.advanceTimersByTimeAsync(4 * minuteMs);
    expect(starts).toEqual([]);
    await vi.advanceTimersByTimeAsync(minuteMs);
    await work;
    expect(starts.map((time) => new Date(time).toISOString().slice(0, 16))).toEqual(["2026-06-01T06:34"]);
    await Promise.all([scheduler.stop(), vi.advanceTimersByTimeAsync(2 * minuteMs)]);
    expect(starts).toHaveLength(1);
    expect(scheduler.slot.take(async () => {})).toBeNull();
  });

  it("is not delayed by a clock that was set back, and retries sooner after an outage", () => {
    expect(nextDueAt(null, 45 * minuteMs, 1_000)).toBe(1_000);
    expect(nextDueAt(10 * hourMs, 45 * minuteMs, hourMs)).toBe(hourMs);
    expect(nextDueAt(hourMs + 1_000, 45 * minuteMs, hourMs)).toBe(hourMs + 1_000 + 45 * minuteMs);
    expect([1, 2, 3, 12].map((failures) => retryDueAt(0, 45 * minuteMs, failures) / minuteMs)).toEqual([
      1, 2, 4, 45,
    ]);
  });
});
