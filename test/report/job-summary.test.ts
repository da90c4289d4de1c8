import { describe, expect, it } from "vitest";
import type { SeenWorker } from "../../src/domain/fleet.ts";
import { jobLines, workerLines } from "../../src/report/job-list.ts";
import {
  type JobFacts,
  missingWorkers,
  summaryDocument,
  summaryOf,
  troubledFirst,
} from "../../src/report/job-summary.ts";
import type { Status } from "../../src/report/status.ts";

const now = Date.UTC(2026, 0, 31, 12);
const minute = 60_000;
const intervalMs = 45 * minute;

/** A job of a fleet of which nothing more is to be said. */
const alone = { name: "us", identity: null, aside: [], asked: [] };

const totals = {
  sourceUsers: 10,
  linked: 10,
  linkedActive: 10,
  skipped: 0,
  linkedSkipped: 0,
  retrying: 0,
  waitingForManager: 0,
};

const cycle: Status["cycles"][number] = {
  id: 1,
  planId: "p1",
  kind: "incremental",
  startedAt: now - 10 * minute,
  finishedAt: now - 9 * minute,
  outcome: "done",
  error: null,
  summary: null,
  guard: null,
  notes: [],
  done: 0,
  failed: 0,
  outcomes: [],
};

const status: Status = {
  totals,
  cycles: [cycle],
  nextDueAt: now + 35 * minute,
  running: null,
  ended: null,
  last: null,
  lastEnded: cycle,
  lastConclusive: cycle,
  lastOfLeavers: null,
  weighed: null,
  held: [],
  quarantine: null,
  targetReachedAt: now,
  comparison: null,
  acknowledged: [],
  listingFault: "",
  refusedKinds: [],
  askedPause: null,
  canary: null,
  lastConfiguration: {},
  sendingPause: null,
  accounts: null,
  protections: [],
  retries: [],
  delayed: [],
  delayedCount: 0,
  rejected: [],
  rejectedPeople: 0,
  rejectedMore: false,
};

const held: Partial<Status> = {
  weighed: {
    ...cycle,
    guard: { held: true, reasons: ["24 deactivations are too many", "3 are renamed"], notes: [] },
    outcomes: [{ action: "deactivate", outcome: "held", count: 24 }],
  } as Status["weighed"],
};
const quarantine: Partial<Status> = {
  quarantine: { since: now, reason: "Lattice refused the API key.", attempts: 2, nextProbeAt: now + minute },
};
const paused: Partial<Status> = {
  canary: null,
  sendingPause: {
    at: now,
    until: null,
    reason: "an audit",
    by: { kind: "local" },
    leaversToo: false,
  },
};
const running: Partial<Status> = {
  running: { owner: "host-a/17/1234/", acquiredAt: now, expiresAt: now + minute },
};
const overdue: Partial<Status> = { nextDueAt: now - intervalMs - 1 };

function facts(changed: Partial<Status> = {}, more: Partial<JobFacts> = {}): JobFacts {
  return { fault: null, status: { ...status, ...changed }, intervalMs, fleet: null, now, ...more };
}

function worker(id: string, changed: Partial<SeenWorker> = {}): SeenWorker {
  return {
    id,
    host: `host-${id}`,
    version: "1.0.0",
    workLevel: 1,
    startedAt: now - 60 * minute,
    seenAt: now,
    alive: true,
    jobs: ["us"],
    ...changed,
  };
}

describe("the condition of a job", () => {
  it.each([
    ["idle", facts()],
    ["idle", facts({ nextDueAt: now - intervalMs })],
    ["running", facts(running)],
    ["paused", facts({ ...paused, ...running })],
    ["held", facts({ ...held, ...paused })],
    ["overdue", facts({ ...overdue, ...held })],
    // A cycle that takes longer than its interval is late, and not forgotten.
    ["running", facts({ ...overdue, ...running })],
    [
      "failing",
      facts({ lastConclusive: { ...cycle, outcome: "failed", error: "Lattice did not answer." }, ...held }),
    ],
    // A cycle of a few people says nothing about the job.
    ["idle", facts({ cycles: [{ ...cycle, kind: "revert", outcome: "failed" }, cycle] })],
    ["idle", facts({ cycles: [{ ...cycle, kind: "on-demand", outcome: "failed" }, cycle] })],
    ["quarantined", facts({ ...quarantine, lastConclusive: { ...cycle, outcome: "failed" } })],
    ["failing", facts({}, { fault: "There is no such file.", status: null })],
    ["idle", facts({}, { status: null })],
  ] as const)("is %s (%#)", (condition, given) => {
    expect(summaryOf(given).condition).toBe(condition);
  });

  it("comes with its reason", () => {
    expect(summaryOf(facts(quarantine)).reason).toBe("Lattice refused the API key.");
    expect(summaryOf(facts(held)).reason).toBe("24 deactivations are too many. 3 are renamed.");
    expect(summaryOf(facts(paused)).reason).toBe("an audit");
    expect(summaryOf(facts()).reason).toBeNull();
  });

  it("is untaken if daemons live and none of them takes it, and not if there are none at all", () => {
    const job = { ...alone, takers: [], digest: null, worker: null };
    expect(summaryOf(facts({}, { fleet: { job, workers: [worker("a")] } }))).toMatchObject({
      condition: "untaken",
      workers: [],
    });
    expect(summaryOf(facts({}, { fleet: { job, workers: [worker("a", { alive: false })] } })).condition).toBe(
      "untaken",
    );
    expect(summaryOf(facts({}, { fleet: { job, workers: [] } }))).toMatchObject({
      condition: "idle",
      workers: null,
    });
  });

  it("names the worker that has the job, and those that take it", () => {
    const job = { ...alone, takers: ["a", "b"], digest: "d", worker: "b" };
    const summary = summaryOf(facts({}, { fleet: { job, workers: [worker("a"), worker("b")] } }));
    expect(summaryDocument(summary)).toEqual({
      condition: "running",
      reason: null,
      working: true,
      overdueSeconds: 0,
      worker: "host-b",
      workers: ["host-a", "host-b"],
      aside: [],
      asked: [],
    });
    // A run by hand has the lease, and no daemon has the job.
    expect(summaryOf(facts(running)).worker).toBe("host-a");
  });
});

