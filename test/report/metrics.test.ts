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
  quarantine: false,
  paused: true,
  protectedAccounts: 2,
  comparisonFailed: false,
  nextCycleAt: null,
  lastCycle: null,
};

it("the state of a job that is gone is not shown any more, and that of the others is", async () => {
  const metrics = createMetrics("0", { named: true });
  try {
    const job = (name: string) => ({ name, situation, failing: false });
    metrics.of("emea");
    const before = await metrics.text([job("emea"), job("us")], 2_000);
    expect(before).toContain('azure_lattice_sync_paused{sync_job="emea"} 1');
    const after = await metrics.text([job("us")], 2_000);
    expect(after).toContain('azure_lattice_sync_paused{sync_job="us"} 1');
    expect(after).toContain('azure_lattice_sync_people_left_alone{code="disabled",sync_job="us"} 1');
    expect(after.split("\n").filter((line) => line.includes("emea"))).toEqual([
      expect.stringMatching(/^azure_lattice_sync_throttled_requests_total\{/),
      expect.stringMatching(/^azure_lattice_sync_throttled_requests_total\{/),
    ]);
  } finally {
    metrics.close();
  }
});
