import type Database from "better-sqlite3";

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/** SQL that makes the same database again: schema, rows, version. Triggers come last, because the rows are there already. */
export function dumpOf(db: Database.Database): string {
  const objects = db
    .prepare<[], SchemaObject>(
      "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    )
    .all();
  const counters = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get();
  const tables = objects.filter(({ type }) => type === "table");
  const others = objects.filter(({ type }) => type !== "table");
  return [
    "PRAGMA foreign_keys = OFF;",
    ...tables.map(({ sql }) => `${sql};`),
    ...tables.flatMap(({ name }) => rowsOf(db, name)),
    ...(counters === undefined ? [] : ["DELETE FROM sqlite_sequence;", ...rowsOf(db, "sqlite_sequence")]),
    ...others.map(({ sql }) => `${sql};`),
    `PRAGMA user_version = ${db.pragma("user_version", { simple: true })};`,
    "",
  ].join("\n");
}

function rowsOf(db: Database.Database, table: string): readonly string[] {
  const rows = db.prepare<[], readonly unknown[]>(`SELECT * FROM ${table}`).raw().all();
  return rows.map((row) => `INSERT INTO ${table} VALUES (${row.map(literal).join(", ")});`);
}

function literal(value: unknown): string {
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (value === null || typeof value === "number") return String(value);
  throw new Error(`no literal for ${typeof value}`);
}