describe("the list of jobs", () => {
  it("begins with the nearest trouble, and then with the most people who fail", () => {
    const job = (name: string, changed: Partial<Status>, failing = 0) => ({
      name,
      failing,
      summary: summaryOf(facts(changed)),
    });
    const sorted = troubledFirst([
      job("idle", {}),
      job("running", running),
      job("some-fail", {}, 2),
      job("paused", paused),
      job("more-fail", {}, 9),
      job("held", held),
      job("quarantined", quarantine),
      job("overdue", overdue),
    ]);
    expect(sorted.map(({ name }) => name)).toEqual([
      "quarantined",
      "overdue",
      "held",
      "paused",
      "running",
      "more-fail",
      "some-fail",
      "idle",
    ]);
  });

  it("is a line a job, with the reason below it", () => {
    const job = (name: string, changed: Partial<Status>) => ({
      name,
      status: { ...status, ...changed },
      summary: summaryOf(facts(changed)),
    });
    const lines = jobLines([job("emea", {}), job("us", { ...held, totals: { ...totals, retrying: 3 } })]);
    expect(lines).toEqual([
      "2 jobs: 1 held, 1 idle",
      "",
      "JOB   STATE  LAST CYCLE                  NEXT CYCLE            WORKER  HELD  FAILING",
      "us    held   2026-01-31 11:50 UTC, done  2026-01-31 12:35 UTC          24    3",
      "  24 deactivations are too many. 3 are renamed.",
      "emea  idle   2026-01-31 11:50 UTC, done  2026-01-31 12:35 UTC          0     0",
    ]);
  });

  it("names the daemons, what each of them runs, and those that are missing", () => {
    const summary = summaryOf(
      facts(
        {},
        {
          fleet: { job: { ...alone, takers: ["a"], digest: "d", worker: "a" }, workers: [worker("a")] },
        },
      ),
    );
    const gone = worker("b", { alive: false, seenAt: now - 5 * minute });
    expect(workerLines([worker("a"), gone], [{ name: "us", status, summary }])).toEqual([
      "",
      "Workers: 1 alive, 1 missing",
      "  host-a  1.0.0  started 2026-01-31 11:00 UTC        1 job  runs us",
      "  host-b  1.0.0  missing since 2026-01-31 11:55 UTC",
    ]);
    expect(workerLines([], [])).toEqual([]);
  });

  it("says which daemon does not take a job, and what people have asked for", () => {
    const asked = (worker: string | null, startedAt: number | null) => ({
      kind: "revert" as const,
      askedAt: now - 3 * minute,
      startedAt,
      worker,
    });
    const workers = [worker("a"), worker("b"), worker("c", { alive: false })];
    const job = {
      ...alone,
      takers: ["a"],
      digest: "d",
      worker: null,
      aside: [{ worker: "b", reason: "Lattice answers 401.\nCheck lattice.token." }],
      asked: [asked(null, null), asked("a", now - 2 * minute), asked("c", now - minute)],
    };
    const summary = summaryOf(facts({}, { fleet: { job, workers } }));
    expect(workerLines(workers, [{ name: "us", status, summary }]).slice(-6)).toEqual([
      "host-b does not take the job us:",
      "  Lattice answers 401.",
      "  Check lattice.token.",
      "Asked for at 2026-01-31 11:57 UTC: a revert of the job us, which no daemon has begun yet",
      "Asked for at 2026-01-31 11:57 UTC: a revert of the job us, under way on host-a since 2026-01-31 11:58 UTC",
      "Asked for at 2026-01-31 11:57 UTC: a revert of the job us, begun by a daemon that ended; another one continues",
    ]);
    expect(summaryDocument(summary)).toMatchObject({
      aside: [{ worker: "host-b", reason: "Lattice answers 401.\nCheck lattice.token." }],
      asked: [
        { kind: "revert", askedAt: "2026-01-31T11:57:00.000Z", startedAt: null, worker: null },
        { startedAt: "2026-01-31T11:58:00.000Z", worker: "host-a" },
        { startedAt: "2026-01-31T11:59:00.000Z", worker: null },
      ],
    });
  });
});

describe("a missing daemon", () => {
  const dead = (id: string, agoMs: number, changed: Partial<SeenWorker> = {}): SeenWorker =>
    worker(id, { alive: false, seenAt: now - agoMs, ...changed });
  const missing = (...workers: readonly SeenWorker[]): readonly string[] =>
    missingWorkers(workers).map(({ id }) => id);

  it("is one that died and was not replaced", () => {
    expect(missing(worker("a"), dead("b", 5 * minute))).toEqual(["b"]);
    expect(missing(worker("a", { startedAt: now - 4 * minute }), dead("b", 5 * minute))).toEqual([]);
  });

  it("is replaced by one other daemon alone", () => {
    const young = worker("a", { startedAt: now - minute });
    expect(missing(young, dead("b", 5 * minute), dead("c", 6 * minute))).toEqual(["b"]);
  });

  it("is replaced by the one that was started again on its host, also before it was missed", () => {
    const again = worker("a2", { host: "host-a", startedAt: now - 5 * minute });
    expect(missing(again, dead("a", 4 * minute))).toEqual([]);
  });
});
