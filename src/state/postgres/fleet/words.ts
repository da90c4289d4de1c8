import type { Session } from "../connection/database.ts";
import { serverTime } from "../lease.ts";

// Statements about all jobs. `$1` is always the job of the connection, which is none here.

/** A condition that is always true, and takes the job. */
export const all = "$1::int IS NOT NULL";

/** A daemon counts as alive for this long after it was last seen. It reports itself every five seconds. */
const aliveMs = 30_000;

/** Whether a daemon is alive. @param worker the name of its row in the statement */
export function alive(worker: string): string {
  return `${worker}.seen_at > ${serverTime} - ${aliveMs}`;
}

/** The number of a job whose name is a parameter. */
export function idOf(parameter: string): string {
  return `(SELECT id FROM job WHERE name = ${parameter})`;
}

const missing = `INSERT INTO job (id, name)
  SELECT (SELECT coalesce(max(id), 0) FROM job) + row_number() OVER (ORDER BY n.name), n.name
  FROM unnest($2::text[]) AS n (name) WHERE ${all} AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name = n.name)
  ON CONFLICT DO NOTHING`;
const count = `SELECT count(*) AS known FROM job WHERE ${all} AND name = ANY($2)`;

/** Makes the rows of jobs that are new. */
export async function addJobs(session: Session, names: readonly string[]): Promise<void> {
  // Another program may give the same number to another job at the same time.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await session.run(missing, names);
    const found = await session.one<{ known: number }>(count, names);
    if (found?.known === new Set(names).size) return;
  }
}
