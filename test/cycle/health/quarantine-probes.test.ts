import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { parseQuarantine, type Sending, withQuarantine } from "../../../src/cycle/health/quarantine.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const minuteMs = 60_000;

const signal = new AbortController().signal;

/** A cycle as the daemon's schedule runs it; `null` for one that ignores the retry schedule. */
function scheduled(place: Workplace, patient = true): Promise<CycleResult> {
  place.clock.advance(place.settings.intervalMs);
  return withQuarantine(
    { ...place.ports(), fence: "private" },
    (sending: Sending) =>
      runCycle(place.ports(), { dryRun: false, full: false, fence: "private", signal, sending }),
    { patient },
  );
}

function hire(place: Workplace, prefix: string, number: number, from = 100): string[] {
  const ids = Array.from({ length: number }, (_one, index) => `${prefix}${from + index}`);
  for (const id of ids) place.source.hire(id);
  return ids;
}

const refuseTitles = ({ writes }: { writes: readonly { path: string }[] }): void => {
  if (writes.some(({ path }) => path === "title"))
    throw new RecordRejectedError("not allowed", { status: 422 });
};

describe("the quarantine between its probes", () => {
  it("puts the other operations back without an entry in the log, reports each, and tries them when the probe is due", async () => {
    await using place = await createWorkplace();
    const people = hire(place, "p", 60);
    await scheduled(place);
    place.target.before = refuseTitles;
    for (const id of people.slice(0, 40)) place.source.change(id, { jobTitle: "Refused" });
    await scheduled(place);
    // Attempt two, so that the next probe is two intervals away.
    place.source.hire("before");
    for (const id of people.slice(40)) place.source.change(id, { jobTitle: "Refused" });
    await scheduled(place);
    const quarantine = parseQuarantine(await place.store.meta());
    expect(quarantine).toMatchObject({ attempts: 2, cause: "failures" });

    place.target.before = () => {};
    place.source.hire("late");
    const between = await scheduled(place);
    expect(await place.operations(between.cycleId)).toEqual([]);
    expect(between.mostFailed).toContain("the next automatic attempt is at");
    const [skipped] = await place.store.skipped({ after: "", limit: 9, only: ["late"] });
    expect(skipped).toMatchObject({ code: "putBack" });
    expect(skipped?.reason).toMatch(/operations failed in a cycle; the next automatic attempt is at 2026-/);
    expect(parseQuarantine(await place.store.meta())).toEqual(quarantine);

    await scheduled(place);
    expect(parseQuarantine(await place.store.meta())).toBeNull();
    expect(place.target.account("late@example.com").active).toBe(true);
  });

  it("does not delay a sync that a person starts", async () => {
    await using place = await createWorkplace();
    const people = hire(place, "p", 60);
    await scheduled(place);
    place.target.before = refuseTitles;
    for (const id of people.slice(0, 30)) place.source.change(id, { jobTitle: "Refused" });
    await scheduled(place);
    place.target.before = () => {};
    place.clock.advance(-place.settings.intervalMs + minuteMs);
    await scheduled(place, false);
    expect(parseQuarantine(await place.store.meta())).toBeNull();
  });
});
