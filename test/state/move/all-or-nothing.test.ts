import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { LeaseHeldError, StateError, UsageError } from "../../../src/domain/errors.ts";
import type { Fence } from "../../../src/domain/state/fence.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { type JobRows, jobContent, openToFill, readJobRows } from "../../../src/state/postgres/move-job.ts";
import { openStore as openJob } from "../../../src/state/postgres/store.ts";
import { exportRows } from "../../../src/state/sqlite/files/export.ts";
import { type MovableFile, openToMove } from "../../../src/state/sqlite/files/import.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { personRow } from "../contract/rows.ts";
import { freshPlace } from "../postgres/place.ts";
import { writeEverything } from "./everything.ts";
import { fileToJob, jobToFile } from "./move.ts";
import { rowsOf } from "./rows-of.ts";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "als-move-"));
  file = join(folder, "state.db");
  const store = openStore(file);
  await writeEverything(store);
  await store.close();
  return () => rmSync(folder, { recursive: true, force: true });
});

/** Fills a job from the file. */
async function fill(
  place: PostgresPlace,
  how: {
    readonly fence?: Fence;
    readonly signal?: AbortSignal;
    readonly rows?: (from: MovableFile) => JobRows;
  },
): Promise<void> {
  const source = openToMove(file, Number.MAX_SAFE_INTEGER);
  const job = await openToFill(place);
  try {
    const { fence = "private", signal = new AbortController().signal, rows = (from) => from } = how;
    await job.fill(rows(source), { fence, signal, taken: () => new UsageError("taken") });
  } finally {
    await job.close();
    source.close();
  }
}

it("writes nothing of an import that is interrupted, or whose file cannot be read to its end", async () => {
  const place = await freshPlace();
  const aborted = AbortSignal.abort(new StateError("asked to stop"));
  await expect(fill(place, { signal: aborted })).rejects.toThrow("asked to stop");
  const breaking = (from: MovableFile): JobRows => ({
    ...from,
    rowsOf: (table) => {
      if (table.name === "failure_change") throw new StateError("the disk broke");
      return from.rowsOf(table);
    },
  });
  await expect(fill(place, { rows: breaking })).rejects.toThrow("the disk broke");
  const losing = (from: MovableFile): JobRows => ({
    ...from,
    rowsOf: (table) => (table.name === "retry" ? [] : from.rowsOf(table)),
  });
  await expect(fill(place, { rows: losing })).rejects.toThrow(
    /0 of 3 rows of retry arrived: nothing was written/,
  );
  expect(await jobContent(place)).toBeNull();
});

it("writes nothing if another run took the lease over meanwhile", async () => {
  const place = await freshPlace();
  const job = await openJob(place);
  await job.acquireLease("another", 0, 60_000);
  await job.close();
  await expect(fill(place, { fence: { owner: "mine" } })).rejects.toThrow(LeaseHeldError);
  expect(await jobContent(place)).toBeNull();
});

it("leaves the rows of other jobs alone, and refuses a job that got a state meanwhile", async () => {
  const [place, other] = [await freshPlace(), await freshPlace()];
  const job = await openJob(other);
  await job.commit({ people: { readIn: 1, put: [personRow("p")] } }, "private");
  await fill(place, {});
  expect(await jobContent(other)).toMatchObject({ people: 1, cycles: 0 });
  await expect(fill(other, {})).rejects.toThrow("taken");
  expect(await jobContent(other)).toMatchObject({ people: 1, cycles: 0 });
  await job.close();
});

it("replaces notes and events of a program that started and never ran a cycle", async () => {
  const place = await freshPlace();
  const job = await openJob(place);
  await job.commit({ notes: { silentAt: "1", goodCycleAt: "2" } }, "private");
  await job.addEvent({ kind: "goodCycleAgain", since: 1 }, { at: 14, once: "once\0" });
  await job.close();
  await fileToJob(file, place);
  const back = join(folder, "back.db");
  await jobToFile(place, back);
  expect(rowsOf(back)).toEqual(rowsOf(file));
});

it("exports what was there at one moment, though the job goes on", async () => {
  const place = await freshPlace();
  await fileToJob(file, place);
  const job = await openJob(place);
  const out = join(folder, "out.db");
  let going: Promise<void> | null = null;
  await exportRows(out, { force: false }, async (put) => {
    const newest = await readJobRows(place, (table, row) => {
      // The first row of the first table: everything else is read after the job has gone on.
      going ??= job.commit(
        { people: { readIn: 1, put: [personRow("new")] }, notes: { watermark: "new" } },
        "private",
      );
      put(table, row);
    });
    await going;
    if (newest === null) throw new Error("there is a job");
    return newest;
  });
  expect((await job.meta()).watermark).toBe("new");
  await job.close();
  expect(rowsOf(out)).toEqual(rowsOf(file));
});

it("leaves no file of an export that breaks off", async () => {
  const failing = exportRows(join(folder, "out.db"), { force: false }, async () => {
    throw new StateError("the connection was lost");
  });
  await expect(failing).rejects.toThrow("the connection was lost");
  expect(readdirSync(folder)).toEqual(["state.db"]);
});
