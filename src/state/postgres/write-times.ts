import type { Session } from "./connection/database.ts";

// No time of an operation is later than its `at`, so `at` decides which rows change. NULL stays NULL.
const noLater = (column: string): string => `${column} = CASE WHEN ${column} > $2 THEN $2 ELSE ${column} END`;
const statements = [
  `UPDATE operation SET ${noLater("finished_at")}, ${noLater("started_at")}, at = $2 WHERE job = $1 AND at > $2`,
  `UPDATE cycle SET ${noLater("started_at")}, ${noLater("finished_at")}
   WHERE job = $1 AND (started_at > $2 OR finished_at > $2)`,
  "UPDATE intent SET started_at = $2 WHERE job = $1 AND started_at > $2",
  "UPDATE released_change SET released_at = $2 WHERE job = $1 AND released_at > $2",
  "UPDATE rejected_change SET rejected_at = $2 WHERE job = $1 AND rejected_at > $2",
  "UPDATE protected_account SET at = $2 WHERE job = $1 AND at > $2",
  "UPDATE link_decision SET at = $2 WHERE job = $1 AND at > $2",
  "UPDATE target_user SET missing_since = $2 WHERE job = $1 AND missing_since > $2",
  `UPDATE lost_link SET ${noLater("missing_since")}, dissolved_at = $2 WHERE job = $1 AND dissolved_at > $2`,
];

/** Moves times that lie after `time` to it, within a commit. */
export async function writeNoLaterThan(session: Session, time: number): Promise<void> {
  for (const text of statements) await session.run(text, time);
}
