import { beforeAll, describe, expect, it } from "vitest";
import { movedTables } from "../../../src/state/moved-tables.ts";
import { connect } from "../../../src/state/postgres/connection/connect.ts";
import { openDatabase } from "../../../src/state/sqlite/files/database.ts";
import { placeInFreshSchema } from "../postgres/place.ts";
import { sql } from "../postgres/sql.ts";

let sqlite: readonly string[] = [];
let postgres: readonly string[] = [];

beforeAll(async () => {
  const db = openDatabase(":memory:");
  sqlite = db
    .prepare<[], string>(
      `SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY 1`,
    )
    .pluck()
    .all();
  db.close();
  const place = await placeInFreshSchema();
  await (await connect(place)).close();
  const rows = await sql(
    place,
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = '${place.schema}' AND column_name <> 'job' ORDER BY 1`,
  );
  postgres = rows.map(({ name }) => String(name)).sort();
});

const moved = new Set(
  movedTables.flatMap(({ name, columns }) => Object.keys(columns).map((one) => `${name}.${one}`)),
);

/** Columns that have no place in `movedTables`, without those of tables that are a store's own. */
function left(columns: readonly string[], own: readonly string[]): readonly string[] {
  return columns.filter((column) => !moved.has(column) && !own.includes(column.split(".")[0] ?? ""));
}

// A column that is listed neither here nor in `movedTables` would be lost when a state moves.
describe("the columns of a state that do not move between stores", () => {
  it("are in SQLite those that it derives, or writes apart", () => {
    const own = ["lease", "tally", "logged_name", "filter_group_staging"];
    expect(left(sqlite, own)).toEqual([
      "operation_changes.changes",
      "operation_changes.id",
      "source_user.skip_name",
      "target_user.id",
    ]);
  });

  it("are in PostgreSQL those that it derives, and the job", () => {
    const ofDaemons = ["worker", "worker_job", "job_config", "turn", "work", "signed_out"];
    expect(left(postgres, ["lease", "commit_mark", "schema_version", "job", ...ofDaemons])).toEqual([
      "delivery.event_seq",
      "event.kind",
      "event.seq",
      "source_user.enabled",
      "source_user.user_principal_name",
    ]);
  });
});
