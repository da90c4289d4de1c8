import type { LogOfCycle } from "../../domain/state/retention.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { LogValues } from "../logged-values.ts";
import type { Database } from "./connection/database.ts";
import { replaceOlderValues } from "./log-values.ts";

type RetentionMethods = Pick<
  StateStore,
  "oldestCycles" | "logOf" | "surplusOperations" | "replaceOlderValues"
>;

const oldest = `SELECT id, started_at AS "startedAt", finished_at AS "finishedAt" FROM cycle
  WHERE job = $1 AND id > $2 ORDER BY id LIMIT $3`;
const logOf = `SELECT c.id, (SELECT count(*) FROM operation WHERE job = $1 AND cycle_id = c.id) AS operations,
    EXISTS (SELECT 1 FROM operation WHERE job = $1 AND cycle_id = c.id AND finished_at >= $3 AND status = 'done'
      AND weights IS NOT NULL) AS weighed,
    EXISTS (SELECT 1 FROM operation o JOIN intent i ON i.job = o.job AND i.operation_id = o.id
      WHERE o.job = $1 AND o.cycle_id = c.id) AS "inDoubt"
  FROM unnest($2::bigint[]) AS c (id)`;
const surplus = "SELECT greatest(0, count(*) - $2::bigint) AS count FROM operation WHERE job = $1";

/** How old and how large the log is. */
export function retentionMethods(db: Database, values: LogValues): RetentionMethods {
  return {
    oldestCycles: (after, limit) => db.all(oldest, after, limit),
    logOf: async (cycleIds, since) => {
      const rows = await db.all<LogOfCycle & { readonly id: number }>(logOf, cycleIds, since);
      return new Map(rows.map(({ id, ...log }) => [id, log]));
    },
    surplusOperations: async (most) => (await db.one<{ count: number }>(surplus, most))?.count ?? 0,
    replaceOlderValues: (fence) => replaceOlderValues(db, values, fence),
  };
}
