import { readdirSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { stateDatabase } from "../../../../src/state/sqlite/files/errors.ts";
import { migrate, migrationsUpTo, newestVersion } from "../../../../src/state/sqlite/files/schema.ts";

it("numbers the migrations from 1 on, each number once: the second of two with one number would never be applied", () => {
  const names = readdirSync(new URL("../../../../src/state/sqlite/migrations/", import.meta.url)).sort();
  const numbered = names.filter((name) => name !== "newest.sql");
  expect(numbered.map((name) => Number(name.slice(0, 3)))).toEqual(numbered.map((_, index) => index + 1));
});

it("makes a new database in one step as all migrations make it one after the other", () => {
  const migrated = new Database(":memory:");
  for (const sql of migrationsUpTo(newestVersion())) migrated.exec(sql);
  const made = new Database(":memory:");
  migrate(made, stateDatabase("state.db"));
  expect(contentOf(made)).toEqual(contentOf(migrated));
  expect(made.pragma("user_version", { simple: true })).toBe(newestVersion());
  migrated.close();
  made.close();
});

/** Each table, index and trigger, in the order in which it was made, and each row. */
function contentOf(db: Database.Database): unknown {
  const objects = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").all();
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  return { objects, rows: tables.map((name) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]) };
}
