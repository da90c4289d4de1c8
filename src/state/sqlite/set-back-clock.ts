import type { Connection } from "./files/database.ts";

/**
 * Moves times that lie in the future to `now` (milliseconds since the epoch). They were written before the clock was set
 * back. Otherwise they would delay retries and the full comparison, and count for the guard, until the clock reaches them
 * again. A retry keeps its delay.
 */
export function forgetTheFuture(db: Connection): (now: number) => void {
  const statements = [
    // No operation is later than the end of its cycle. A cycle without an end (its run died) is always searched.
    `UPDATE operation SET finished_at = min(finished_at, :now), started_at = min(started_at, :now), at = min(at, :now)
     WHERE at > :now
       AND cycle_id IN (SELECT id FROM cycle WHERE finished_at > :now OR started_at > :now OR finished_at IS NULL)`,
    "UPDATE cycle SET started_at = min(started_at, :now), finished_at = min(finished_at, :now) WHERE started_at > :now OR finished_at > :now",
    `UPDATE retry SET next_try_at = next_try_at - (last_failed_at - :now), last_failed_at = :now, first_failed_at = min(first_failed_at, :now)
     WHERE last_failed_at > :now`,
    "UPDATE intent SET started_at = :now WHERE started_at > :now",
    "UPDATE released_change SET released_at = :now WHERE released_at > :now",
    // The delay before a leaver is deactivated begins again, so the person is due now: the next plan works out the new time.
    "UPDATE source_user SET look_again_at = :now WHERE object_id IN (SELECT object_id FROM leaving_event WHERE since > :now)",
    "UPDATE leaving_event SET since = :now WHERE since > :now",
    "UPDATE rejected_change SET rejected_at = :now WHERE rejected_at > :now",
    "UPDATE target_user SET missing_since = :now WHERE missing_since > :now",
    "UPDATE lost_link SET missing_since = min(missing_since, :now), dissolved_at = :now WHERE dissolved_at > :now",
    `UPDATE meta SET value = CAST(:now AS TEXT)
     WHERE key IN ('watermarkAt', 'targetListedAt', 'targetReachedAt', 'reconciledAt', 'digestedAt', 'expiryCheckedAt', 'goodCycleAt') AND CAST(value AS INTEGER) > :now`,
  ].map((sql) => db.prepare<{ now: number }>(sql));
  return (now) => {
    for (const statement of statements) statement.run({ now });
  };
}
