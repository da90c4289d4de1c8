import type { CycleKind, GuardVerdict, PlanSummary } from "../domain/plan.ts";
import type { CycleOutcome, CycleRecord, Meta, StateStore, Totals } from "../domain/store.ts";
import type { Connection } from "./database.ts";
import { forgetTheFuture } from "./set-back-clock.ts";

interface CycleRow {
  readonly id: number;
  readonly plan_id: string;
  readonly kind: CycleKind;
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly outcome: CycleOutcome | null;
  readonly error: string | null;
  readonly summary: string | null;
  readonly guard: string | null;
  readonly done: number;
  readonly failed: number;
}

type CycleMethods = Pick<
  StateStore,
  | "meta"
  | "putMeta"
  | "totals"
  | "beginCycle"
  | "setCyclePlan"
  | "finishCycle"
  | "recentCycles"
  | "cycleOfPlan"
  | "prune"
>;

/** Cycles, and what a run remembers from one to the next. */
export function cycleMethods(db: Connection): CycleMethods {
  const readMeta = db.prepare<[], { key: string; value: string }>("SELECT key, value FROM meta");
  const writeMeta = metaWriter(db);
  const insert = db.prepare<[string, string, number]>(
    "INSERT INTO cycle (plan_id, kind, started_at) VALUES (?, ?, ?)",
  );
  const noLaterThan = forgetTheFuture(db);
  const setPlan = db.prepare<[string, string, number]>(
    "UPDATE cycle SET summary = ?, guard = ? WHERE id = ?",
  );
  const finish = db.prepare<[number, string, string | null, number]>(
    "UPDATE cycle SET finished_at = ?, outcome = ?, error = ? WHERE id = ?",
  );
  const cancel = db.prepare<[number]>(
    "UPDATE operation SET status = 'cancelled' WHERE cycle_id = ? AND status = 'planned'",
  );
  const counted = `SELECT cycle.*,
       (SELECT count(*) FROM operation WHERE cycle_id = cycle.id AND status = 'done') AS done,
       (SELECT count(*) FROM operation WHERE cycle_id = cycle.id AND status = 'failed') AS failed
     FROM cycle`;
  const recent = db.prepare<[number, number], CycleRow>(`${counted} WHERE id < ? ORDER BY id DESC LIMIT ?`);
  const ofPlan = db.prepare<[string], CycleRow>(`${counted} WHERE plan_id = ?`);
  const totals = db.prepare<[], Totals>(
    `SELECT
       (SELECT count(*) FROM source_user) AS sourceUsers,
       (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL) AS linked,
       (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL AND active = 1) AS linkedActive,
       (SELECT count(*) FROM source_user WHERE skip_code IS NOT NULL) AS skipped,
       (SELECT count(*) FROM source_user JOIN target_user USING (object_id) WHERE skip_code IS NOT NULL) AS linkedSkipped,
       (SELECT count(*) FROM retry) AS retrying`,
  );
  // The newest cycle stays whatever its age: it says when the next one is due. An older one without an end has died.
  const prune = db.prepare<[number]>(
    "DELETE FROM cycle WHERE coalesce(finished_at, started_at) < ? AND id < (SELECT max(id) FROM cycle)",
  );

  // That a credential has expired is found every day: what was told of it stays for good, a few rows in a year.
  const pruneEvents = db.prepare<[number]>(
    "DELETE FROM event WHERE at < ? AND json_extract(data, '$.kind') <> 'credentialExpiring'",
  );

  return {
    meta: async () => Object.fromEntries(readMeta.all().map((row) => [row.key, row.value])),
    putMeta: async (values: Partial<Meta>) => {
      db.transaction(() => {
        writeMeta(values);
      })();
    },
    totals: async () => {
      const row = totals.get();
      if (row === undefined) throw new Error("a count gave no row");
      return row;
    },
    beginCycle: async (cycle) =>
      db.transaction(() => {
        noLaterThan(cycle.startedAt);
        return Number(insert.run(cycle.planId, cycle.kind, cycle.startedAt).lastInsertRowid);
      })(),
    setCyclePlan: async (cycleId, plan) => {
      setPlan.run(JSON.stringify(plan.summary), JSON.stringify(plan.guard), cycleId);
    },
    finishCycle: async (cycleId, end) => {
      db.transaction(() => {
        cancel.run(cycleId);
        finish.run(end.finishedAt, end.outcome, end.error, cycleId);
      })();
    },
    recentCycles: async (limit, before) =>
      recent.all(before ?? Number.MAX_SAFE_INTEGER, limit).map(cycleRecord),
    cycleOfPlan: async (planId) => {
      const row = ofPlan.get(planId);
      return row === undefined ? null : cycleRecord(row);
    },
    prune: async (before) => {
      prune.run(before);
      pruneEvents.run(before);
    },
  };
}

/** Writes values of `meta` as a part of the transaction that is open. */
export function metaWriter(db: Connection): (values: Partial<Meta>) => void {
  const write = db.prepare<[string, string]>(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  return (values) => {
    for (const [key, value] of Object.entries(values)) write.run(key, value);
  };
}

function cycleRecord(row: CycleRow): CycleRecord {
  return {
    id: row.id,
    planId: row.plan_id,
    kind: row.kind,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome,
    error: row.error,
    summary: row.summary === null ? null : (JSON.parse(row.summary) as PlanSummary),
    guard: row.guard === null ? null : (JSON.parse(row.guard) as GuardVerdict),
    done: row.done,
    failed: row.failed,
  };
}
