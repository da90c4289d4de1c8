import { describe, expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { StateError } from "../../../src/domain/errors.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { createWorkplace } from "../workplace.ts";

describe("the provisioning log", () => {
  it("is kept for the configured time, also for a run that died", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const request = {
      dryRun: false,
      full: false,
      fence: "private" as const,
      signal: new AbortController().signal,
    };
    const dying: StateStore = {
      ...place.store,
      commit: async (change, fence) => {
        if (change.cycleEnd !== undefined) throw new StateError("killed");
        await place.store.commit(change, fence);
      },
    };
    await expect(runCycle({ ...place.ports(), store: dying }, request)).rejects.toThrow("killed");
    await place.cycle();
    place.clock.advance(place.settings.retentionMs);
    await place.cycle();
    expect((await place.store.recentCycles(9)).map(({ id }) => id)).toEqual([3]);
  });
});
