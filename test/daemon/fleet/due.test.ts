import { describe, expect, it } from "vitest";
import { dueAt } from "../../../src/daemon/fleet/due.ts";
import type { JobTimes } from "../../../src/domain/fleet.ts";

const minute = 60_000;
const now = Date.UTC(2026, 10, 23, 12);
const every = { kind: "every", everyMs: 45 * minute, timezone: "UTC" } as const;
const cron = { kind: "cron", cron: "0 3 * * *", timezone: "UTC" } as const;
const never = (): number | null => null;
const at = { now, knownSince: now, access: "a" };

function times(given: Partial<JobTimes>): JobTimes {
  return { name: "us", turn: null, lastCycle: null, notes: {}, inForce: true, ...given };
}

function turn(given: Partial<NonNullable<JobTimes["turn"]>>): JobTimes {
  return times({
    turn: { startedAt: now - 10 * minute, endedAt: now - 9 * minute, againAt: null, failures: 0, ...given },
  });
}

describe("the next cycle of a job that several daemons share", () => {
  it("is due an interval after the last start, whoever made it and however long it took", () => {
    expect(dueAt(turn({}), every, at, never)).toBe(now + 35 * minute);
    expect(dueAt(turn({ startedAt: now - 100 * minute }), every, at, never)).toBe(now - 55 * minute);
  });

  it("is due at once if no one has run it, or its run broke off", () => {
    expect(dueAt(times({}), every, at, never)).toBe(now);
    expect(dueAt(turn({ endedAt: null }), every, at, never)).toBe(now);
    expect(dueAt(times({ lastCycle: { startedAt: now - minute, ended: false } }), every, at, never)).toBe(
      now,
    );
  });

  it("is due sooner if it could not do its work", () => {
    expect(dueAt(turn({ againAt: now + minute, failures: 1 }), every, at, never)).toBe(now + minute);
  });

  it("goes on from the log of a daemon that was alone", () => {
    const alone = times({ lastCycle: { startedAt: now - 10 * minute, ended: true } });
    expect(dueAt(alone, every, at, never)).toBe(now + 35 * minute);
  });

  it("is due at the first time after its last start at which its cron expression fires", () => {
    const fires = (_schedule: object, after: number): number => after + minute;
    expect(dueAt(turn({}), cron, at, fires)).toBe(now - 9 * minute);
    expect(dueAt(turn({}), cron, at, never)).toBeNull();
  });

  it("is due when its cron expression fires after the daemon has it, if no one has run it, and stays due until a daemon does", () => {
    const fires = (_schedule: object, after: number): number => after + minute;
    expect(dueAt(times({}), cron, at, fires)).toBe(now + minute);
    const later = { ...at, now: now + 2 * minute };
    expect(dueAt(times({}), cron, later, fires)).toBe(now + minute);
  });

  it("does not wait until the server's clock is where it was before it was set back", () => {
    const day = 24 * 60 * minute;
    const failed = turn({
      startedAt: now + day,
      endedAt: now + day,
      againAt: now + day + minute,
      failures: 1,
    });
    const stopped = turn({ startedAt: now + day, endedAt: now + day, againAt: now + day });
    for (const one of [turn({ startedAt: now + day, endedAt: now + day }), failed, stopped]) {
      expect(dueAt(one, every, at, never)).toBe(now);
      expect(dueAt(one, cron, at, never)).toBe(now);
    }
    const retried = turn({ startedAt: now - minute, againAt: now + day });
    expect(dueAt(retried, every, at, never)).toBe(now + 44 * minute);
    const fires = (_schedule: object, after: number): number => after + minute;
    expect(dueAt(times({}), cron, { ...at, knownSince: now + day }, fires)).toBe(now + minute);
  });

  it("does not wait for the end of a quarantine if another configuration or credential was refused, and is due at once until a daemon has tried", () => {
    const quarantine = JSON.stringify({
      cause: "configuration",
      nextProbeAt: now + 120 * minute,
      access: "b",
    });
    const refused = { ...turn({}), notes: { quarantine } };
    const young = { ...at, knownSince: now - minute };
    expect(dueAt(refused, every, young, never)).toBe(now);
    // It has tried since, and goes on as without a quarantine.
    const old = { ...at, knownSince: now - 11 * minute };
    expect(dueAt(refused, every, old, never)).toBe(now + 35 * minute);
    const again = { ...turn({ againAt: now + minute }), notes: { quarantine } };
    expect(dueAt(again, every, old, never)).toBe(now + minute);
    const nightly = (): number => now + 300 * minute;
    expect(dueAt(refused, cron, young, nightly)).toBe(now + 300 * minute);
    expect(dueAt(refused, every, { ...young, access: "b" }, never)).toBe(now + 120 * minute);
  });

  it("waits for the end of a quarantine, and of a pause that was asked for", () => {
    const until = now + 120 * minute;
    const quarantine = JSON.stringify({ cause: "credentials", since: now, nextProbeAt: until, attempts: 1 });
    expect(dueAt({ ...turn({}), notes: { quarantine } }, every, at, never)).toBe(until);
    const askedPause = JSON.stringify({ until });
    expect(dueAt({ ...turn({}), notes: { askedPause } }, every, at, never)).toBe(until);
  });
});
