import type { Guarding } from "../../domain/state/guarding.ts";
import type { WeighedCount } from "../../domain/weight.ts";
import { type DoubtfulRow, doubtfulWeights, type WeighedRow, weighedCount } from "../weights-column.ts";
import type { Connection } from "./files/database.ts";
import { loggedOperation, type OperationRow, operationsWithChanges, weighedOperation } from "./plan-log.ts";
import { cycleRanges, given, type IdRange } from "./tuning.ts";

const holdersAtOnce = { least: 100, most: 5_000 };

/** Sums for the guard, the operations that it holds, and decisions about them. The weights are stored with each operation. */
export function guardingMethods(db: Connection): Guarding {
  const planned = db.prepare<IdRange & { cycleId: number }, WeighedRow>(
    `SELECT weights, count(*) AS count FROM operation
     WHERE id BETWEEN :from AND :to AND +cycle_id = ${given(":cycleId")} AND status = 'planned' AND weights IS NOT NULL
     GROUP BY weights`,
  );
  const done = db.prepare<{ since: number }, WeighedRow>(
    `SELECT weights, count(*) AS count FROM operation
     WHERE status = 'done' AND weights IS NOT NULL AND finished_at >= ${given(":since")} GROUP BY weights`,
  );
  const doubtful = db.prepare<{ cycleId: number }, DoubtfulRow>(
    `SELECT operation.id, operation.weights, due.weights AS planned
     FROM intent JOIN operation ON operation.id = intent.operation_id
       LEFT JOIN operation AS due ON due.object_id = intent.object_id AND due.cycle_id = ${given(":cycleId")} AND due.id <> operation.id
     WHERE operation.status <> 'done' AND operation.weights IS NOT NULL`,
  );
  const rangesOf = cycleRanges(db);
  // In a new database no one is linked yet, so planned links count too.
  const active = db
    .prepare<[number], number>(
      `SELECT linked_active + (SELECT count(*) FROM target_user WHERE object_id IS NULL AND active = 1
         AND lattice_id IN (SELECT lattice_id FROM operation WHERE cycle_id = ${given("?")} AND adopts = 1)) FROM tally`,
    )
    .pluck();
  const holders = db.prepare<
    { cycleId: number; attribute: string; after: string; limit: number },
    { count: number; last: string | null }
  >(
    `SELECT count(*) FILTER (WHERE json_extract(attributes, '$.' || json_quote(:attribute)) IS NOT NULL
       AND (object_id IS NOT NULL
         OR lattice_id IN (SELECT lattice_id FROM operation WHERE cycle_id = ${given(":cycleId")} AND adopts = 1))) AS count,
       max(lattice_id) AS last
     FROM (SELECT * FROM target_user WHERE lattice_id > :after ORDER BY lattice_id LIMIT ${given(":limit")})`,
  );
  const weighed = db.prepare<[number, number, number], OperationRow>(
    `SELECT * FROM ${operationsWithChanges} WHERE cycle_id = ${given("?")} AND status = 'planned' AND weights IS NOT NULL AND id > ?
     ORDER BY id LIMIT ${given("?")}`,
  );
  return {
    ...heldMethods(db),
    plannedWeights: async (cycleId) => {
      const found: WeighedCount[] = [];
      for await (const range of rangesOf(cycleId))
        found.push(...planned.all({ ...range, cycleId }).map(weighedCount));
      return found;
    },
    doneWeights: async (since) => done.all({ since }).map(weighedCount),
    doubtfulWeights: async (cycleId) => doubtfulWeights(doubtful.all({ cycleId })),
    countActive: async (cycleId) => active.get(cycleId) ?? 0,
    countHolders: async (attribute, cycleId, enough) => {
      const limit = Math.min(Math.max(enough, holdersAtOnce.least), holdersAtOnce.most);
      let total = 0;
      let after: string | null = "";
      while (after !== null && total < enough) {
        const page = holders.get({ cycleId, attribute, after, limit });
        total += page?.count ?? 0;
        after = page?.last ?? null;
        // For a whole company the loop takes seconds: let others have their turn.
        await new Promise(setImmediate);
      }
      return total;
    },
    weighedOperations: async (cycleId, after, limit) =>
      weighed.all(cycleId, after, limit).map(weighedOperation),
  };
}

/** A held operation is one row in the log, whichever plan holds it. */
function heldMethods(db: Connection): Pick<Guarding, "earlierHeld" | "heldOf"> {
  const earlier = db.prepare<
    { cycleId: number; after: number; limit: number },
    OperationRow & { held_since: number | null }
  >(
    `SELECT * FROM operation AS held INDEXED BY operation_held CROSS JOIN operation_changes USING (id)
     WHERE status = 'held' AND cycle_id <> :cycleId AND id > :after
       AND EXISTS (SELECT 1 FROM operation WHERE object_id = held.object_id AND cycle_id = :cycleId AND status <> 'reported')
     ORDER BY id LIMIT ${given(":limit")}`,
  );
  const planned = db.prepare<[string, number], OperationRow>(
    `SELECT * FROM ${operationsWithChanges} WHERE object_id = ? AND cycle_id = ${given("?")} AND status <> 'reported'`,
  );
  const of = db.prepare<{ cycleId: number; afterWave: number; afterId: number; limit: number }, OperationRow>(
    `SELECT * FROM operation INDEXED BY operation_held CROSS JOIN operation_changes USING (id)
     WHERE status = 'held' AND cycle_id >= :cycleId AND coalesce(held_since, cycle_id) <= :cycleId
       AND (wave, id) > (:afterWave, :afterId) ORDER BY wave, id LIMIT ${given(":limit")}`,
  );
  return {
    earlierHeld: async (cycleId, after, limit) =>
      earlier.all({ cycleId, after, limit }).map((row) => ({
        held: loggedOperation(row),
        since: row.held_since ?? row.cycle_id,
        now: planned.all(row.object_id, cycleId).map(loggedOperation),
      })),
    heldOf: async (cycleId, query) => of.all({ cycleId, ...query }).map(loggedOperation),
  };
}
