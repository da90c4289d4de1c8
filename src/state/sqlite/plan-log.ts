import type { LoggedOperation } from "../../domain/operation.ts";
import type { Action, Change, Evidence } from "../../domain/plan.ts";
import type { PlanLog, WeighedOperation } from "../../domain/state/plan-log.ts";
import {
  loggedOperation as loggedParsed,
  type OperationRow as ParsedRow,
  weighedOperation as weighedParsed,
} from "../operation-row.ts";
import type { Connection } from "./files/database.ts";
import { cycleRanges, given, type IdRange } from "./tuning.ts";

/** A row of the log as SQLite returns it. */
export type OperationRow<Row extends ParsedRow = ParsedRow> = Omit<Row, "evidence" | "changes" | "adopts"> & {
  readonly evidence: string | null;
  readonly changes: string;
  readonly adopts: number;
};

/**
 * Operations with their changes, which are kept apart: they are written once, and most of what is written of an operation
 * afterwards (its wave, that it is being sent, what came of it) then fits on a fifth of the pages.
 */
export const operationsWithChanges = "operation CROSS JOIN operation_changes USING (id)";

/** The plan of a cycle in the provisioning log: one row for each operation. */
export function planLogMethods(db: Connection): PlanLog {
  const count = db.prepare<
    IdRange & { cycleId: number },
    { action: Action; count: number; adoptions: number }
  >(
    `SELECT action, count(*) AS count, sum(adopts) AS adoptions FROM operation
     WHERE id BETWEEN :from AND :to AND cycle_id = ${given(":cycleId")} AND status <> 'reported' GROUP BY action`,
  );
  const newest = db.prepare<[], number>("SELECT coalesce(max(id), 0) FROM operation").pluck();
  const later = db.prepare<{ cycleId: number; afterId: number }, { action: Action; count: number }>(
    `SELECT action, count(*) AS count FROM operation
     WHERE id > :afterId AND cycle_id = ${given(":cycleId")} AND status <> 'reported' GROUP BY action`,
  );
  const latecomers = db
    .prepare<{ cycleId: number; afterId: number }, number>(
      `SELECT count(DISTINCT object_id) FROM operation late
       WHERE id > :afterId AND cycle_id = ${given(":cycleId")} AND status <> 'reported'
         AND NOT EXISTS (SELECT 1 FROM operation early WHERE early.object_id = late.object_id
           AND early.id <= :afterId AND early.cycle_id = ${given(":cycleId")} AND early.status <> 'reported')`,
    )
    .pluck();
  const rangesOf = cycleRanges(db);
  const page = db.prepare<
    {
      cycleId: number;
      status: string | null;
      action: string | null;
      without: string;
      firstAttempts: number;
      drift: number;
      afterWave: number;
      afterId: number;
      limit: number;
    },
    OperationRow
  >(
    `SELECT * FROM ${operationsWithChanges} WHERE cycle_id = ${given(":cycleId")} AND (wave, id) > (:afterWave, :afterId)
       AND iif(:drift, drift IS NOT NULL, status <> 'reported') AND (:status IS NULL OR status = :status) AND (:action IS NULL OR action = :action)
       AND (:without = '[]' OR action NOT IN (SELECT value FROM json_each(:without))) AND (NOT :firstAttempts OR attempt = 1) ORDER BY wave, id LIMIT ${given(":limit")}`,
  );

  const unsent = db
    .prepare<[number, string], number>(
      `SELECT id FROM operation WHERE cycle_id = ${given("?")} AND status IN ('planned', 'reported')
       AND object_id IN (SELECT value FROM json_each(?))`,
    )
    .pluck();

  return {
    unsentOf: async (cycleId, objectIds) => unsent.all(cycleId, JSON.stringify(objectIds)),
    countOperations: async (cycleId) => {
      const byAction = new Map<Action, number>();
      let adoptions = 0;
      for await (const range of rangesOf(cycleId)) {
        for (const row of count.all({ ...range, cycleId })) {
          byAction.set(row.action, (byAction.get(row.action) ?? 0) + row.count);
          adoptions += row.adoptions;
        }
      }
      return { byAction, adoptions };
    },
    newestOperation: async () => newest.get() ?? 0,
    countLater: async (cycleId, afterId) => ({
      byAction: new Map(later.all({ cycleId, afterId }).map(({ action, count }) => [action, count])),
      newPeople: latecomers.get({ cycleId, afterId }) ?? 0,
    }),
    operations: async (cycleId, query) =>
      page
        .all({
          cycleId,
          ...query,
          status: query.status ?? null,
          action: query.action ?? null,
          without: JSON.stringify(query.without ?? []),
          firstAttempts: query.firstAttempts === true ? 1 : 0,
          drift: query.drift === true ? 1 : 0,
        })
        .map(loggedOperation),
    ...referenceMethods(db),
  };
}

function referenceMethods(db: Connection): Pick<PlanLog, "unpromisedReferences"> {
  const unpromised = db.prepare<IdRange & { cycleId: number; without: string; giving: string }, OperationRow>(
    `SELECT o.*, c.changes FROM operation o CROSS JOIN operation_changes c ON c.id = o.id
     WHERE o.id BETWEEN :from AND :to AND o.cycle_id = ${given(":cycleId")} AND o.manager_object_id IS NOT NULL AND o.status = 'planned'
       AND (o.manager_object_id IN (SELECT value FROM json_each(:without))
         OR NOT EXISTS (SELECT 1 FROM target_user WHERE object_id = o.manager_object_id AND missing_since IS NULL))
       AND NOT EXISTS (SELECT 1 FROM operation mo WHERE mo.object_id = o.manager_object_id
         AND mo.cycle_id = o.cycle_id AND (mo.action IN (SELECT value FROM json_each(:giving)) OR mo.adopts = 1))
     ORDER BY o.id`,
  );
  const rangesOf = cycleRanges(db);
  return {
    unpromisedReferences: async (cycleId, after, which) => {
      const named = { without: JSON.stringify(which.without), giving: JSON.stringify(which.giving) };
      for await (const range of rangesOf(cycleId, after)) {
        const rows = unpromised.all({ ...range, cycleId, ...named });
        if (rows.length > 0) return rows.map(weighedOperation);
      }
      return [];
    },
  };
}

/** The row with its JSON taken apart. Only this program writes it, so its shape is not checked. */
export function parsedRow<Row extends ParsedRow>(row: OperationRow<Row>) {
  return {
    ...row,
    evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as Evidence),
    changes: JSON.parse(row.changes) as Change[],
    adopts: row.adopts === 1,
  };
}

/** The operation that a row of the log holds. */
export function loggedOperation(row: OperationRow): LoggedOperation {
  return loggedParsed(parsedRow(row));
}

/** The operation with what the guard counts of it. */
export function weighedOperation(row: OperationRow): WeighedOperation {
  return weighedParsed(parsedRow(row));
}
