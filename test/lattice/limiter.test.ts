import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import { HostUnavailableError } from "../../src/domain/errors.ts";
import { createLimiter, type Feedback, type Limiter } from "../../src/lattice/limiter.ts";
import { failureOf, quiet } from "./loopback.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const fine = (): Feedback => ({ kind: "fine" });

/** Takes the only slot until the returned function is called. */
function occupy(limiter: Limiter): { leave(): Promise<void> } {
  const gate = Promise.withResolvers<void>();
  const done = limiter.run(() => gate.promise, fine, quiet);
  return {
    leave: async () => {
      gate.resolve();
      await done;
    },
  };
}

describe("the limiter", () => {
  it("runs no more at once than allowed, first come, first served", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({
      clock,
      maxConcurrency: 3,
      maxRequestsPerSecond: null,
    });
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const task = (index: number) => async () => {
      order.push(index);
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(50);
      running -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => limiter.run(task(index), fine, quiet)));
    expect(most).toBe(3);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it("starts no more in any second than the ceiling", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ clock, maxConcurrency: 50, maxRequestsPerSecond: 5 });
    const starts: number[] = [];
    const task = async () => void starts.push(clock.now());
    await Promise.all(Array.from({ length: 23 }, () => limiter.run(task, fine, quiet)));
    for (const from of starts) {
      expect(starts.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(5);
    }
    expect(starts[22]).toBe((starts[0] ?? 0) + 22 * 200);
  });

  it("does not wait for a clock that was set back, and keeps the rest of a pause", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ clock, maxConcurrency: 5, maxRequestsPerSecond: 10 });
    const hourMs = 3_600_000;
    const task = async (): Promise<number> => clock.now();
    await limiter.run(task, fine, quiet);
    clock.advance(-hourMs);
    const before = clock.now();
    expect((await limiter.run(task, fine, quiet)) - before).toBe(100);
    const underWay = async (): Promise<void> => clock.advance(-hourMs);
    await limiter.run(underWay, () => ({ kind: "throttled", retryAfterMs: 5_000 }), quiet);
    const refusedAt = clock.now();
    expect((await limiter.run(task, fine, quiet)) - refusedAt).toBe(5_000);
    clock.advance(-hourMs);
    const third = clock.now();
    expect((await limiter.run(task, fine, quiet)) - third).toBeLessThan(1_000);
    expect(limiter.requestsPerSecond()).toBeGreaterThan(0);
  });

  it("frees the slot when a task throws", async () => {
    const limiter = createLimiter({
      clock: createVirtualClock(),
      maxConcurrency: 1,
      maxRequestsPerSecond: null,
    });
    const boom = new Error("boom");
    expect(await failureOf(limiter.run(() => Promise.reject(boom), fine, quiet))).toBe(boom);
    expect(await limiter.run(async () => "next", fine, quiet)).toBe("next");
  });

  it("frees a waiting request when its signal aborts, and no other", async () => {
    const limiter = createLimiter({
      clock: createVirtualClock(),
      maxConcurrency: 1,
      maxRequestsPerSecond: null,
    });
    const slot = occupy(limiter);
    const controller = new AbortController();
    const sent: string[] = [];
    const aborted = failureOf(limiter.run(async () => void sent.push("aborted"), fine, controller.signal));
    const waiting = limiter.run(async () => "later", fine, quiet);
    const reason = new Error("stop");
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    await slot.leave();
    expect(await waiting).toBe("later");
    expect(sent).toEqual([]);
  });

  it("leaves no timer behind when the last waiting request is aborted during a pause", async () => {
    const limiter = createLimiter({ clock: systemClock, maxConcurrency: 1, maxRequestsPerSecond: null });
    await limiter.run(
      async () => undefined,
      () => ({ kind: "throttled", retryAfterMs: 60_000 }),
      quiet,
    );
    const controller = new AbortController();
    const aborted = failureOf(limiter.run(async () => undefined, fine, controller.signal));
    await new Promise(setImmediate);
    controller.abort(new Error("stop"));
    expect((await aborted).message).toBe("stop");
    await new Promise(setImmediate);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeLessThanOrEqual(
      1,
    );
  });

  it("fails all requests at once while the host is shut, and opens again", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ clock, maxConcurrency: 1, maxRequestsPerSecond: null });
    const error = new HostUnavailableError("not for an hour");
    const shut = limiter.run(
      async () => undefined,
      () => ({ kind: "shut", forMs: 3_600_000, error }),
      quiet,
    );
    const waiting = failureOf(limiter.run(async () => undefined, fine, quiet));
    await shut;
    expect(await waiting).toBe(error);
    clock.advance(3_600_000);
    expect(await limiter.run(async () => "open", fine, quiet)).toBe("open");
  });
});
