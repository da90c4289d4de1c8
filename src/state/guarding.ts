import type { Change } from "../domain/plan.ts";
import type { GuardedCounts, Hold, StateStore } from "../domain/store.ts";
import type { Connection } from "./database.ts";

type GuardingMethods = Pick<StateStore, "plannedCounts" | "recentCounts" | "countHolders" | "holdOperations">;

interface PlannedRow {
  readonly id: number;
  readonly action: string;
  readonly changes: string;
}

const pageSize = 500;

/** What the guard counts, and what it holds. */
export function guardingMethods(db: Connection): GuardingMethods {
  const planned = counter(db, "o.cycle_id = :value AND o.status = 'planned'");
  const recent = counter(db, "o.finished_at >= :value AND o.status = 'done' AND o.action <> 'create'");
  const holders = db.prepare<[string], { count: number }>(
    `SELECT count(*) AS count FROM target_user
     WHERE object_id IS NOT NULL AND json_extract(attributes, '$.' || json_quote(?)) IS NOT NULL`,
  );
  const page = db.prepare<[number, number, number], PlannedRow>(
    `SELECT id, action, changes FROM operation
     WHERE cycle_id = ? AND status = 'planned' AND action <> 'create' AND id > ? ORDER BY id LIMIT ?`,
  );
  const holdWhole = db.prepare<[number]>("UPDATE operation SET status = 'held' WHERE id = ?");
  const shrink = db.prepare<[string, number]>("UPDATE operation SET changes = ? WHERE id = ?");
  const holdPart = db.prepare<[string, number]>(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, evidence, changes, adopts, wave, status, attempt)
     SELECT cycle_id, object_id, user_name, lattice_id, 'update', reason, evidence, ?, 0, wave, 'held', attempt
     FROM operation WHERE id = ?`,
  );

  const holdOne = (row: PlannedRow, holds: readonly Hold[]): boolean => {
    if (row.action === "deactivate" && holds.some(({ kind }) => kind === "deactivations")) {
      holdWhole.run(row.id);
      return true;
    }
    const changes = JSON.parse(row.changes) as Change[];
    const held = changes.filter((change) => holds.some((hold) => concerns(hold, change)));
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
    plannedCounts: async (cycleId) => planned(cycleId),
    recentCounts: async (since) => recent(since),
    countHolders: async (attribute) => holders.get(attribute)?.count ?? 0,
    holdOperations: async (cycleId, holds) => {
      if (holds.length === 0) return 0;
      return db.transaction(() => {
        let held = 0;
        let after = 0;
        for (;;) {
          const rows = page.all(cycleId, after, pageSize);
          const last = rows.at(-1);
          if (last === undefined) return held;
          held += rows.filter((row) => holdOne(row, holds)).length;
          after = last.id;
        }
      })();
    },
  };
}

function concerns(hold: Hold, change: Change): boolean {
  if (hold.kind === "renames") return change.attribute === "userName" && change.before !== null;
  return hold.kind === "clears" && change.attribute === hold.attribute && change.after === null;
}

function counter(db: Connection, where: string): (value: number) => GuardedCounts {
  const deactivations = db.prepare<{ value: number }, { count: number }>(
    `SELECT count(*) AS count FROM operation o WHERE ${where} AND o.action = 'deactivate'`,
  );
  const changes = db.prepare<{ value: number }, { attribute: string; cleared: number; count: number }>(
    `SELECT json_extract(c.value, '$.attribute') AS attribute, json_extract(c.value, '$.after') IS NULL AS cleared, count(*) AS count
     FROM operation o, json_each(o.changes) c
     WHERE ${where} AND o.action <> 'create' AND json_extract(c.value, '$.before') IS NOT NULL
       AND (json_extract(c.value, '$.after') IS NULL OR json_extract(c.value, '$.attribute') = 'userName')
     GROUP BY 1, 2`,
  );
  return (value) => {
    const rows = changes.all({ value });
    return {
      deactivations: deactivations.get({ value })?.count ?? 0,
      renames: rows.find((row) => row.attribute === "userName" && row.cleared === 0)?.count ?? 0,
      clears: new Map(rows.filter((row) => row.cleared === 1).map((row) => [row.attribute, row.count])),
    };
  };
}
