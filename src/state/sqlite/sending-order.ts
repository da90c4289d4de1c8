import type { PlannedCreate, PlannedRename, SendingOrder } from "../../domain/state/sending-order.ts";
import type { Connection } from "./files/database.ts";
import { cycleRanges, given, type IdRange } from "./tuning.ts";

const namesAtOnce = 5_000;

/** The order of sending, as numbers only: a first run has as many operations as the company has people. */
export function sendingOrderMethods(db: Connection): SendingOrder {
  const count = db.prepare<[number], number>("SELECT count(*) FROM operation WHERE cycle_id = ?").pluck();
  const page = db
    .prepare<IdRange & { cycleId: number; giving: string }, [number, number | null, number]>(
      `SELECT o.id, mo.id, o.wave FROM operation o
       LEFT JOIN operation mo ON mo.object_id = o.manager_object_id AND mo.cycle_id = o.cycle_id
         AND (mo.action IN (SELECT value FROM json_each(:giving)) OR mo.adopts = 1)
       WHERE o.id BETWEEN :from AND :to AND o.cycle_id = ${given(":cycleId")}
         AND (o.action IN (SELECT value FROM json_each(:giving)) OR o.adopts = 1 OR o.manager_object_id IS NOT NULL)
       ORDER BY o.id`,
    )
    .raw();
  const renames = db.prepare<IdRange & { cycleId: number }, PlannedRename>(
    `SELECT o.id AS operationId, o.wave, json_extract(c.value, '$.before') AS "from", json_extract(c.value, '$.after') AS "to"
     FROM operation o CROSS JOIN operation_changes ch ON ch.id = o.id, json_each(ch.changes) c
     WHERE o.id BETWEEN :from AND :to AND o.cycle_id = ${given(":cycleId")} AND o.status = 'planned' AND o.action <> 'create'
       AND instr(ch.changes, '"attribute":"userName"') > 0 AND json_extract(c.value, '$.attribute') = 'userName'
       AND json_type(c.value, '$.before') = 'text' AND json_type(c.value, '$.after') = 'text'
     ORDER BY o.id`,
  );
  const creates = db.prepare<{ names: string; cycleId: number }, PlannedCreate>(
    `SELECT o.id AS operationId, o.wave, s.user_name_key AS userNameKey
     FROM (SELECT DISTINCT value FROM json_each(:names)) n CROSS JOIN source_user s ON s.user_name_key = n.value
       CROSS JOIN operation o ON o.object_id = s.object_id AND o.cycle_id = ${given(":cycleId")}
     WHERE o.action = 'create' AND o.status = 'planned'`,
  );
  const rangesOf = cycleRanges(db);
  return {
    referenceDependencies: async (cycleId, actions) => {
      const giving = JSON.stringify(actions);
      const most = count.get(cycleId) ?? 0;
      const ids = new Float64Array(most);
      const managers = new Float64Array(most);
      const waves = new Uint32Array(most);
      let length = 0;
      for await (const range of rangesOf(cycleId)) {
        for (const [id, managerId, wave] of page.all({ ...range, cycleId, giving })) {
          ids[length] = id;
          managers[length] = managerId ?? 0;
          waves[length] = wave;
          length += 1;
        }
      }
      const operationIds = ids.subarray(0, length);
      const managerIndexes = Int32Array.from(managers.subarray(0, length), (id) =>
        positionOf(id, operationIds),
      );
      return { operationIds, managerIndexes, waves: waves.subarray(0, length) };
    },
    plannedRenames: async (cycleId) => {
      const found: PlannedRename[] = [];
      for await (const range of rangesOf(cycleId)) found.push(...renames.all({ ...range, cycleId }));
      return found;
    },
    plannedCreates: async (cycleId, userNameKeys) => {
      const found: PlannedCreate[] = [];
      const keys = [...new Set(userNameKeys)];
      for (let from = 0; from < keys.length; from += namesAtOnce) {
        if (from > 0) await new Promise(setImmediate);
        const names = JSON.stringify(keys.slice(from, from + namesAtOnce));
        found.push(...creates.all({ names, cycleId }));
      }
      return found.sort((one, other) => one.operationId - other.operationId);
    },
  };
}

/** The position of `id` in the ascending list; -1 if it is not there. */
function positionOf(id: number, ascending: Float64Array): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ascending[middle] ?? 0;
    if (found === id) return middle;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
