import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { scratchCopyOf, sweepCopies } from "../../../../src/state/sqlite/files/scratch-copy.ts";
import { openStore } from "../../../../src/state/sqlite/store.ts";

let folder: string;
let temporary: string;
let path: string;
let writer: Database.Database;

// The database is one with a write-ahead log, which a run has open while the copy is made.
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "als-scratch-"));
  temporary = join(folder, "temporary");
  mkdirSync(temporary);
  path = join(folder, "state.db");
  await openStore(path).close();
  writer = new Database(path);
  writer.pragma("wal_autocheckpoint = 0");
  writer.exec("INSERT INTO meta (key, value) VALUES ('only in the log', 'yes')");
});

afterEach(() => {
  writer.close();
  rmSync(folder, { recursive: true, force: true });
});

const original = (): Database.Database => new Database(path, { readonly: true });
const valueIn = (db: Database.Database): unknown =>
  db.prepare("SELECT value FROM meta WHERE key = 'only in the log'").pluck().get();

/** The copy holds what the log holds, can be changed, and changes nothing of the original. */
function expectWholeCopy({ db }: { readonly db: Database.Database }): void {
  expect(valueIn(db)).toBe("yes");
  db.exec("UPDATE meta SET value = 'no'");
  expect(valueIn(db)).toBe("no");
  expect(valueIn(writer)).toBe("yes");
  db.close();
}

it("copies a small database into memory, and puts no data of people into a temporary folder", () => {
  const before = original();
  const copy = scratchCopyOf(before, path, { folder: temporary });
  expect(before.open).toBe(false);
  expect(copy.db.memory).toBe(true);
  expect(readdirSync(temporary)).toEqual([]);
  expectWholeCopy(copy);
});

it("copies a large database into the temporary folder, where the copy has no name once it is made", () => {
  const copy = scratchCopyOf(original(), path, { folder: temporary, memoryBytes: 0 });
  expect(copy.db.name).toContain(temporary);
  expect(copy.file.name).toBe(`the temporary copy of the state database in ${temporary}`);
  expect(readdirSync(temporary)).toEqual([]);
  expectWholeCopy(copy);
});

it("copies a large database into memory if there is no temporary folder", () => {
  const copy = scratchCopyOf(original(), path, { folder: join(folder, "missing"), memoryBytes: 0 });
  expect(copy.db.memory).toBe(true);
  expect(copy.file.name).toBe(`the copy of the state database ${path} in memory`);
  expectWholeCopy(copy);
});

it("names the temporary folder, not that of the database, if there is no room for the copy", () => {
  const missing = join(folder, "missing");
  const source = original();
  expect(() => scratchCopyOf(source, path, { folder: missing, memoryBytes: 0, mostMemoryBytes: 1 })).toThrow(
    `the state database ${path} (0 MB) must be copied for this, but the temporary folder ${missing} cannot hold the copy (ENOENT): set TMPDIR to a folder with enough space.`,
  );
  expect(source.open).toBe(false);
});

it("removes the copies of a killed run of this machine as soon as another one begins", () => {
  const killed = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `
      import { mkdirSync, mkdtempSync, readdirSync } from "node:fs";
      import Database from "better-sqlite3";
      const { scratchCopyOf } = await import(${JSON.stringify(new URL("../../../../src/state/sqlite/files/scratch-copy.ts", import.meta.url).href)});
      // Killed in the midst of the copying: when the file has its name.
      const prepare = Database.prototype.prepare;
      Database.prototype.prepare = function (sql) {
        const statement = prepare.call(this, sql);
        if (!sql.startsWith("VACUUM INTO")) return statement;
        return { run: (to) => { statement.run(to); process.kill(process.pid, "SIGKILL"); } };
      };
      scratchCopyOf(new Database(${JSON.stringify(path)}, { readonly: true }), "x", { folder: ${JSON.stringify(temporary)}, memoryBytes: 0 });
      `,
    ],
    { encoding: "utf8", cwd: join(import.meta.dirname, "../../../..") },
  );
  expect([killed.signal, killed.stderr]).toEqual(["SIGKILL", ""]);
  const [left = ""] = readdirSync(temporary);
  expect(readdirSync(join(temporary, left))).toEqual(["scratch.db"]);
  // The copy of a running run stays.
  mkdirSync(join(temporary, left.replace(/-\d+-/, `-${process.pid}-`)));

  sweepCopies(temporary);
  expect(readdirSync(temporary)).toEqual([left.replace(/-\d+-/, `-${process.pid}-`)]);
});

it("removes copies that a killed run left in the temporary folder an hour ago, and nothing else", () => {
  const hourAgo = new Date(Date.now() - 3_700_000);
  for (const name of ["azure-lattice-sync-old", "azure-lattice-sync-new", "other-old"]) {
    mkdirSync(join(temporary, name));
    writeFileSync(join(temporary, name, "scratch.db"), "people");
    if (name.endsWith("old")) utimesSync(join(temporary, name), hourAgo, hourAgo);
  }
  scratchCopyOf(original(), path, { folder: temporary }).db.close();
  expect(readdirSync(temporary).sort()).toEqual(["azure-lattice-sync-new", "other-old"]);
});
