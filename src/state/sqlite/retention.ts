import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import type { ValueKeeper } from "./log-values.ts";

/** About this many operations are removed in one transaction: whole cycles, so it may be more. */
const pageSize = 20_000;
/** Old cycles that are removed in one transaction. */
const cyclesAtOnce = 20;

/** Removes the oldest cycles with their log. */
export function retentionMethods(db: Connection, values: ValueKeeper): Pick<StateStore, "prune"> {
  // These stay: the newest cycle, whatever its age (it shows when the next one is due); cycles with operations that the guard
  // still counts; cycles with a write whose outcome is unknown. A cycle without an end belongs to a run that died.
  const disposable = `id < (SELECT max(id) FROM cycle)
    AND coalesce(finished_at, started_at) < :countedSince
    AND id NOT IN (SELECT cycle_id FROM operation
      WHERE finished_at >= :countedSince AND status = 'done' AND weights IS NOT NULL)
    AND id NOT IN (SELECT cycle_id FROM operation WHERE id IN (SELECT operation_id FROM intent))`;
  // No cycle is older than the ones before it. If its time says so, the clock was behind when it ended: it stays with them.
  const older = db.prepare<{ before: number; countedSince: number; limit: number }>(
    `DELETE FROM cycle WHERE id IN (SELECT id FROM cycle
       WHERE coalesce(finished_at, started_at) < :before AND ${disposable}
         AND id < coalesce((SELECT id FROM cycle WHERE coalesce(finished_at, started_at) >= :before ORDER BY id LIMIT 1),
           ${Number.MAX_SAFE_INTEGER})
       ORDER BY id LIMIT ${given(":limit")})`,
  );
  // These events stay for good (a few rows a year): they prevent a second notification each time an expired credential is found.
  const olderEvents = db.prepare<[number]>(
    "DELETE FROM event WHERE at < ? AND json_extract(data, '$.kind') <> 'credentialExpiring'",
  );
  const olderDecisions = db.prepare<[number]>(
    "DELETE FROM decision WHERE at < ? AND id NOT IN (SELECT decision_id FROM rejected_change WHERE decision_id IS NOT NULL)",
  );
  // There are at least as many ids as rows. If the ids are within the limit, the rows need not be counted.
  const span = db
    .prepare<[], number>(
      "SELECT coalesce((SELECT max(id) FROM operation) - (SELECT min(id) FROM operation) + 1, 0)",
    )
    .pluck();
  const countRows = db
    .prepare<[], number>("SELECT count(*) FROM operation INDEXED BY operation_at WHERE at >= 0")
    .pluck();
  const cycleOfRow = db
    .prepare<[number], number>("SELECT cycle_id FROM operation NOT INDEXED ORDER BY id LIMIT 1 OFFSET ?")
    .pluck();
  const surplus = db.prepare<{ upTo: number; countedSince: number }>(
    `DELETE FROM cycle WHERE id <= :upTo AND ${disposable}`,
  );
  /** @returns whether there may be more */
  const dropSurplus = (countedSince: number, maxRows: number): boolean => {
    if ((span.get() ?? 0) <= maxRows) return false;
    const excess = Math.min(pageSize, (countRows.get() ?? 0) - maxRows);
    const upTo = excess > 0 ? cycleOfRow.get(excess - 1) : undefined;
    return upTo !== undefined && surplus.run({ upTo, countedSince }).changes > 0;
  };
  return {
    prune: async ({ before, countedSince, maxRows }) => {
      while (older.run({ before, countedSince, limit: cyclesAtOnce }).changes > 0) {
        await new Promise(setImmediate);
      }
      olderEvents.run(Math.min(before, countedSince));
      olderDecisions.run(Math.min(before, countedSince));
      // The lease can be renewed between two pages.
      while (maxRows !== null && dropSurplus(countedSince, maxRows)) await new Promise(setImmediate);
      await values.replaceOlder();
    },
  };
}
