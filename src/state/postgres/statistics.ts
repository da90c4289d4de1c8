import type { StateChange } from "../../domain/state/change.ts";
import type { Database } from "./connection/database.ts";

/** The tables that a run can fill quickly, and the number of rows that a change puts into each. */
const added: readonly (readonly [table: string, rows: (change: StateChange) => number | undefined])[] = [
  ["source_user", ({ people }) => people?.put?.length],
  ["target_user", ({ accounts }) => accounts?.put?.length],
  ["operation", ({ operations }) => operations?.add?.length],
  ["scope_member", ({ moves }) => moves?.length],
];
const firstAt = 100;
const growth = 4;

/**
 * Runs ANALYZE on a table when the job has put at least four times as many rows into it as PostgreSQL's planner expects of the job. Autovacuum
 * does so too, but only after a minute: until then a first run would be planned for empty tables, and read a whole company for each person.
 * If the planner expects more rows of the job, from an earlier run or from other jobs of that size, nothing is done: hundreds of jobs share a
 * table, and ANALYZE is of all of it.
 * @returns a function to call with each change that was committed
 */
export function statisticsKeeper(db: Database): (change: StateChange) => Promise<void> {
  const seen = added.map(([table, rowsOf]) => ({ table, rowsOf, rows: 0, next: firstAt }));
  return async (change) => {
    const grown: string[] = [];
    for (const one of seen) {
      one.rows += one.rowsOf(change) ?? 0;
      if (one.rows < one.next) continue;
      one.next = one.rows * growth;
      if ((await expectedRows(db, one.table)) * growth <= one.rows) grown.push(one.table);
    }
    if (grown.length > 0) await db.analyze(grown);
  };
}

/** The rows of the job in a table, as the planner expects them. */
async function expectedRows(db: Database, table: string): Promise<number> {
  const row = await db.one<{ "QUERY PLAN": readonly [{ Plan: { "Plan Rows": number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT FROM ${table} WHERE job = $1`,
  );
  return row?.["QUERY PLAN"][0].Plan["Plan Rows"] ?? 0;
}
