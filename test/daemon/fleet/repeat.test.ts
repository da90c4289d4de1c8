import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { repeat } from "../../../src/daemon/fleet/repeat.ts";

describe("something that is done again and again", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("is done soon if asked for, but not more often than is allowed, however often it is asked for", async () => {
    let done = 0;
    const repeated = repeat(
      5_000,
      async () => {
        done += 1;
      },
      () => {},
      1_000,
    );
    repeated.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toBe(1);
    for (let asked = 0; asked < 50; asked += 1) {
      repeated.soon();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(done).toBe(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(done).toBe(2);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(done).toBe(2);
    repeated.soon();
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toBe(3);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(done).toBe(4);
    await repeated.stop();
  });
});
