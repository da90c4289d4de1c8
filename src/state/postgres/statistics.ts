import type { StateChange } from "../../domain/state/change.ts";
import type { Database } from "./connection/database.ts";

/** The tables whose rows come in crowds, and how many a change puts into each. */
const added: readonly (readonly [table: string, rows: (change: StateChange) => number | undefined])[] = [
  ["source_user", ({ people }) => people?.put?.length],
  ["target_user", ({ accounts }) => accounts?.put?.length],
  ["operation", ({ operations }) => operations?.add?.length],
  ["scope_member", ({ moves }) => moves?.length],
];
const firstAt = 100;
const growth = 4;

/**
 * Has PostgreSQL look at a table again when the job has put more rows into it than the planner expects of the job. PostgreSQL looks by itself,
 * but only after a minute: until then a first run would be planned for empty tables, and walk through a whole company for each person. If the
 * planner expects as many rows of the job, from an earlier run or from other jobs that have as many, nothing is done: hundreds of jobs share a
 * table, and PostgreSQL looks at all of it.
 * @returns is told each change that was committed
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
