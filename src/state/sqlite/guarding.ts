import type { StateStore } from "../../domain/store.ts";
import type { WeighedCount, Weight } from "../../domain/weight.ts";
import { cycleRanges, type IdRange } from "./cycle-ranges.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import type { ValueKeeper } from "./log-values.ts";
import { loggedOperation, type OperationRow } from "./provisioning-log.ts";
import { type RejectedRow, rejectedChange, rejectedColumns, rejectedTables } from "./rows.ts";
import { weightsColumn, weightsOfRow } from "./weights-column.ts";

type GuardingMethods = Pick<
  StateStore,
  | "plannedWeights"
  | "recentWeights"
  | "countActive"
  | "countHolders"
  | "weighedOperations"
  | "holdParts"
  | "earlierHeld"
  | "endHeld"
  | "heldOf"
  | "release"
  | "reject"
  | "undoReject"
  | "rejections"
  | "countRejected"
  | "dropReleases"
>;

const holdersAtOnce = { least: 100, most: 5_000 };

/** What the guard counts, what it holds, and what a person lets go. What counts is kept with each operation. */
export function guardingMethods(db: Connection, values: ValueKeeper): GuardingMethods {
  const planned = db.prepare<IdRange & { cycleId: number }, WeighedRow>(
    `SELECT weights, count(*) AS count FROM operation
     WHERE id BETWEEN :from AND :to AND +cycle_id = ${given(":cycleId")} AND status = 'planned' AND weights IS NOT NULL
     GROUP BY weights`,
  );
  // What was sent and never confirmed may have been carried out; what the cycle plans of such a person is counted with the plan.
  const recent = db.prepare<{ since: number; cycleId: number }, WeighedRow>(
    `SELECT weights, count(*) AS count FROM
       (SELECT weights FROM operation WHERE status = 'done' AND weights IS NOT NULL AND finished_at >= ${given(":since")}
        UNION ALL
        SELECT weights FROM intent JOIN operation ON operation.id = intent.operation_id
        WHERE status <> 'done' AND weights IS NOT NULL AND NOT EXISTS
          (SELECT 1 FROM operation AS due WHERE due.object_id = intent.object_id AND due.cycle_id = ${given(":cycleId")}))
     GROUP BY weights`,
  );
  const rangesOf = cycleRanges(db);
  // Where the database is new everybody is still to be linked.
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
    `SELECT * FROM operation WHERE cycle_id = ${given("?")} AND status = 'planned' AND weights IS NOT NULL AND id > ?
     ORDER BY id LIMIT ${given("?")}`,
  );
  const holdWhole = db.prepare<[number]>("UPDATE operation SET status = 'held' WHERE id = ?");
  const holdPart = db.prepare<[string, string, number]>(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, evidence, changes, weights, adopts, wave, status, at, attempt)
     SELECT cycle_id, object_id, user_name, lattice_id, 'update', reason, evidence, ?, ?, 0, wave, 'held', at, attempt
     FROM operation WHERE id = ?`,
  );
  const shrink = db.prepare<{ id: number; changes: string; weights: string | null; referenceHeld: number }>(
    `UPDATE operation SET changes = :changes, weights = :weights,
       manager_object_id = iif(:referenceHeld, NULL, manager_object_id) WHERE id = :id`,
  );
  const holdAll = db.transaction((parts: Parameters<StateStore["holdParts"]>[0]) => {
    for (const { operationId, changes, weights, rest } of parts) {
      if (rest === null) {
        holdWhole.run(operationId);
        continue;
      }
      holdPart.run(JSON.stringify(changes), JSON.stringify(weights), operationId);
      shrink.run({
        id: operationId,
        changes: JSON.stringify(rest.changes),
        weights: weightsColumn(rest.weights),
        referenceHeld: rest.referenceHeld ? 1 : 0,
      });
    }
  });

  return {
    ...decisionMethods(db),
    ...heldMethods(db, values),
    plannedWeights: async (cycleId) => {
      const found: WeighedCount[] = [];
      for await (const range of rangesOf(cycleId))
        found.push(...planned.all({ ...range, cycleId }).map(weighedCount));
      return found;
    },
    recentWeights: async (since, cycleId) => recent.all({ since, cycleId }).map(weighedCount),
    countActive: async (cycleId) => active.get(cycleId) ?? 0,
    countHolders: async (attribute, cycleId, enough) => {
      const limit = Math.min(Math.max(enough, holdersAtOnce.least), holdersAtOnce.most);
      let total = 0;
      let after: string | null = "";
      while (after !== null && total < enough) {
        const page = holders.get({ cycleId, attribute, after, limit });
        total += page?.count ?? 0;
        after = page?.last ?? null;
        // A whole company takes seconds.
        await new Promise(setImmediate);
      }
      return total;
    },
    weighedOperations: async (cycleId, after, limit) =>
      weighed
        .all(cycleId, after, limit)
        .map((row) => ({ ...loggedOperation(row), weights: weightsOfRow(row) })),
    holdParts: async (parts) => holdAll.immediate(parts),
  };
}

/** What is held is one row, whichever plan holds it. */
function heldMethods(
  db: Connection,
  values: ValueKeeper,
): Pick<StateStore, "earlierHeld" | "endHeld" | "heldOf"> {
  const earlier = db.prepare<
    { cycleId: number; after: number; limit: number },
    OperationRow & { held_since: number | null }
  >(
    `SELECT * FROM operation AS held INDEXED BY operation_held
     WHERE status = 'held' AND cycle_id <> :cycleId AND id > :after
       AND EXISTS (SELECT 1 FROM operation WHERE object_id = held.object_id AND cycle_id = :cycleId AND status <> 'reported')
     ORDER BY id LIMIT ${given(":limit")}`,
  );
  const planned = db.prepare<[string, number], OperationRow>(
    `SELECT * FROM operation WHERE object_id = ? AND cycle_id = ${given("?")} AND status <> 'reported'`,
  );
  const forget = db.prepare<[number]>("DELETE FROM operation WHERE id = ?");
  const keepSince = db.prepare<[number, number]>("UPDATE operation SET held_since = ? WHERE id = ?");
  const cancel = db.prepare<[number]>("UPDATE operation SET status = 'cancelled' WHERE id = ?");
  const of = db.prepare<{ cycleId: number; afterWave: number; afterId: number; limit: number }, OperationRow>(
    `SELECT * FROM operation INDEXED BY operation_held
     WHERE status = 'held' AND cycle_id >= :cycleId AND coalesce(held_since, cycle_id) <= :cycleId
       AND (wave, id) > (:afterWave, :afterId) ORDER BY wave, id LIMIT ${given(":limit")}`,
  );
  const endAll = db.transaction((ended: Parameters<StateStore["endHeld"]>[0]) => {
    for (const one of ended) {
      if (one.kind === "cancelled") {
        cancel.run(one.id);
        values.replace(one.id);
        continue;
      }
      forget.run(one.id);
      if (one.heldAs !== null) keepSince.run(one.since, one.heldAs);
    }
  });
  return {
    earlierHeld: async (cycleId, after, limit) =>
      earlier.all({ cycleId, after, limit }).map((row) => ({
        held: loggedOperation(row),
        since: row.held_since ?? row.cycle_id,
        now: planned.all(row.object_id, cycleId).map(loggedOperation),
      })),
    endHeld: async (ended) => endAll.immediate(ended),
    heldOf: async (cycleId, query) => of.all({ cycleId, ...query }).map(loggedOperation),
  };
}

/** What a person decides about held work. */
function decisionMethods(
  db: Connection,
): Pick<StateStore, "release" | "reject" | "undoReject" | "rejections" | "countRejected" | "dropReleases"> {
  const mark = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE object_id = ?");
  const dropRejected = db.prepare<[string, string]>(
    "DELETE FROM rejected_change WHERE object_id = ? AND attribute = ?",
  );
  const undo = db.prepare<[string]>("DELETE FROM rejected_change WHERE object_id = ?");
  const dropReleased = db.prepare<[string, string]>(
    "DELETE FROM released_change WHERE object_id = ? AND attribute = ?",
  );
  const dropOld = db.prepare<[number]>("DELETE FROM released_change WHERE released_at < ?");
  // A person of the plan whom the directory's picture has lost meanwhile has nothing left to decide about.
  const release = db.prepare<[string, string, string, number, string]>(
    `INSERT INTO released_change (object_id, attribute, fingerprint, plan_id, released_at)
     SELECT object_id, ?, ?, ?, ? FROM source_user WHERE object_id = ?
     ON CONFLICT (object_id, attribute) DO UPDATE SET fingerprint = excluded.fingerprint, plan_id = excluded.plan_id,
       released_at = excluded.released_at`,
  );
  const reject = db.prepare<{
    objectId: string;
    attribute: string;
    fingerprint: string;
    evidence: string | null;
    planId: string;
    now: number;
    decisionId: number | null;
  }>(
    `INSERT INTO rejected_change (object_id, attribute, fingerprint, evidence, plan_id, rejected_at, decision_id)
     SELECT object_id, :attribute, :fingerprint, :evidence, :planId, :now, :decisionId FROM source_user WHERE object_id = :objectId
     ON CONFLICT (object_id, attribute, fingerprint) DO UPDATE SET plan_id = excluded.plan_id, rejected_at = excluded.rejected_at,
       decision_id = excluded.decision_id`,
  );
  const rejections = db.prepare<[number], RejectedRow & { user_name: string | null }>(
    `SELECT ${rejectedColumns}, json_extract(attributes, '$.userPrincipalName') AS user_name
     FROM ${rejectedTables} JOIN source_user USING (object_id) ORDER BY rejected_at DESC, object_id, attribute LIMIT ${given("?")}`,
  );
  const countRejected = db
    .prepare<[string, number], number>(
      `SELECT count(*) FROM rejected_change WHERE evidence IN (SELECT value FROM json_each(?)) AND rejected_at >= ${given("?")}`,
    )
    .pluck();
  return {
    release: async (planId, changes, now) => {
      db.transaction(() => {
        for (const { objectId, attribute, fingerprint } of changes) {
          dropRejected.run(objectId, attribute);
          release.run(attribute, fingerprint, planId, now, objectId);
          mark.run(objectId);
        }
      })();
    },
    reject: async (planId, changes, now, decisionId) => {
      db.transaction(() => {
        for (const { objectId, attribute, fingerprint, evidence } of changes) {
          dropReleased.run(objectId, attribute);
          // What is held of a person is planned in every cycle: nobody need be marked.
          reject.run({
            objectId,
            attribute,
            fingerprint,
            evidence,
            planId,
            now,
            decisionId: decisionId ?? null,
          });
        }
      })();
    },
    undoReject: async (objectIds) => {
      db.transaction(() => {
        for (const objectId of objectIds) {
          undo.run(objectId);
          mark.run(objectId);
        }
      })();
    },
    rejections: async (limit) =>
      rejections.all(limit).map((row) => ({ ...rejectedChange(row), userName: row.user_name })),
    countRejected: async (evidence, since) => countRejected.get(JSON.stringify(evidence), since) ?? 0,
    dropReleases: async (before) => {
      dropOld.run(before);
    },
  };
}

interface WeighedRow {
  readonly weights: string;
  readonly count: number;
}

function weighedCount({ weights, count }: WeighedRow): WeighedCount {
  return { weights: JSON.parse(weights) as Weight[], count };
}
