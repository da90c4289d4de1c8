import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../src/domain/errors.ts";
import { jobLines } from "../../src/report/job-list.ts";
import { summaryOf } from "../../src/report/job-summary.ts";
import { readStatus } from "../../src/report/status.ts";
import { createWorkplace, type Workplace } from "../cycle/workplace.ts";

const everyMs = 45 * 60_000;

/** The job in a list, read with no cycle to show. */
async function listed(place: Workplace) {
  const now = place.clock.now();
  const schedule = { kind: "every", everyMs, timezone: "UTC" } as const;
  const status = await readStatus(place.store, schedule, now, { cycles: 0, mostHeld: 0 });
  const summary = summaryOf({ fault: null, status, intervalMs: everyMs, fleet: null, now });
  return { name: "emea", status, summary };
}

describe("a job whose last cycle of everybody failed", () => {
  it("is failing however many cycles of single people came after it, until a cycle of everybody succeeds", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.hire("b");
    place.target.before = () => {
      throw new HostUnavailableError("Lattice is down");
    };
    await expect(place.cycle()).rejects.toThrow("Lattice is down");
    place.target.before = () => {};
    for (let number = 0; number < 10; number += 1) await place.cycle({ only: ["a"] });

    const failing = await listed(place);
    expect(failing.summary).toMatchObject({ condition: "failing", reason: "Lattice is down" });
    expect(jobLines([failing]).join("\n")).toMatch(/^emea .* UTC, failed/m);

    await place.cycle();
    const well = await listed(place);
    expect(well.summary).toMatchObject({ condition: "idle", reason: null });
    expect(jobLines([well]).join("\n")).toMatch(/^emea .* UTC, done/m);
  });

  it("is failing although a later cycle was interrupted, which says nothing about the fault", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.before = () => {
      throw new HostUnavailableError("Lattice is down");
    };
    await expect(place.cycle()).rejects.toThrow("Lattice is down");
    place.target.before = () => {};
    await expect(place.cycle({ signal: AbortSignal.abort() })).rejects.toThrow();

    const failing = await listed(place);
    expect(failing.summary).toMatchObject({ condition: "failing", reason: "Lattice is down" });
    expect(jobLines([failing]).join("\n")).toMatch(/^emea .* UTC, interrupted/m);
  });
});
