import type { Connection } from "./files/database.ts";

/** Moves times that lie after `time` to it, within a commit. */
export function timesWriter(db: Connection): (time: number) => void {
  const statements = [
    // An operation was planned, begun and ended no later than its `at`.
    `UPDATE operation SET finished_at = min(finished_at, :time), started_at = min(started_at, :time), at = :time
     WHERE at > :time`,
    `UPDATE cycle SET started_at = min(started_at, :time), finished_at = min(finished_at, :time)
     WHERE started_at > :time OR finished_at > :time`,
    "UPDATE intent SET started_at = :time WHERE started_at > :time",
    "UPDATE released_change SET released_at = :time WHERE released_at > :time",
    "UPDATE rejected_change SET rejected_at = :time WHERE rejected_at > :time",
    "UPDATE protected_account SET at = :time WHERE at > :time",
    "UPDATE link_decision SET at = :time WHERE at > :time",
    "UPDATE target_user SET missing_since = :time WHERE missing_since > :time",
    `UPDATE lost_link SET missing_since = min(missing_since, :time), dissolved_at = :time
     WHERE dissolved_at > :time`,
  ].map((sql) => db.prepare<{ time: number }>(sql));
  return (time) => {
    for (const statement of statements) statement.run({ time });
  };
}
