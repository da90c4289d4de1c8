import { describe, expect, it } from "vitest";
import { nextRetry } from "../../../src/cycle/sending/retry-schedule.ts";

describe("the retry schedule", () => {
  it("tries in the next cycle, then at growing intervals, up to once a day", () => {
    const minuteMs = 60_000;
    const failure = { objectId: "a", code: "X", message: "no" };
    const time = { now: 1_000, intervalMs: 45 * minuteMs, random: 0.5 };
    let record = nextRetry(null, failure, time);
    const delays = [record.nextTryAt - time.now];
    for (let attempt = 2; attempt <= 9; attempt += 1) {
      record = nextRetry(record, failure, { ...time, now: attempt * 1_000 });
      delays.push(record.nextTryAt - attempt * 1_000);
    }
    expect(delays.map((delay) => delay / minuteMs)).toEqual([0, 45, 90, 180, 360, 720, 1_440, 1_440, 1_440]);
    expect(record).toMatchObject({ attempts: 9, firstFailedAt: 1_000, lastFailedAt: 9_000 });
  });
});
