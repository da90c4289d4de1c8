import type { Change, Evidence, EvidenceKind } from "../domain/plan.ts";
import { type GuardedCounts, type Hold, nothingGuarded, type StateStore } from "../domain/store.ts";
import { cycleRanges, type IdRange } from "./cycle-ranges.ts";
import type { Connection } from "./database.ts";
import { given } from "./given.ts";

type GuardingMethods = Pick<
  StateStore,
  | "plannedCounts"
  | "recentCounts"
  | "countActive"
  | "countHolders"
  | "holdOperations"
  | "release"
  | "reject"
  | "dropReleases"
>;

interface PlannedRow {
  readonly id: number;
  readonly action: string;
  readonly evidence: string | null;
  readonly changes: string;
}

const pageSize = 500;
const countPageSize = 5_000;

/** What the guard counts, what it holds, and what a person lets go. */
export function guardingMethods(db: Connection): GuardingMethods {
  const planned = counter<IdRange & { readonly value: number }>(
    db,
    `o.id BETWEEN :from AND :to AND o.cycle_id = ${given(":value")} AND o.status = 'planned'`,
  );
  const recent = counter(db, "o.finished_at >= :value AND o.status = 'done' AND o.action <> 'create'");
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
  const page = db.prepare<[number, number, number], PlannedRow>(
    `SELECT id, action, evidence, changes FROM operation
     WHERE cycle_id = ${given("?")} AND status = 'planned' AND action <> 'create' AND id > ? ORDER BY id LIMIT ${given("?")}`,
  );
  const holdWhole = db.prepare<[number]>("UPDATE operation SET status = 'held' WHERE id = ?");
  const shrink = db.prepare<[string, number]>("UPDATE operation SET changes = ? WHERE id = ?");
  const holdPart = db.prepare<[string, number]>(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, evidence, changes, adopts, wave, status, at, attempt)
     SELECT cycle_id, object_id, user_name, lattice_id, 'update', reason, evidence, ?, 0, wave, 'held', at, attempt
     FROM operation WHERE id = ?`,
  );

  const holdOne = (row: PlannedRow, holds: readonly Hold[]): boolean => {
    const changes = JSON.parse(row.changes) as Change[];
    if (row.action === "deactivate" && !isReleased(changes, "active") && holdsDeactivation(holds, row)) {
      holdWhole.run(row.id);
      return true;
    }
    const held = changes.filter(
      (change) => change.released !== true && holds.some((hold) => concerns(hold, change)),
    );
    if (held.length === 0) return false;
    if (held.length === changes.length && row.action === "update") {
      holdWhole.run(row.id);
    } else {
      shrink.run(JSON.stringify(changes.filter((change) => !held.includes(change))), row.id);
      holdPart.run(JSON.stringify(held), row.id);
    }
    return true;
  };

  return {
    ...decisionMethods(db),
    plannedCounts: async (cycleId) => {
      const parts: GuardedCounts[] = [];
      for await (const range of rangesOf(cycleId)) parts.push(planned({ ...range, value: cycleId }));
      return parts.reduce(sumOf, nothingGuarded);
    },
    recentCounts: async (since) => recent({ value: since }),
    countActive: async (cycleId) => active.get(cycleId) ?? 0,
    countHolders: async (attribute, cycleId) => {
      let total = 0;
      let after: string | null = "";
      while (after !== null) {
        const page = holders.get({ cycleId, attribute, after, limit: countPageSize });
        total += page?.count ?? 0;
        after = page?.last ?? null;
        // A whole company takes seconds.
        await new Promise(setImmediate);
      }
      return total;
    },
    holdOperations: async (cycleId, holds) => {
      if (holds.length === 0) return 0;
      return db
        .transaction(() => {
          let held = 0;
          let after = 0;
          for (;;) {
            const rows = page.all(cycleId, after, pageSize);
            const last = rows.at(-1);
            if (last === undefined) return held;
            held += rows.filter((row) => holdOne(row, holds)).length;
            after = last.id;
          }
        })
        .immediate();
    },
  };
}

/** What a person decides about held work. */
function decisionMethods(db: Connection): Pick<StateStore, "release" | "reject" | "dropReleases"> {
  const mark = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE object_id = ?");
  const dropRejection = db.prepare<[string]>("DELETE FROM rejection WHERE object_id = ?");
  const dropReleased = db.prepare<[string]>("DELETE FROM released_change WHERE object_id = ?");
  const dropOld = db.prepare<[number]>("DELETE FROM released_change WHERE released_at < ?");
  // A person of the plan whom the directory's picture has lost meanwhile has nothing left to decide about.
  const release = db.prepare<[string, string, string, number, string]>(
    `INSERT INTO released_change (object_id, attribute, fingerprint, plan_id, released_at)
     SELECT object_id, ?, ?, ?, ? FROM source_user WHERE object_id = ?
     ON CONFLICT (object_id, attribute) DO UPDATE SET fingerprint = excluded.fingerprint, plan_id = excluded.plan_id,
       released_at = excluded.released_at`,
  );
  const reject = db.prepare<[string, number, string]>(
    `INSERT INTO rejection (object_id, plan_id, rejected_at) SELECT object_id, ?, ? FROM source_user WHERE object_id = ?
     ON CONFLICT (object_id) DO UPDATE SET plan_id = excluded.plan_id, rejected_at = excluded.rejected_at`,
  );
  return {
    release: async (planId, changes, now) => {
      db.transaction(() => {
        for (const { objectId, attribute, fingerprint } of changes) {
          dropRejection.run(objectId);
          release.run(attribute, fingerprint, planId, now, objectId);
          mark.run(objectId);
        }
      })();
    },
    reject: async (planId, objectIds, now) => {
      db.transaction(() => {
        for (const objectId of objectIds) {
          dropReleased.run(objectId);
          reject.run(planId, now, objectId);
          mark.run(objectId);
        }
      })();
    },
    dropReleases: async (before) => {
      dropOld.run(before);
    },
  };
}

function isReleased(changes: readonly Change[], attribute: string): boolean {
  return changes.some((change) => change.attribute === attribute && change.released === true);
}

function holdsDeactivation(holds: readonly Hold[], row: PlannedRow): boolean {
  const evidence = row.evidence === null ? null : (JSON.parse(row.evidence) as Evidence);
  return holds.some(
    (hold) =>
      hold.kind === "deactivations" &&
      (hold.evidence === undefined || (evidence !== null && hold.evidence.includes(evidence.kind))),
  );
}

function concerns(hold: Hold, change: Change): boolean {
  if (hold.kind === "renames") return change.attribute === "userName" && change.before !== null;
  return hold.kind === "clears" && change.attribute === hold.attribute && change.after === null;
}

function sumOf(one: GuardedCounts, other: GuardedCounts): GuardedCounts {
  return {
    deactivations: one.deactivations + other.deactivations,
    evidence: sumOfMaps(one.evidence, other.evidence),
    renames: one.renames + other.renames,
    clears: sumOfMaps(one.clears, other.clears),
  };
}

function sumOfMaps<K>(one: ReadonlyMap<K, number>, other: ReadonlyMap<K, number>): ReadonlyMap<K, number> {
  const sum = new Map(one);
  for (const [key, count] of other) sum.set(key, (sum.get(key) ?? 0) + count);
  return sum;
}

/** @param where on `o`, an operation, with the parameters that the counter takes */
function counter<Counted extends { readonly value: number }>(
  db: Connection,
  where: string,
): (counted: Counted) => GuardedCounts {
  const deactivations = db.prepare<Counted, { kind: EvidenceKind; count: number }>(
    `SELECT json_extract(o.evidence, '$.kind') AS kind, count(*) AS count FROM operation o
     WHERE ${where} AND o.action = 'deactivate' AND NOT EXISTS (SELECT 1 FROM json_each(o.changes) c
       WHERE json_extract(c.value, '$.attribute') = 'active' AND json_extract(c.value, '$.released'))
     GROUP BY 1`,
  );
  const changes = db.prepare<Counted, { attribute: string; cleared: number; count: number }>(
    `SELECT json_extract(c.value, '$.attribute') AS attribute, json_extract(c.value, '$.after') IS NULL AS cleared, count(*) AS count
     FROM operation o, json_each(o.changes) c
     WHERE ${where} AND o.action <> 'create' AND json_extract(c.value, '$.before') IS NOT NULL
       AND json_extract(c.value, '$.released') IS NULL
       AND (json_extract(c.value, '$.after') IS NULL OR json_extract(c.value, '$.attribute') = 'userName')
     GROUP BY 1, 2`,
  );
  return (counted) => {
    const rows = changes.all(counted);
    const evidence = new Map(deactivations.all(counted).map((row) => [row.kind, row.count]));
    return {
      deactivations: [...evidence.values()].reduce((sum, count) => sum + count, 0),
      evidence,
      renames: rows.find((row) => row.attribute === "userName" && row.cleared === 0)?.count ?? 0,
      clears: new Map(rows.filter((row) => row.cleared === 1).map((row) => [row.attribute, row.count])),
    };
  };
}
