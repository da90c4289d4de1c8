import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { createFewOpen, type FewOpen } from "../../../src/state/sqlite/files/few-open.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";

describe("the files of many jobs", () => {
  let folder: string;
  let few: FewOpen;
  let stores: StateStore[];
  const storeAt = (name: string): StateStore => {
    const path = join(folder, `${name}.db`);
    const store = few.store(path, () => openStore(path));
    stores.push(store);
    return store;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "als-few-"));
    few = createFewOpen(2);
    stores = [];
  });

  afterEach(async () => {
    for (const store of stores) await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are opened when they are used, and at most a few stay open", async () => {
    const jobs = ["a", "b", "c", "d"].map(storeAt);
    expect(few.open()).toBe(0);
    for (const [index, job] of jobs.entries()) {
      await job.commit({ notes: { watermark: `of ${index}` } }, "private");
      expect(few.open()).toBeLessThanOrEqual(2);
    }
    for (const [index, job] of jobs.entries()) expect(await job.meta()).toEqual({ watermark: `of ${index}` });
    expect(few.open()).toBe(2);
  });

  it("stay open while a run has the lease, with what it has staged", async () => {
    const [running, ...others] = ["a", "b", "c", "d"].map(storeAt);
    if (running === undefined) throw new Error("no job");
    await running.acquireLease("run", 1, 60_000);
    await running.beginScope();
    await running.stageScope(["p1"]);
    for (const job of others) await job.meta();
    await running.compareScope();
    expect(await running.movedInScope("", 10)).toEqual([{ objectId: "p1", entered: true }]);
    await running.releaseLease("run");
    for (const job of others) await job.meta();
    expect(few.open()).toBe(2);
  });

  it("are refused if another file was put in their place meanwhile", async () => {
    const [first, ...others] = ["a", "b", "c"].map(storeAt);
    await first?.meta();
    for (const job of others) await job.meta();
    renameSync(join(folder, "a.db"), join(folder, "moved.db"));
    await expect(first?.meta()).rejects.toThrow(/a\.db was moved or replaced while this process used it/);
  });

  it("are not opened again by a job that was closed", async () => {
    const store = storeAt("a");
    await store.meta();
    await store.close();
    expect(few.open()).toBe(0);
    await expect(store.meta()).rejects.toThrow(/is closed/);
  });
});
