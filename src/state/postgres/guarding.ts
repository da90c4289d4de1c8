import type { StateStore } from "../../domain/state/store.ts";
import { loggedOperation, type OperationRow, weighedOperation } from "../operation-row.ts";
import { type DoubtfulRow, doubtfulWeights, type WeighedRow, weighedCount } from "../weights-column.ts";
import type { Database } from "./connection/database.ts";

type GuardingMethods = Pick<
  StateStore,
  | "plannedWeights"
  | "doneWeights"
  | "doubtfulWeights"
  | "countActive"
  | "countHolders"
  | "weighedOperations"
  | "earlierHeld"
  | "heldOf"
>;

const planned = `SELECT weights, count(*) AS count FROM operation
  WHERE job = $1 AND cycle_id = $2 AND status = 'planned' AND weights IS NOT NULL GROUP BY weights`;
const done = `SELECT weights, count(*) AS count FROM operation
  WHERE job = $1 AND status = 'done' AND weights IS NOT NULL AND finished_at >= $2 GROUP BY weights`;
const doubtful = `SELECT o.id, o.weights, due.weights AS planned
  FROM intent i JOIN operation o ON o.job = i.job AND o.id = i.operation_id
    LEFT JOIN operation due ON due.job = i.job AND due.object_id = i.object_id AND due.cycle_id = $2 AND due.id <> o.id
  WHERE i.job = $1 AND o.status <> 'done' AND o.weights IS NOT NULL`;
/** Accounts that the cycle $2 plans to link. */
const adopted = "(SELECT lattice_id FROM operation WHERE job = $1 AND cycle_id = $2 AND adopts)";
/** The account `t` is linked, or the cycle $2 plans to link it. */
const counted = `(t.object_id IS NOT NULL OR t.lattice_id IN ${adopted})`;
// Two counts, each from an index: a single count with OR would read the rows of the whole company.
const active = `SELECT (SELECT count(*) FROM target_user WHERE job = $1 AND object_id IS NOT NULL AND active)
  + (SELECT count(*) FROM target_user WHERE job = $1 AND object_id IS NULL AND active AND lattice_id IN ${adopted}) AS count`;
const holders = `SELECT count(*) AS count FROM (SELECT 1 FROM target_user t
  WHERE t.job = $1 AND t.attributes ->> $3 IS NOT NULL AND ${counted} LIMIT $4) found`;
const weighed = `SELECT * FROM operation WHERE job = $1 AND cycle_id = $2 AND status = 'planned' AND weights IS NOT NULL
  AND id > $3 ORDER BY id LIMIT $4`;
const earlier = `SELECT h.*, (SELECT json_agg(o ORDER BY o.id) FROM operation o
    WHERE o.job = $1 AND o.object_id = h.object_id AND o.cycle_id = $2 AND o.status <> 'reported') AS now
  FROM operation h WHERE h.job = $1 AND h.status = 'held' AND h.cycle_id <> $2 AND h.id > $3
    AND EXISTS (SELECT 1 FROM operation o
      WHERE o.job = $1 AND o.object_id = h.object_id AND o.cycle_id = $2 AND o.status <> 'reported')
  ORDER BY h.id LIMIT $4`;
const held = `SELECT * FROM operation WHERE job = $1 AND status = 'held' AND cycle_id >= $2
    AND coalesce(held_since, cycle_id) <= $2 AND (wave, id) > ($3, $4)
  ORDER BY wave, id LIMIT $5`;

/** Sums for the guard, and the operations that it holds. The weights are stored with each operation. */
export function guardingMethods(db: Database): GuardingMethods {
  const count = async (text: string, ...values: readonly (string | number)[]): Promise<number> =>
    (await db.one<{ count: number }>(text, ...values))?.count ?? 0;
  return {
    plannedWeights: async (cycleId) => (await db.all<WeighedRow>(planned, cycleId)).map(weighedCount),
    doneWeights: async (since) => (await db.all<WeighedRow>(done, since)).map(weighedCount),
    doubtfulWeights: async (cycleId) => doubtfulWeights(await db.all<DoubtfulRow>(doubtful, cycleId)),
    countActive: (cycleId) => count(active, cycleId),
    countHolders: (attribute, cycleId, enough) => count(holders, cycleId, attribute, enough),
    weighedOperations: async (cycleId, after, limit) =>
      (await db.all<OperationRow>(weighed, cycleId, after, limit)).map(weighedOperation),
    earlierHeld: async (cycleId, after, limit) => {
      const rows = await db.all<
        OperationRow & { readonly held_since: number | null; readonly now: readonly OperationRow[] }
      >(earlier, cycleId, after, limit);
      return rows.map((row) => ({
        held: loggedOperation(row),
        since: row.held_since ?? row.cycle_id,
        now: row.now.map(loggedOperation),
      }));
    },
    heldOf: async (cycleId, { afterWave, afterId, limit }) =>
      (await db.all<OperationRow>(held, cycleId, afterWave, afterId, limit)).map(loggedOperation),
  };
}
