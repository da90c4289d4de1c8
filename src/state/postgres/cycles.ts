import type { OutcomeCount, Totals } from "../../domain/state/cycles.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { type CycleRow, cycleRecord } from "../records.ts";
import { manager } from "../reference-pending.ts";
import type { Database } from "./connection/database.ts";
import { checkFence } from "./fence.ts";

type CycleMethods = Pick<
  StateStore,
  "meta" | "totals" | "countLinked" | "beginCycle" | "countOutcomes" | "recentCycles" | "cycleOfPlan"
>;

// Keys that begin with `log` are the store's own.
const meta = "SELECT key, value FROM meta WHERE job = $1 AND NOT starts_with(key, 'log')";
// Each count reads an index alone, as far as VACUUM has marked the pages written last. That of people who wait for their manager also reads
// the rows of people with something open about their manager.
const totals = `SELECT (SELECT count(*) FROM source_user WHERE job = $1) AS "sourceUsers",
    (SELECT count(*) FROM source_user WHERE job = $1 AND skip_code IS NOT NULL) AS skipped,
    (SELECT count(*) FROM source_user WHERE job = $1 AND reference_pending <> 0 AND reference_pending = ${manager.awaited}) AS "waitingForManager",
    linked.total AS linked, linked.active AS "linkedActive",
    (SELECT count(*) FROM source_user s JOIN target_user t ON t.job = $1 AND t.object_id = s.object_id
     WHERE s.job = $1 AND s.skip_code IS NOT NULL) AS "linkedSkipped",
    (SELECT count(*) FROM retry WHERE job = $1) AS retrying
  FROM (SELECT count(*) AS total, count(*) FILTER (WHERE active) AS active
    FROM target_user WHERE job = $1 AND object_id IS NOT NULL) linked`;
const linked = `SELECT count(*) AS linked FROM target_user WHERE job = $1 AND object_id IS NOT NULL`;
const begin = `WITH newest AS (UPDATE job SET last_cycle = last_cycle + 1 WHERE id = $1 RETURNING last_cycle AS id)
  INSERT INTO cycle (job, id, plan_id, kind, started_at) SELECT $1, newest.id, $2, $3, $4 FROM newest RETURNING id`;
const counts = `SELECT action, status AS outcome, count(*) AS count FROM operation
  WHERE job = $1 AND cycle_id = $2 GROUP BY action, status`;
// Counted from the log for a cycle that is under way or whose log was corrected later.
const columns = `SELECT id, plan_id, kind, started_at, finished_at, outcome, error, summary, guard, notes,
    coalesce(outcomes, (SELECT json_agg(json_build_object('action', action, 'outcome', status, 'count', count))
      FROM (SELECT action, status, count(*) AS count FROM operation o WHERE o.job = $1 AND o.cycle_id = cycle.id
        GROUP BY action, status) counted), '[]') AS outcomes
  FROM cycle WHERE job = $1`;
const recent = `${columns} AND id < $2 ORDER BY id DESC LIMIT $3`;
const ofPlan = `${columns} AND plan_id = $2`;

/** Cycles, and what a run remembers from one to the next. */
export function cycleMethods(db: Database): CycleMethods {
  return {
    meta: async () =>
      Object.fromEntries(
        (await db.all<{ key: string; value: string }>(meta)).map(({ key, value }) => [key, value]),
      ),
    totals: async () => {
      const row = await db.one<Totals>(totals);
      if (row === undefined) throw new Error("a count gave no row");
      return row;
    },
    countLinked: async () => (await db.one<{ linked: number }>(linked))?.linked ?? 0,
    beginCycle: ({ planId, kind, startedAt }, fence) =>
      db.transaction(async (session) => {
        await checkFence(session, fence);
        const row = await session.one<{ id: number }>(begin, planId, kind, startedAt);
        if (row === undefined) throw new Error("the job is gone from the database");
        return row.id;
      }),
    countOutcomes: (cycleId) => db.all<OutcomeCount>(counts, cycleId),
    recentCycles: async (limit, before) =>
      (await db.all<CycleRow>(recent, before ?? Number.MAX_SAFE_INTEGER, limit)).map(cycleRecord),
    cycleOfPlan: async (planId) => {
      const row = await db.one<CycleRow>(ofPlan, planId);
      return row === undefined ? null : cycleRecord(row);
    },
  };
}
