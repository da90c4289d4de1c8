import Database from "better-sqlite3";

/** The tables that a database file need not have in common with the one from which it was moved. */
const own = new Set(["tally", "lease", "sqlite_sequence", "filter_group_staging"]);

/**
 * Everything that is in a database, by table, in the order of the rows' texts: for databases that are compared. Counts that triggers keep are
 * among it; what a file notes about itself is not.
 */
export function rowsOf(file: string): Readonly<Record<string, readonly unknown[]>> {
  const db = new Database(file, { readonly: true });
  try {
    const tables = db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .pluck()
      .all();
    return Object.fromEntries(
      tables
        .filter((name) => !own.has(name) || name === "tally")
        .map((name) => [name, sorted(db.prepare(`SELECT * FROM ${name}`).all(), name)]),
    );
  } finally {
    db.close();
  }
}

function sorted(rows: readonly unknown[], table: string): readonly unknown[] {
  const texts = rows.map((row) => {
    const { id, ...columns } = { id: undefined, ...(row as object) };
    // Numbers of accounts only give them an order.
    return JSON.stringify(table === "target_user" ? columns : row);
  });
  const kept = table === "meta" ? texts.filter((text) => !/"(checkedAt|logNewestIds)"/.test(text)) : texts;
  // The order in which events were kept is a part of them.
  return (table === "event" ? kept : kept.sort()).map((text) => JSON.parse(text));
}
