import { expect, it } from "vitest";
import { createMetrics, type Situation } from "../../src/report/metrics.ts";

const situation: Situation = {
  totals: {
    sourceUsers: 5,
    linked: 4,
    linkedActive: 4,
    skipped: 1,
    retrying: 0,
    linkedSkipped: 0,
    waitingForManager: 0,
  },
  skipped: new Map([["disabled", 1]]),
  watermarkAt: 1_000,
  targetReachedAt: null,
  outOfScope: null,
  heldOperations: 0,
  heldDeactivations: 0,
  quarantine: false,
  canary: false,
  paused: true,
  accounts: null,
  protectedAccounts: 2,
  comparisonFailed: false,
  nextCycleAt: null,
  lastCycle: null,
};

it("the state of a job that is gone is not shown any more, and that of the others is", async () => {
  const metrics = createMetrics("0", { named: true });
  try {
    const turn = { intervalMs: 2_700_000, overdueMs: 0, running: true, looksEveryMs: 300_000 };
    const job = (name: string) => ({
      name,
      situation,
      failing: false,
      turn,
      workers: { taking: 2, aside: 1 },
    });
    metrics.of("emea");
    const before = await metrics.text([job("emea"), job("us")], 2_000);
    expect(before).toContain('azure_lattice_sync_paused{sync_job="emea"} 1');
    expect(before).toContain('azure_lattice_sync_job_workers{sync_job="emea"} 2');
    expect(before).toContain('azure_lattice_sync_job_workers_aside{sync_job="emea"} 1');
    const after = await metrics.text([job("us")], 2_000);
    expect(after).toContain('azure_lattice_sync_paused{sync_job="us"} 1');
    expect(after).toContain('azure_lattice_sync_people_left_alone{code="disabled",sync_job="us"} 1');
    const counters = /^azure_lattice_sync_(?:leaver_looks|throttled_requests)_total\{/;
    const left = after.split("\n").filter((line) => line.includes("emea"));
    expect(left.filter((line) => !counters.test(line))).toEqual([]);
  } finally {
    metrics.close();
  }
});

it("count the looks for leavers by how they ended, from 0 on, and say how often there is one", async () => {
  const metrics = createMetrics("0", { named: true });
  try {
    const looked = metrics.of("emea");
    looked.look("noNews");
    looked.look("noNews");
    looked.look("failed");
    const turn = { intervalMs: 2_700_000, overdueMs: 0, running: false, looksEveryMs: 300_000 };
    const held = { ...situation, heldOperations: 5, heldDeactivations: 3 };
    const text = await metrics.text(
      [{ name: "emea", situation: held, failing: false, turn, workers: null }],
      2_000,
    );
    for (const [result, count] of [
      ["noNews", 2],
      ["failed", 1],
      ["ran", 0],
    ])
      expect(text).toContain(
        `azure_lattice_sync_leaver_looks_total{result="${result}",sync_job="emea"} ${count}`,
      );
    expect(text).toContain('azure_lattice_sync_leaver_look_interval_seconds{sync_job="emea"} 300');
    expect(text).toContain('azure_lattice_sync_guard_held_deactivations{sync_job="emea"} 3');
  } finally {
    metrics.close();
  }
});

it("have the time that leavers kept their accounts, in a histogram", async () => {
  const metrics = createMetrics("0", { named: true });
  try {
    const cycle = {
      kind: "leavers",
      outcome: "done",
      startedAt: 0,
      finishedAt: 1_000,
      outcomes: [],
    } as const;
    metrics.of("emea").cycle(
      {
        ...cycle,
        id: 1,
        planId: "p",
        error: null,
        summary: null,
        guard: null,
        notes: [],
        done: 2,
        failed: 0,
      },
      [4_000, 290_000],
    );
    const text = await metrics.text([], 2_000);
    expect(text).toContain('azure_lattice_sync_leaver_latency_seconds_bucket{le="5",sync_job="emea"} 1');
    expect(text).toContain('azure_lattice_sync_leaver_latency_seconds_bucket{le="300",sync_job="emea"} 2');
    expect(text).toContain(
      'azure_lattice_sync_cycles_total{kind="leavers",outcome="done",sync_job="emea"} 1',
    );
  } finally {
    metrics.close();
  }
});

it("say whether the schedule is kept, and by whom, and without daemons that share the jobs nothing of these", async () => {
  const metrics = createMetrics("0");
  try {
    const turn = { intervalMs: 2_700_000, overdueMs: 3_000_000, running: false, looksEveryMs: null };
    const job = { name: "default", situation, failing: false, turn, workers: null };
    const alone = await metrics.text([job], 2_000);
    expect(alone).toContain("\nazure_lattice_sync_cycle_overdue_seconds 3000\n");
    expect(alone).toContain("\nazure_lattice_sync_schedule_interval_seconds 2700\n");
    expect(alone).toContain("\nazure_lattice_sync_lease_held 0\n");
    expect(alone).toContain("\nazure_lattice_sync_leaver_look_interval_seconds Nan\n");
    // 0 would mean that no daemon takes the job.
    expect(alone).not.toMatch(/^azure_lattice_sync_(job_)?workers/m);
    const shared = await metrics.text([{ ...job, workers: { taking: 0, aside: 2 } }], 2_000, {
      alive: 2,
      missing: 1,
    });
    expect(shared).toContain("\nazure_lattice_sync_job_workers 0\n");
    expect(shared).toContain("\nazure_lattice_sync_job_workers_aside 2\n");
    expect(shared).toContain('\nazure_lattice_sync_workers{state="alive"} 2\n');
    expect(shared).toContain('\nazure_lattice_sync_workers{state="missing"} 1\n');
  } finally {
    metrics.close();
  }
});

it("the accounts are shown by kind and state, and not before a cycle has counted them", async () => {
  const metrics = createMetrics("0", { named: false });
  try {
    const turn = { intervalMs: 2_700_000, overdueMs: 0, running: true, looksEveryMs: null };
    const nothing = { active: 0, inactive: 0 };
    const accounts = {
      linked: { active: 5, inactive: 0 },
      left: nothing,
      unlinked: nothing,
      nobodys: { active: 2, inactive: 1 },
    };
    const before = await metrics.text(
      [{ name: "one", situation, failing: false, turn, workers: null }],
      2_000,
    );
    expect(before).not.toMatch(/^azure_lattice_sync_accounts\{/m);
    const after = await metrics.text(
      [{ name: "one", situation: { ...situation, accounts }, failing: false, turn, workers: null }],
      2_000,
    );
    expect(after).toContain('azure_lattice_sync_accounts{kind="nobodys",state="active"} 2');
    expect(after).toContain('azure_lattice_sync_accounts{kind="linked",state="active"} 5');
  } finally {
    metrics.close();
  }
});
