import Database from "better-sqlite3";
import type { Connection } from "./database.ts";
import { ChangedSchemaError, type FileInWords } from "./errors.ts";
import { migrationsUpTo, schemaVersion } from "./schema.ts";

/**
 * Compares every table, index, trigger and view with those of a new database of the same version. An added one would act in
 * the name of this program: a trigger runs with each write.
 * @returns the differences, in words; empty if there are none
 */
export function schemaFindings(db: Connection): readonly string[] {
  const version = schemaVersion(db);
  if (version === 0) return [];
  const found = objectsOf(db);
  const expected = expectedObjects(version);
  const names = [...new Set([...found.keys(), ...expected.keys()])].sort();
  return names.flatMap((name) => {
    if (!expected.has(name)) return [`the ${name} was not created by this program`];
    if (!found.has(name)) return [`the ${name} is missing`];
    return found.get(name) === expected.get(name)
      ? []
      : [`the ${name} differs from the one that this program creates`];
  });
}

/** @throws StateError naming the first difference */
export function refuseChangedSchema(db: Connection, file: FileInWords): void {
  const [first] = schemaFindings(db);
  if (first !== undefined) throw new ChangedSchemaError(file, first);
}

function expectedObjects(version: number): ReadonlyMap<string, string> {
  const fresh = new Database(":memory:");
  try {
    for (const sql of migrationsUpTo(version)) fresh.exec(sql);
    return objectsOf(fresh);
  } finally {
    fresh.close();
  }
}

/** SQL by `trigger "name"`. SQLite's own objects (`sqlite_…`) are left out: they cannot be made by hand. */
function objectsOf(db: Connection): ReadonlyMap<string, string> {
  const rows = db
    .prepare<[], { type: string; name: string; table: string; sql: string | null }>(
      "SELECT type, name, tbl_name AS 'table', sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .all();
  return new Map(
    rows.map(({ type, name, table, sql }) => [`${type} "${name}"`, `${table}: ${plain(sql ?? "")}`]),
  );
}

/** Without comments and line breaks, which SQLite keeps as they were typed. */
function plain(sql: string): string {
  return sql
    .replaceAll(/--[^\n]*/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}
