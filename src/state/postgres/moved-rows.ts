import type { Json, JsonObject } from "../../domain/json.ts";
import { isJsonObject } from "../../domain/json.ts";
import type { MovedRow, MovedTable, NewestIds } from "../moved-tables.ts";
import { asJson, type Session, type Walk } from "./connection/database.ts";
import { copiedColumns } from "./write-people.ts";

const types = { text: "text", number: "bigint", flag: "boolean", json: "json", object: "json" } as const;

/** Visits each row of a table, in the order in which rows move. */
export function readMovedRows(walk: Walk, table: MovedTable, visit: (row: MovedRow) => void): Promise<void> {
  const columns = Object.keys(table.columns).join(", ");
  const read = reads.get(table.name) ?? `SELECT ${columns} FROM ${table.name} WHERE job = $1`;
  return walk<MovedRow>(`${read} ORDER BY ${table.order === "" ? "seq" : table.order}`, visit);
}

/** Statements for tables that have other columns here. */
const reads: ReadonlyMap<string, string> = new Map([
  [
    "delivery",
    `SELECT e.id AS event_id, d.receiver, d.attempts, d.next_try_at, d.claimed_until
     FROM delivery d JOIN event e ON e.job = d.job AND e.seq = d.event_seq WHERE d.job = $1`,
  ],
]);

/**
 * Writes rows of a table, in the order in which they move, within a transaction.
 * @param before the number of rows of the table that were written before
 * @returns how many were written
 */
export async function writeMovedRows(
  session: Session,
  table: MovedTable,
  rows: readonly MovedRow[],
  before: number,
): Promise<number> {
  const added = copies.get(table.name);
  const complete =
    added === undefined ? rows : rows.map((row, index) => ({ ...row, ...added(row, before + index + 1) }));
  return session.run(insertInto(table), asJson(complete));
}

/** Columns that only this store has, of a row and its place in the order. */
const copies: ReadonlyMap<string, (row: MovedRow, place: number) => MovedRow> = new Map<
  string,
  (row: MovedRow, place: number) => MovedRow
>([
  ["source_user", ({ attributes }) => copiedColumns(objectOf(attributes))],
  ["event", ({ data }, place) => ({ seq: place, kind: objectOf(data).kind ?? "" })],
]);

const moreColumns: ReadonlyMap<string, MovedTable["columns"]> = new Map<string, MovedTable["columns"]>([
  ["source_user", { user_principal_name: "text", enabled: "flag" }],
  ["event", { seq: "number", kind: "text" }],
]);

function insertInto({ name, columns }: MovedTable): string {
  const all = Object.entries({ ...columns, ...moreColumns.get(name) });
  const typed = all.map(([column, kind]) => `${column} ${types[kind]}`).join(", ");
  const from = `json_to_recordset($2::json) AS r (${typed})`;
  if (name === "delivery") {
    return `INSERT INTO delivery (job, receiver, event_seq, attempts, next_try_at, claimed_until)
      SELECT $1, r.receiver, e.seq, r.attempts, r.next_try_at, r.claimed_until
      FROM ${from} JOIN event e ON e.job = $1 AND e.id = r.event_id`;
  }
  const names = all.map(([column]) => column).join(", ");
  return `INSERT INTO ${name} (job, ${names}) SELECT $1, ${names} FROM ${from}`;
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

const newest = `SELECT last_cycle AS cycle, last_operation AS operation, last_decision AS decision, last_failure AS failure
  FROM job WHERE id = $1`;
const goOn = `UPDATE job SET last_cycle = greatest(last_cycle, $2), last_operation = greatest(last_operation, $3),
    last_decision = greatest(last_decision, $4), last_failure = greatest(last_failure, $5),
    last_event = (SELECT coalesce(max(seq), 0) FROM event WHERE job = $1)
  WHERE id = $1`;

/** The newest ids that the job has given. */
export async function readNewestIds(walk: Walk): Promise<NewestIds> {
  let found: NewestIds | undefined;
  await walk<NewestIds>(newest, (row) => {
    found = row;
  });
  if (found === undefined) throw new Error("the job is gone from the database");
  return found;
}

/** Makes the job continue its ids after these. */
export async function writeNewestIds(session: Session, ids: NewestIds): Promise<void> {
  await session.run(goOn, ids.cycle, ids.operation, ids.decision, ids.failure);
}
