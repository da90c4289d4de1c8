import type { Action } from "../../domain/plan.ts";
import type { PlanLog } from "../../domain/state/plan-log.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { loggedOperation, type OperationRow, weighedOperation } from "../operation-row.ts";
import type { Database, Value } from "./connection/database.ts";

const referencesAtOnce = 500;

const count = `SELECT action, count(*) AS count, count(*) FILTER (WHERE adopts) AS adoptions FROM operation
  WHERE job = $1 AND cycle_id = $2 AND status <> 'reported' GROUP BY action`;
const newest = "SELECT max(id) AS id FROM operation WHERE job = $1";
const later = `SELECT action, count(*) AS count FROM operation
  WHERE job = $1 AND cycle_id = $2 AND id > $3 AND status <> 'reported' GROUP BY action`;
const latecomers = `SELECT count(DISTINCT object_id) AS count FROM operation late
  WHERE job = $1 AND cycle_id = $2 AND id > $3 AND status <> 'reported'
    AND NOT EXISTS (SELECT 1 FROM operation early WHERE early.job = $1 AND early.object_id = late.object_id
      AND early.cycle_id = $2 AND early.id <= $3 AND early.status <> 'reported')`;
const unsent = `SELECT id FROM operation WHERE job = $1 AND cycle_id = $2 AND status IN ('planned', 'reported')
  AND object_id = ANY($3) ORDER BY id`;
const gives = "(mo.action = ANY($3) OR mo.adopts)";
const unpromised = `SELECT o.* FROM operation o
  WHERE o.job = $1 AND o.cycle_id = $2 AND o.id > $4 AND o.manager_object_id IS NOT NULL AND o.status = 'planned'
    AND (o.manager_object_id = ANY($5) OR NOT EXISTS
      (SELECT 1 FROM target_user t WHERE t.job = $1 AND t.object_id = o.manager_object_id AND t.missing_since IS NULL))
    AND NOT EXISTS (SELECT 1 FROM operation mo
      WHERE mo.job = $1 AND mo.object_id = o.manager_object_id AND mo.cycle_id = o.cycle_id AND ${gives})
  ORDER BY o.id LIMIT ${referencesAtOnce}`;

/** The plan of a cycle in the provisioning log: one row for each operation. */
export function planLogMethods(db: Database): PlanLog {
  return {
    operations: async (cycleId, query) => {
      const { text, values } = pageOf(query);
      return (await db.all<OperationRow>(text, cycleId, ...values)).map(loggedOperation);
    },
    countOperations: async (cycleId) => {
      const rows = await db.all<{ action: Action; count: number; adoptions: number }>(count, cycleId);
      return {
        byAction: new Map(rows.map((row) => [row.action, row.count])),
        adoptions: rows.reduce((sum, row) => sum + row.adoptions, 0),
      };
    },
    newestOperation: async () => (await db.one<{ id: number | null }>(newest))?.id ?? 0,
    countLater: async (cycleId, afterId) => {
      const rows = await db.all<{ action: Action; count: number }>(later, cycleId, afterId);
      const people = await db.one<{ count: number }>(latecomers, cycleId, afterId);
      return {
        byAction: new Map(rows.map((row) => [row.action, row.count])),
        newPeople: people?.count ?? 0,
      };
    },
    unsentOf: async (cycleId, objectIds) =>
      (await db.all<{ id: number }>(unsent, cycleId, objectIds)).map(({ id }) => id),
    unpromisedReferences: async (cycleId, after, { without, giving }) =>
      (await db.all<OperationRow>(unpromised, cycleId, giving, after, without)).map(weighedOperation),
  };
}

/** The statement of a page, and its values after the cycle's id. */
function pageOf({
  status,
  action,
  without = [],
  firstAttempts,
  drift,
  afterWave,
  afterId,
  limit,
}: Parameters<StateStore["operations"]>[1]): { readonly text: string; readonly values: readonly Value[] } {
  const values: Value[] = [afterWave, afterId, limit];
  const where = [
    "job = $1 AND cycle_id = $2 AND (wave, id) > ($3, $4)",
    drift === true ? "drift IS NOT NULL" : "status <> 'reported'",
  ];
  const add = (condition: (parameter: string) => string, value: Value): void => {
    values.push(value);
    where.push(condition(`$${values.length + 2}`));
  };
  if (status !== undefined) add((parameter) => `status = ${parameter}`, status);
  if (action !== undefined) add((parameter) => `action = ${parameter}`, action);
  if (without.length > 0) add((parameter) => `action <> ALL(${parameter})`, without);
  if (firstAttempts === true) where.push("attempt = 1");
  return {
    text: `SELECT * FROM operation WHERE ${where.join(" AND ")} ORDER BY wave, id LIMIT $5`,
    values,
  };
}
