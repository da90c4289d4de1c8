import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { movedTables } from "../../../src/state/moved-tables.ts";
import { openStore as openJob } from "../../../src/state/postgres/store.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { accountRow, personRow } from "../contract/rows.ts";
import { freshPlace } from "../postgres/place.ts";
import { writeEverything } from "./everything.ts";
import { fileToJob, jobToFile } from "./move.ts";
import { rowsOf } from "./rows-of.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-move-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

it("moves each kind of row, whatever texts it has, from a file to PostgreSQL and back", async () => {
  const file = join(folder, "state.db");
  const store = openStore(file);
  await writeEverything(store);
  await store.close();
  const rows = rowsOf(file);
  // There is something of everything to lose.
  expect(movedTables.filter(({ name }) => rows[name]?.length === 0)).toEqual([]);
  const place = await freshPlace();
  await fileToJob(file, place);
  const back = join(folder, "back.db");
  await jobToFile(place, back);
  expect(rowsOf(back)).toEqual(rows);
});

it("moves each kind of row from PostgreSQL to a file and back, and goes on with the ids", async () => {
  const place = await freshPlace();
  const job = await openJob(place);
  await writeEverything(job);
  await job.close();
  const file = join(folder, "state.db");
  await jobToFile(place, file);
  const second = await freshPlace();
  await fileToJob(file, second);
  const back = join(folder, "back.db");
  await jobToFile(second, back);
  expect(rowsOf(back)).toEqual(rowsOf(file));

  const [one, two] = [await openJob(place), await openJob(second)];
  for (const moved of [one, two]) {
    await moved.addEvent({ kind: "goodCycleAgain", since: 2 }, { at: 15 });
    await moved.commit(
      { failures: [{ objectId: "p", change: "began", since: 1, code: "c", message: "m" }] },
      "private",
    );
  }
  const next = { planId: "next", kind: "incremental", startedAt: 20 } as const;
  expect(await two.beginCycle(next, "private")).toBe(await one.beginCycle(next, "private"));
  expect((await two.failureChanges()).map(({ id }) => id)).toEqual(
    (await one.failureChanges()).map(({ id }) => id),
  );
  await Promise.all([one.close(), two.close()]);
});

it("moves more rows than a batch has, and rows that fill a batch alone", async () => {
  const file = join(folder, "state.db");
  const store = openStore(file);
  const many = Array.from({ length: 2_345 }, (_, index) => personRow(`p${index}`));
  const long = personRow("long", { attributes: { displayName: "x".repeat(3_000_000) } });
  await store.commit({ people: { readIn: 1, put: [...many, long] } }, "private");
  await store.close();
  const place = await freshPlace();
  await fileToJob(file, place);
  const back = join(folder, "back.db");
  await jobToFile(place, back);
  expect(rowsOf(back)).toEqual(rowsOf(file));
});

it("keeps a name with half of a surrogate pair as SQLite can, and the JSON with it as it is", async () => {
  const place = await freshPlace();
  const job = await openJob(place);
  const odd = { userName: "ann\ud800@example.com", values: { title: "\ud800" } };
  await job.commit({ accounts: { put: [accountRow("lat-ann", null, odd)] } }, "private");
  await job.close();
  const file = join(folder, "state.db");
  await jobToFile(place, file);
  const store = openStore(file);
  expect(await store.accountOf("lat-ann")).toMatchObject({ ...odd, userName: "ann\ufffd@example.com" });
  await store.close();
});
