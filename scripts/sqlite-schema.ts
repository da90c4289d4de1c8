import { writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { migrationsUpTo, newestVersion } from "../src/state/sqlite/files/schema.ts";

// Writes src/state/sqlite/migrations/newest.sql: what the migrations make of an empty database. A new database begins with it, so that
// it does not go through all earlier schemas.

const db = new Database(":memory:");
for (const sql of migrationsUpTo(newestVersion())) db.exec(sql);

const objects = db
  .prepare<[], string>(
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
  )
  .pluck()
  .all();
const tables = db
  .prepare<[], string>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
  )
  .pluck()
  .all();

/** The rows with which a database begins. */
function rowsOf(table: string): readonly string[] {
  const columns = db.prepare<[], string>(`SELECT name FROM pragma_table_info('${table}')`).pluck().all();
  const values = columns.map((column) => `quote("${column}")`).join(" || ', ' || ");
  const rows = db.prepare<[], string>(`SELECT ${values} FROM "${table}"`).pluck().all();
  return rows.map((row) => `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${row})`);
}

const statements = [...objects, ...tables.flatMap(rowsOf), `PRAGMA user_version = ${newestVersion()}`];
const page = `\
-- Made by "npm run generate:schema" from the numbered files beside it: change the schema with a new one. A new database begins with this.

${statements.map((statement) => `${statement};\n`).join("\n")}`;

const [out = ""] = process.argv.slice(2);
writeFileSync(out, page);
