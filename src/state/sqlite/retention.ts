import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import type { ValueKeeper } from "./log-values.ts";
import { given } from "./tuning.ts";

type RetentionMethods = Pick<
  StateStore,
  "oldestCycles" | "logOf" | "surplusOperations" | "replaceOlderValues"
>;

interface OldRow {
  readonly id: number;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

interface LogRow {
  readonly id: number;
  readonly operations: number;
  readonly weighed: number;
  readonly inDoubt: number;
}

/** How old and how large the log is. */
export function retentionMethods(db: Connection, values: ValueKeeper): RetentionMethods {
  const oldest = db.prepare<[number, number], OldRow>(
    `SELECT id, started_at AS startedAt, finished_at AS finishedAt FROM cycle WHERE id > ?
     ORDER BY id LIMIT ${given("?")}`,
  );
  const logOf = db.prepare<{ ids: string; since: number }, LogRow>(
    `SELECT value AS id, (SELECT count(*) FROM operation WHERE cycle_id = value) AS operations,
       value IN (SELECT cycle_id FROM operation
         WHERE finished_at >= :since AND status = 'done' AND weights IS NOT NULL) AS weighed,
       value IN (SELECT cycle_id FROM operation WHERE id IN (SELECT operation_id FROM intent)) AS inDoubt
     FROM json_each(:ids)`,
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
  return {
    oldestCycles: async (after, limit) => oldest.all(after, limit),
    logOf: async (cycleIds, since) =>
      new Map(
        logOf
          .all({ ids: JSON.stringify(cycleIds), since })
          .map(({ id, operations, weighed, inDoubt }) => [
            id,
            { operations, weighed: weighed === 1, inDoubt: inDoubt === 1 },
          ]),
      ),
    surplusOperations: async (most) =>
      (span.get() ?? 0) <= most ? 0 : Math.max(0, (countRows.get() ?? 0) - most),
    replaceOlderValues: (fence) => values.replaceOlder(fence),
  };
}
