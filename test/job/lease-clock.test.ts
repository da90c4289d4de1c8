import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/domain/clock.ts";
import { LeaseHeldError } from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { withLease } from "../../src/job/lease.ts";
import { openStore } from "../../src/state/sqlite/store.ts";

const yearMs = 365 * 86_400_000;
const ttlMs = 60_000;
const start = Date.UTC(2026, 10, 23, 8);
const other = "another-host/7/3f1c";

let store: StateStore;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "als-lease-"));
  store = openStore(join(folder, "state.db"));
  return async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

/** A clock that moves on by sleeping; `tick` gets the time slept so far. */
function clockFrom(now: number, tick: (sleptMs: number) => Promise<void> = async () => {}) {
  let sleptMs = 0;
  const clock: Clock = {
    now: () => now + sleptMs,
    sleep: async (milliseconds) => {
      sleptMs += milliseconds;
      await tick(sleptMs);
    },
  };
  return { clock, slept: () => sleptMs };
}

function attempt(clock: Clock, waitMs = 0): Promise<string> {
  return withLease(store, clock, { signal: new AbortController().signal, waitMs }, async () => "ran");
}

describe("a lease that lies years ahead, because the clock was set back,", () => {
  it("is taken from a dead run when that was silent for as long as a lease lasts, whether a run waits or not", async () => {
    await store.acquireLease(other, start + yearMs, ttlMs);
    const { clock, slept } = clockFrom(start);
    expect(await attempt(clock)).toBe("ran");
    expect(slept()).toBeGreaterThanOrEqual(ttlMs);
    expect(slept()).toBeLessThan(ttlMs + 5_000);
  });

  it("is left to a live run, which renews it by the new clock", async () => {
    await store.acquireLease(other, start + yearMs, ttlMs);
    const { clock, slept } = clockFrom(start, async (sleptMs) => {
      if (sleptMs === 10_000) await store.renewLease(other, start + sleptMs, ttlMs);
    });
    await expect(attempt(clock)).rejects.toThrow(LeaseHeldError);
    expect(slept()).toBe(10_000);
    expect(await store.leaseHolder(start + 10_000)).toMatchObject({ owner: other });
  });

  it("is left to a live run on a host whose clock is ahead", async () => {
    const aheadMs = 10 * 60_000;
    await store.acquireLease(other, start + aheadMs, ttlMs);
    const { clock } = clockFrom(start, async (sleptMs) => {
      if (sleptMs % 15_000 === 0) await store.renewLease(other, start + aheadMs + sleptMs, ttlMs);
    });
    await expect(attempt(clock)).rejects.toThrow(LeaseHeldError);
    await expect(attempt(clock, 5 * 60_000)).rejects.toThrow(LeaseHeldError);
    expect((await store.leaseHolder(start))?.owner).toBe(other);
  });

  it("is not taken from a run that acquired it at the last moment", async () => {
    await store.acquireLease(other, start + yearMs, ttlMs);
    const { clock, slept } = clockFrom(start, async (sleptMs) => {
      if (sleptMs === ttlMs) await store.acquireLease(other, start + sleptMs, ttlMs);
    });
    await expect(attempt(clock)).rejects.toThrow(LeaseHeldError);
    expect(slept()).toBe(ttlMs);
  });
});

describe("a lease with a plausible time", () => {
  it("is waited for as long as requested, by the time slept and not by the clock", async () => {
    await store.acquireLease(other, start, ttlMs);
    let now = start;
    let slept = 0;
    const backwards: Clock = {
      now: () => now,
      sleep: async (milliseconds) => {
        slept += milliseconds;
        // Corrected by a little at every look.
        now -= 1;
      },
    };
    await expect(
      withLease(store, backwards, { signal: new AbortController().signal, waitMs: 5_000 }, async () => "ran"),
    ).rejects.toThrow(LeaseHeldError);
    expect(slept).toBe(5_000);
  });

  it("is refused at once without --wait, and free when it expires", async () => {
    await store.acquireLease(other, start, ttlMs);
    const { clock, slept } = clockFrom(start);
    await expect(attempt(clock)).rejects.toThrow(
      "another run holds the lease (process 7 on another-host, since 2026-11-23 08:00 UTC): wait for it to end, or use --wait SECONDS. If that run has died, its lease expires at 2026-11-23 08:01 UTC",
    );
    expect(slept()).toBe(0);
    expect(await attempt(clock, 70_000)).toBe("ran");
    expect(slept()).toBeGreaterThanOrEqual(ttlMs - 1_000);
  });

  it("does not suggest a command's flag to a daemon, which does not have it", async () => {
    await store.acquireLease(other, start, ttlMs);
    const { clock } = clockFrom(start);
    const { signal } = new AbortController();
    await expect(withLease(store, clock, { signal }, async () => "ran")).rejects.toThrow(
      /^another run holds the lease \(.*\): nothing was done\./,
    );
  });
});
