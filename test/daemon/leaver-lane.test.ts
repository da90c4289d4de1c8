import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLaneTimer, type LaneTimer, type LeaverLane } from "../../src/daemon/leaver-lane.ts";

const minuteMs = 60_000;

describe("the timer of the leaver lane", () => {
  let looks: number[] = [];
  let everyMs: number | null = 5 * minuteMs;
  let failures = 0;
  let lastsMs = 0;
  let timer: LaneTimer;
  const begun = Date.UTC(2026, 10, 29, 8);

  beforeEach(() => {
    vi.useFakeTimers({ now: begun });
    looks = [];
    everyMs = 5 * minuteMs;
    failures = 0;
    lastsMs = 0;
    const lane: LeaverLane = {
      everyMs: () => everyMs,
      failures: () => failures,
      look: async () => {
        looks.push((Date.now() - begun) / minuteMs);
        if (lastsMs > 0) await new Promise((resolve) => setTimeout(resolve, lastsMs));
        return "noNews";
      },
    };
    timer = createLaneTimer(lane, Date.now, () => 0.4);
  });
  afterEach(async () => {
    await timer.stop();
    vi.useRealTimers();
  });

  it("looks first within the first interval, then once in each, never two at a time", async () => {
    lastsMs = minuteMs;
    expect(timer.nextAt()).toBeNull();
    timer.start();
    expect(timer.nextAt()).toBe(begun + 2 * minuteMs);
    await vi.advanceTimersByTimeAsync(15 * minuteMs);
    expect(looks).toEqual([2, 8, 14]);
  });

  it("looks soon after a failure, and at the interval again if failures go on", async () => {
    failures = 1;
    timer.start();
    await vi.advanceTimersByTimeAsync(3 * minuteMs);
    expect(looks).toEqual([2, 3]);
    failures = 9;
    await vi.advanceTimersByTimeAsync(12 * minuteMs);
    expect(looks).toEqual([2, 3, 4, 9, 14]);
  });

  it("stops when the configuration switches it off, and begins when it is on again", async () => {
    timer.start();
    everyMs = null;
    timer.reconfigured();
    expect(timer.nextAt()).toBeNull();
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect(looks).toEqual([]);
    everyMs = 10 * minuteMs;
    timer.reconfigured();
    expect(timer.nextAt()).toBe(Date.now() + 4 * minuteMs);
  });

  it("waits for the look under way when it is stopped, and looks no more", async () => {
    lastsMs = 2 * minuteMs;
    timer.start();
    await vi.advanceTimersByTimeAsync(3 * minuteMs);
    const stopped = timer.stop();
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    await stopped;
    expect(looks).toEqual([2]);
  });
});
