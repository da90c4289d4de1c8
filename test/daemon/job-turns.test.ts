import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createJobTurns } from "../../src/daemon/job-turns.ts";
import { createScheduler } from "../../src/daemon/scheduler.ts";
import { createSlot } from "../../src/daemon/slot.ts";

const signal = new AbortController().signal;

describe("the turns of jobs", () => {
  it("come in the order of the questions, so many at a time", async () => {
    const turns = createJobTurns(2);
    const began: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3, 4].map((job) =>
      turns.take(() => {
        began.push(job);
        return new Promise<void>((end) => {
          ends[job] = end;
        });
      }, signal),
    );
    await vi.waitFor(() => expect(began).toEqual([0, 1]), { timeout: 20_000 });
    expect(turns.waiting()).toBe(3);
    ends[1]?.();
    await vi.waitFor(() => expect(began).toEqual([0, 1, 2]), { timeout: 20_000 });
    ends[0]?.();
    ends[2]?.();
    await vi.waitFor(() => expect(began).toEqual([0, 1, 2, 3, 4]), { timeout: 20_000 });
    for (const end of ends) end();
    await Promise.all(all);
  });

  it("are given on by work that fails, and by a question that is withdrawn", async () => {
    const turns = createJobTurns(1);
    const failing = turns.take(() => Promise.reject(new Error("failed")), signal);
    const withdrawn = new AbortController();
    const left = turns.take(async () => "never", withdrawn.signal);
    const last = turns.take(async () => "last", signal);
    withdrawn.abort(new Error("withdrawn"));
    await expect(failing).rejects.toThrow("failed");
    await expect(left).rejects.toThrow("withdrawn");
    expect(await last).toBe("last");
    await expect(turns.take(async () => "never", withdrawn.signal)).rejects.toThrow("withdrawn");
  });

  it("are more as soon as more are allowed", async () => {
    const turns = createJobTurns(1);
    const endless = (): Promise<void> => new Promise(() => {});
    void turns.take(endless, signal);
    const second = turns.take(async () => "second", signal);
    expect(turns.waiting()).toBe(1);
    turns.allow(2);
    expect(await second).toBe("second");
  });
});

describe("20 jobs of a process that lets two work at a time", () => {
  const minuteMs = 60_000;
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("all run on time, and none waits longer than the others need", async () => {
    vi.setSystemTime(new Date("2026-03-02T08:00:00Z"));
    const turns = createJobTurns(2);
    const everyMs = 10 * minuteMs;
    const cycleMs = 50_000;
    let running = 0;
    let most = 0;
    const jobs = Array.from({ length: 20 }, () => {
      const starts: number[] = [];
      const slot = createSlot();
      const work = async (): Promise<void> => {
        starts.push(Date.now());
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, cycleMs));
        running -= 1;
      };
      const scheduler = createScheduler({
        schedule: { kind: "every", everyMs, timezone: "UTC" },
        clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
        slot,
        cycles: {
          notBefore: async () => 0,
          lastStartedAt: async () => starts.at(-1) ?? null,
          run: async () => {
            await turns.take(work, signal);
            return "finished";
          },
          onError: (error) => {
            throw error;
          },
        },
      });
      slot.open();
      scheduler.start();
      return { starts, stop: () => Promise.all([slot.close(), scheduler.stop()]) };
    });
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect(most).toBe(2);
    for (const { starts } of jobs) {
      const gaps = starts.slice(1).map((time, place) => time - (starts[place] ?? 0));
      // Two at a time: ten rounds come first at the very start, and after that each has its own time.
      expect((starts[0] ?? 0) - Date.parse("2026-03-02T08:00:00Z")).toBeLessThanOrEqual(10 * cycleMs);
      expect(starts.length).toBeGreaterThanOrEqual(5);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(everyMs + cycleMs + 10_000);
    }
    await Promise.all([...jobs.map(({ stop }) => stop()), vi.advanceTimersByTimeAsync(cycleMs)]);
  });
});
