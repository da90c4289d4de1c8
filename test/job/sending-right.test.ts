import { beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/domain/clock.ts";
import { LeaseHeldError, StateError } from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { type Leased, withLease } from "../../src/job/lease.ts";
import { openStore } from "../../src/state/sqlite/store.ts";

const ttlMs = 60_000;
const timeoutMs = 30_000;
const start = Date.UTC(2026, 10, 23, 8);
const other = "another-host/7/3f1c";

let store: StateStore;
let now: number;
let renewals: number;
const clock: Clock = {
  now: () => now,
  sleep: async (milliseconds) => {
    now += milliseconds;
  },
};

beforeEach(() => {
  const open = openStore(":memory:");
  now = start;
  renewals = 0;
  store = {
    ...open,
    renewLease: async (...given) => {
      renewals += 1;
      return open.renewLease(...given);
    },
  };
  return () => open.close();
});

function run(action: (leased: Leased) => Promise<void>): Promise<void> {
  return withLease(store, clock, { signal: new AbortController().signal, ttlMs }, action);
}

describe("the right to send", () => {
  it("is there without a renewal as long as the lease outlives the request", async () => {
    await run(async ({ right }) => {
      now += ttlMs - timeoutMs - 1_000;
      expect(right.lasts(timeoutMs)).toBe(true);
      await right.ensure(timeoutMs);
    });
    expect(renewals).toBe(0);
  });

  it("renews a lease that may end before the request does", async () => {
    await run(async ({ right }) => {
      now += ttlMs - timeoutMs + 1_000;
      expect(right.lasts(timeoutMs)).toBe(false);
      await right.ensure(timeoutMs);
      expect(right.lasts(timeoutMs)).toBe(true);
    });
    expect(renewals).toBe(1);
  });

  it("ends for good when another run has the lease, and stops the run", async () => {
    await run(async ({ right, signal }) => {
      now += ttlMs;
      await store.acquireLease(other, now, ttlMs);
      await expect(right.ensure(timeoutMs)).rejects.toThrow(LeaseHeldError);
      expect(signal.reason).toBeInstanceOf(LeaseHeldError);
      now -= ttlMs;
      await expect(right.ensure(timeoutMs)).rejects.toThrow(LeaseHeldError);
    });
  });

  it("ends when the lease cannot be renewed", async () => {
    await run(async ({ right, signal }) => {
      now += ttlMs;
      store.renewLease = async () => {
        throw new StateError("the database is gone");
      };
      await expect(right.ensure(timeoutMs)).rejects.toThrow("the database is gone");
      expect(signal.reason).toBeInstanceOf(StateError);
    });
  });

  it("counts from before the renewal was asked for, however late the answer is", async () => {
    const { renewLease } = store;
    await run(async ({ right }) => {
      now += ttlMs;
      store.renewLease = async (...given) => {
        const kept = await renewLease(...given);
        now += ttlMs;
        return kept;
      };
      await expect(right.ensure(timeoutMs)).rejects.toThrow("renewed too slowly");
    });
  });

  it("counts from before the lease was asked for", async () => {
    const { acquireLease } = store;
    store.acquireLease = async (...given) => {
      const answer = await acquireLease(...given);
      now += ttlMs;
      return answer;
    };
    await run(async ({ right }) => {
      expect(right.lasts(timeoutMs)).toBe(false);
      await right.ensure(timeoutMs);
    });
    expect(renewals).toBe(1);
  });

  it("lasts through a wall clock that is set back, by the time that passes", async () => {
    await run(async ({ right }) => {
      now -= 3_600_000;
      expect(right.lasts(timeoutMs)).toBe(true);
      expect(right.lasts(ttlMs)).toBe(false);
    });
  });
});
