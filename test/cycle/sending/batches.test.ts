import { describe, expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { InterruptedError, StateError } from "../../../src/domain/errors.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const people = 300;

async function hired(): Promise<Workplace> {
  const place = await createWorkplace();
  for (let number = 0; number < people; number += 1) place.source.hire(`p${number}`);
  return place;
}

const request = {
  dryRun: false,
  full: false,
  fence: "private" as const,
  signal: new AbortController().signal,
};

/** Statuses of the first cycle's operations, each with its number. */
async function statuses(place: Workplace): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of await place.operations(1)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("operations sent in batches", () => {
  it("are each noted before they are sent, and sent once", async () => {
    await using place = await hired();
    const noted = new Set<number>();
    const watching: StateStore = {
      ...place.store,
      commit: async (change, fence) => {
        for (const id of change.intents?.begin?.operationIds ?? []) {
          expect(noted.has(id)).toBe(false);
          noted.add(id);
        }
        // A late note must not allow any request before it.
        await new Promise(setImmediate);
        await place.store.commit(change, fence);
      },
    };
    place.target.before = async ({ userName }) => {
      const intents = await place.store.openIntents();
      expect(intents.some((intent) => intent.userName === userName)).toBe(true);
    };
    const result = await runCycle({ ...place.ports(), store: watching }, request);
    expect(result).toMatchObject({ outcome: "done", done: people });
    expect(noted.size).toBe(people);
    expect(place.target.writes).toHaveLength(people);
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("are noted on the disk, and their plan with them, which did not wait for the disk by itself", async () => {
    await using place = await hired();
    const commits: { planned: boolean; noted: boolean; mayBeLost: boolean }[] = [];
    const watching: StateStore = {
      ...place.store,
      commit: async (change, fence) => {
        const { planned, intents, mayBeLost = false } = change;
        if (planned !== undefined || intents?.begin !== undefined) {
          commits.push({ planned: planned !== undefined, noted: intents?.begin !== undefined, mayBeLost });
        }
        await place.store.commit(change, fence);
      },
    };
    await runCycle({ ...place.ports(), store: watching }, request);
    expect(commits.slice(0, 3)).toEqual([
      { planned: true, noted: false, mayBeLost: true },
      { planned: true, noted: false, mayBeLost: true },
      { planned: false, noted: true, mayBeLost: false },
    ]);
    expect(commits.filter(({ noted, mayBeLost }) => noted && mayBeLost)).toEqual([]);
  });

  it("are all put back if the run is stopped among them, including a batch that was noted ahead", async () => {
    await using place = await hired();
    for (const stopAt of [60, 64, 90]) {
      const abort = new AbortController();
      const before = place.target.accounts.size;
      place.target.after = () => {
        if (place.target.accounts.size - before >= stopAt) abort.abort(new InterruptedError("stopped"));
      };
      await expect(runCycle(place.ports(), { ...request, signal: abort.signal })).rejects.toThrow("stopped");
      expect(await place.store.openIntents()).toEqual([]);
    }
    const { done = 0, ...rest } = await statuses(place);
    expect(rest).toEqual({});
    const [{ outcomes = [] } = {}] = await place.store.recentCycles(1);
    const put = outcomes.reduce((sum, { outcome, count }) => sum + (outcome === "cancelled" ? count : 0), 0);
    expect(put).toBe(people - place.target.accounts.size);
    expect(done).toBeGreaterThan(0);
    place.target.after = () => {};
    await place.cycle();
    expect(place.target.writes).toHaveLength(people);
    expect(place.target.accounts.size).toBe(people);
  });

  it("stop if the next batch cannot be noted, and are sent once by the next run", async () => {
    await using place = await hired();
    let batches = 0;
    const failing: StateStore = {
      ...place.store,
      commit: async (change, fence) => {
        if (change.intents?.begin !== undefined) batches += 1;
        if (batches === 2) throw new StateError("the disk is full");
        await place.store.commit(change, fence);
      },
    };
    await expect(runCycle({ ...place.ports(), store: failing }, request)).rejects.toThrow("disk is full");
    expect(place.target.writes.length).toBeLessThan(people);
    await place.restart();
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect(place.target.writes).toHaveLength(people);
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("are refused one at a time if the manager's account was removed by hand: the others of the batch are sent without the manager", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    place.source.hire("m");
    await place.cycle();
    const gone = place.target.account("m@example.com").latticeId;
    place.target.accounts.delete(gone);
    for (const id of ["a", "b", "c"]) place.source.hire(id, {}, "m");
    place.target.writes.length = 0;
    place.target.reads.length = 0;

    await place.cycle();

    expect(place.target.reads.filter((read) => read === `get ${gone}`)).toHaveLength(1);
    const sent = place.target.writes.map(({ userName, writes }) => [
      userName,
      writes.some(({ value }) => value === gone),
    ]);
    expect(sent).toEqual([
      ["a@example.com", true],
      ["a@example.com", false],
      ["b@example.com", false],
      ["c@example.com", false],
    ]);
  });
});
