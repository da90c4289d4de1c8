import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCycle } from "../../src/cycle/cycle.ts";
import { openScratchStore } from "../../src/state/sqlite/store.ts";
import { createWorkplace } from "./workplace.ts";

describe("a dry run", () => {
  it("shows the plan that the run then carries out, and changes neither the file nor Lattice", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id, { jobTitle: "Analyst" }, "c");
    await place.cycle();
    place.source.change("a", { jobTitle: "Lead" });
    place.source.change("b", { accountEnabled: false });
    place.source.hire("d", {}, "a");
    place.target.writes.length = 0;
    await place.restart();
    const before = readFileSync(place.path);

    const scratch = openScratchStore(place.path);
    const preview = await runCycle(
      { ...place.ports(), store: scratch },
      { dryRun: true, full: false, fence: "private", signal: new AbortController().signal },
    );
    const planned = await scratch.operations(preview.cycleId, { afterWave: -1, afterId: 0, limit: 100 });
    await scratch.close();

    expect(place.target.writes).toEqual([]);
    expect(readFileSync(place.path).equals(before)).toBe(true);
    expect(preview.header.summary).toMatchObject({ create: 1, update: 1, deactivate: 1 });

    const real = await place.cycle();
    const done = await place.operations(real.cycleId);
    const essence = (operations: typeof done) =>
      operations.map(({ action, objectId, reason, changes }) => ({ action, objectId, reason, changes }));
    expect(essence(planned)).toEqual(essence(done));
    expect(real.header.summary).toEqual(preview.header.summary);
  });

  it("with an empty database needs no file and makes none", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const scratch = openScratchStore(`${place.path}-not-there`);
    const preview = await runCycle(
      { ...place.ports(), store: scratch },
      { dryRun: true, full: false, fence: "private", signal: new AbortController().signal },
    );
    await scratch.close();
    expect(preview.header.summary.create).toBe(1);
    expect(() => readFileSync(`${place.path}-not-there`)).toThrow("ENOENT");
    expect(place.target.writes).toEqual([]);
  });
});
