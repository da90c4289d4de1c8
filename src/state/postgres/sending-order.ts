import type { PlannedCreate, PlannedRename, SendingOrder } from "../../domain/state/sending-order.ts";
import type { Database } from "./connection/database.ts";

const dependencies = `SELECT o.id, o.wave, (SELECT mo.id FROM operation mo WHERE mo.job = $1
      AND mo.object_id = o.manager_object_id AND mo.cycle_id = o.cycle_id AND (mo.action = ANY($3) OR mo.adopts) LIMIT 1) AS manager
  FROM operation o WHERE o.job = $1 AND o.cycle_id = $2
    AND (o.action = ANY($3) OR o.adopts OR o.manager_object_id IS NOT NULL)
  ORDER BY o.id`;
const renames = `SELECT o.id AS "operationId", o.wave, c ->> 'before' AS "from", c ->> 'after' AS "to"
  FROM operation o, json_array_elements(o.changes) c
  WHERE o.job = $1 AND o.cycle_id = $2 AND o.status = 'planned' AND o.action <> 'create'
    AND o.changes::text LIKE '%"attribute":"userName"%' AND c ->> 'attribute' = 'userName'
    AND json_typeof(c -> 'before') = 'string' AND json_typeof(c -> 'after') = 'string'
  ORDER BY o.id`;
const creates = `SELECT o.id AS "operationId", o.wave, s.user_name_key AS "userNameKey"
  FROM source_user s JOIN operation o ON o.job = s.job AND o.object_id = s.object_id AND o.cycle_id = $2
  WHERE s.job = $1 AND s.user_name_key = ANY($3) AND o.action = 'create' AND o.status = 'planned'
  ORDER BY o.id`;

/** The order of sending, as numbers only: a first run has as many operations as the company has people. */
export function sendingOrderMethods(db: Database): SendingOrder {
  return {
    referenceDependencies: async (cycleId, giving) => {
      const rows = await db.all<{ id: number; wave: number; manager: number | null }>(
        dependencies,
        cycleId,
        giving,
      );
      const positions = new Map(rows.map(({ id }, index) => [id, index]));
      return {
        operationIds: Float64Array.from(rows, ({ id }) => id),
        managerIndexes: Int32Array.from(rows, ({ manager }) => positions.get(manager ?? 0) ?? -1),
        waves: Uint32Array.from(rows, ({ wave }) => wave),
      };
    },
    plannedRenames: (cycleId) => db.all<PlannedRename>(renames, cycleId),
    plannedCreates: (cycleId, userNameKeys) => db.all<PlannedCreate>(creates, cycleId, userNameKeys),
  };
}
