import type { Json } from "../../../domain/json.ts";
import {
  fileNotes,
  type MovedContent,
  type MovedRow,
  type MovedTable,
  movedTables,
  type NewestIds,
} from "../../moved-tables.ts";
import type { Connection } from "./database.ts";
import { contentOf } from "./inspect.ts";

/** Rows of a batch, and roughly the characters in them: whichever is reached first ends it. */
const batch = { rows: 1_000, characters: 1_000_000 };

/**
 * The rows of a table, a batch at a time: a company need not fit into memory.
 * @throws SyntaxError for a value that is not the JSON that was written
 */
export function* movedRows(db: Connection, table: MovedTable): Generator<readonly MovedRow[]> {
  const columns = Object.entries(table.columns);
  const read = db
    .prepare<[], readonly (string | number | null)[]>(
      `SELECT ${columns.map(([name]) => name).join(", ")} FROM ${sources.get(table.name) ?? table.name}`,
    )
    .raw();
  let rows: MovedRow[] = [];
  let characters = 0;
  for (const values of read.iterate()) {
    rows.push(
      Object.fromEntries(
        columns.map(([name, kind], index) => {
          const value = values[index] ?? null;
          if (typeof value === "string") characters += value.length;
          return [name, parsed(kind, value)];
        }),
      ),
    );
    if (rows.length < batch.rows && characters < batch.characters) continue;
    yield rows;
    rows = [];
    characters = 0;
  }
  if (rows.length > 0) yield rows;
}

/** The tables from which rows are read, where it is not the one of that name as it is. */
const sources: ReadonlyMap<string, string> = new Map([
  ["meta", `meta WHERE key NOT IN ('${fileNotes.checkedAt}', '${fileNotes.newestIds}')`],
  ["operation", "operation JOIN operation_changes USING (id) ORDER BY id"],
  ["event", "event ORDER BY rowid"],
]);

type Kind = MovedTable["columns"][string];

function parsed(kind: Kind, value: string | number | null): Json {
  if (kind === "flag") return value === 1;
  if (value === null || (kind !== "json" && kind !== "object")) return value;
  return kind === "object" && value === "{}" ? null : (JSON.parse(String(value)) as Json);
}

function written(kind: Kind, value: Json): string | number | null {
  if (kind === "flag") return value === true ? 1 : 0;
  if (kind === "object") return JSON.stringify(value ?? {});
  if (value === null) return null;
  if (kind === "json") return JSON.stringify(value);
  return kind === "number" ? Number(value) : String(value);
}

/** Writes rows into a new database, within a transaction of the caller. */
export function movedRowWriter(db: Connection): (table: MovedTable, row: MovedRow) => void {
  const writers = new Map(movedTables.map((table) => [table.name, writerOf(db, table)]));
  return (table, row) => writers.get(table.name)?.(row);
}

function writerOf(db: Connection, table: MovedTable): (row: MovedRow) => void {
  const apart = table.name === "operation" ? ["id", "changes"] : [];
  const own = Object.keys(table.columns).filter((name) => name === "id" || !apart.includes(name));
  const inserts = [inserting(db, table, table.name, own)];
  if (apart.length > 0) inserts.push(inserting(db, table, "operation_changes", apart));
  return (row) => {
    for (const insert of inserts) insert(row);
  };
}

function inserting(
  db: Connection,
  table: MovedTable,
  into: string,
  names: readonly string[],
): (row: MovedRow) => void {
  const columns = names.map((name) => [name, table.columns[name] ?? "text"] as const);
  const insert = db.prepare<[readonly (string | number | null)[]]>(
    `INSERT INTO ${into} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
  );
  return (row) => {
    insert.run(columns.map(([name, kind]) => written(kind, row[name] ?? null)));
  };
}

/** The number of rows that a table has, whatever is read of them. */
export function countRows(db: Connection, { name }: MovedTable): number {
  const from = name === "operation" ? name : (sources.get(name) ?? name);
  return countOf(db, `SELECT count(*) FROM ${from}`);
}

/** Notes which ids were given, so that a store that counts them goes on from there. */
export function noteNewestIds(db: Connection, newest: NewestIds): void {
  db.prepare<[string, string]>("INSERT INTO meta (key, value) VALUES (?, ?)").run(
    fileNotes.newestIds,
    JSON.stringify(newest),
  );
  const failures = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'failure_change'";
  if (db.prepare<[number]>(failures).run(newest.failure).changes > 0) return;
  db.prepare<[number]>("INSERT INTO sqlite_sequence (name, seq) VALUES ('failure_change', ?)").run(
    newest.failure,
  );
}

/** The newest ids that a database gave, or that the job did from which it was written. @throws SyntaxError */
export function newestIds(db: Connection): NewestIds {
  const noted = db
    .prepare<[string], string>("SELECT value FROM meta WHERE key = ?")
    .pluck()
    .get(fileNotes.newestIds);
  const before = noted === undefined ? {} : (JSON.parse(noted) as Partial<NewestIds>);
  const newest = (kind: keyof NewestIds, question: string): number =>
    Math.max(before[kind] ?? 0, countOf(db, question));
  return {
    cycle: newest("cycle", "SELECT max(id) FROM cycle"),
    operation: newest(
      "operation",
      "SELECT max(id) FROM (SELECT max(id) AS id FROM operation UNION SELECT max(operation_id) FROM intent)",
    ),
    decision: newest("decision", "SELECT max(id) FROM decision"),
    failure: newest("failure", "SELECT seq FROM sqlite_sequence WHERE name = 'failure_change'"),
  };
}

/** The content of an undamaged database. */
export function movedContentOf(db: Connection): MovedContent {
  const { sourceUsers, linked, lastCycleAt } = contentOf(db);
  return {
    people: sourceUsers,
    linked,
    cycles: countOf(db, "SELECT count(*) FROM cycle"),
    operations: countOf(db, "SELECT count(*) FROM operation"),
    held: countOf(db, "SELECT count(*) FROM operation WHERE status = 'held'"),
    lastCycleAt,
  };
}

function countOf(db: Connection, question: string): number {
  return db.prepare<[], number | null>(question).pluck().get() ?? 0;
}
