import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, expect, it } from "vitest";
import { openStore } from "../../../src/state/postgres/store.ts";
import { openDatabase } from "../../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../../src/state/sqlite/store.ts";
import { askEverything } from "../both/ask-everything.ts";
import { bothStores } from "../both/both-stores.ts";
import { situations } from "../corpus/situations.ts";
import { freshPlace } from "../postgres/place.ts";
import { fileToJob, jobToFile } from "./move.ts";
import { rowsOf } from "./rows-of.ts";

const corpus = join(import.meta.dirname, "../corpus");
const versions = readdirSync(corpus, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-move-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

/** A database of an earlier version, as its last run left it. */
function corpusFile(version: string, situation: string): string {
  const file = join(folder, "old.db");
  const old = new Database(file);
  old.exec(readFileSync(join(corpus, version, `${situation}.sql`), "utf8"));
  old.close();
  return file;
}

const cases = versions.flatMap((version) =>
  situations
    .filter((situation) => existsSync(join(corpus, version, `${situation}.sql`)))
    .map((situation) => ({ version, situation })),
);

it.each(cases)(
  "moves a database of the version $version to PostgreSQL and back with all of its rows: $situation",
  async ({ version, situation }) => {
    const file = corpusFile(version, situation);
    const before = readFileSync(file);
    const place = await freshPlace();
    await fileToJob(file, place);
    expect(readFileSync(file).equals(before)).toBe(true);
    const back = join(folder, "back.db");
    await jobToFile(place, back);
    openDatabase(file).close();
    expect(rowsOf(back)).toEqual(rowsOf(file));
  },
);

it("answers every question in PostgreSQL as before in the file", async () => {
  const file = corpusFile(versions.at(-1) ?? "", "company");
  const place = await freshPlace();
  await fileToJob(file, place);
  const { store, differences } = bothStores(
    storeOn(openDatabase(file), file),
    await openStore(place, { leaseClock: "caller" }),
  );
  await askEverything(store);
  await store.close();
  expect(differences.found).toEqual([]);
});
