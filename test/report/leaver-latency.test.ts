import { describe, expect, it } from "vitest";
import type { LogEntry, LogQuery } from "../../src/domain/log.ts";
import type { Evidence } from "../../src/domain/plan.ts";
import {
  latenciesOfCycle,
  latencyDocument,
  latencyText,
  readLeaverLatency,
} from "../../src/report/leaver-latency.ts";

const dayMs = 86_400_000;
const now = 100 * dayMs;

function entry(id: number, dueAt: number | undefined, ms: number, more: Partial<LogEntry> = {}): LogEntry {
  const evidence: Evidence = {
    kind: "accountDisabled",
    detail: "account disabled in Entra",
    ...(dueAt === undefined ? {} : { dueAt }),
  };
  const finishedAt = (dueAt ?? now) + ms;
  return {
    id,
    cycleId: 1,
    planId: "plan",
    cycle: "leavers",
    at: finishedAt,
    startedAt: finishedAt - 1,
    finishedAt,
    durationMs: 1,
    httpStatus: 200,
    requestId: null,
    attempt: 1,
    action: "deactivate",
    objectId: `person-${id}`,
    userName: `person${id}@example.com`,
    latticeId: `account-${id}`,
    reason: evidence.detail,
    evidence,
    changes: [{ attribute: "active", before: true, after: false }],
    adopts: false,
    wave: 0,
    status: "done",
    error: null,
    ...more,
  };
}

/** A log of these entries, newest first, that answers page by page. */
function logOf(entries: readonly LogEntry[]) {
  const asked: LogQuery[] = [];
  return {
    asked,
    history: async (query: LogQuery) => {
      asked.push(query);
      return entries
        .toSorted((one, other) => other.id - one.id)
        .filter(({ id, at }) => id < (query.before ?? Number.POSITIVE_INFINITY) && at >= (query.since ?? 0))
        .slice(0, query.limit);
    },
  };
}

describe("how long leavers kept their accounts", () => {
  it("is told of all pages of the log as percentiles", async () => {
    const log = logOf(Array.from({ length: 1_200 }, (_, index) => entry(index + 1, now - dayMs, index + 1)));
    const latency = await readLeaverLatency(log, now);
    expect(latency).toEqual({ people: 1_200, p50Ms: 600, p99Ms: 1_188 });
    expect(log.asked).toHaveLength(3);
    expect(log.asked[0]).toMatchObject({
      actions: ["deactivate"],
      outcomes: ["done"],
      since: now - 30 * dayMs,
    });
  });

  it("counts no account that was activated by hand, and no entry that does not say when it was due", async () => {
    const log = logOf([
      entry(1, now - dayMs, 4_000),
      entry(2, undefined, 0),
      entry(3, now - 20 * dayMs, 19 * dayMs, { drift: "edited" }),
    ]);
    expect(await readLeaverLatency(log, now)).toEqual({ people: 1, p50Ms: 4_000, p99Ms: 4_000 });
    expect(await latenciesOfCycle(log, 1)).toEqual([4_000]);
  });

  it("is nothing without leavers, and never negative if the clock was set back", async () => {
    expect(await readLeaverLatency(logOf([]), now)).toBeNull();
    expect(latencyDocument(null)).toEqual({ days: 30, people: 0, p50Seconds: null, p99Seconds: null });
    expect(await latenciesOfCycle(logOf([entry(1, now, -5_000)]), 1)).toEqual([0]);
  });

  it("is told in the unit that fits", () => {
    expect(latencyText({ people: 12, p50Ms: 3_200, p99Ms: 90 * 60_000 })).toBe(
      "12 accounts deactivated in 30 days: half within 4 seconds, 99 of 100 within 90 minutes of the deactivation being due",
    );
  });
});
