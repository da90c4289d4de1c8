import type { CycleKind, GuardVerdict, PlanSummary } from "../../domain/plan.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { CycleOutcome, CycleRecord, OutcomeCount, Totals } from "../../domain/state/cycles.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { cycleRanges, type IdRange } from "./cycle-ranges.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import type { ValueKeeper } from "./log-values.ts";
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
  readonly outcomes: string;
  readonly notes: string | null;
}

type CycleMethods = Pick<
  StateStore,
  | "meta"
  | "putMeta"
  | "totals"
  | "forgetTheFuture"
  | "beginCycle"
  | "finishCycle"
  | "recentCycles"
  | "cycleOfPlan"
>;

/** Counts from the log, for a cycle that is under way or whose log was corrected later. */
const countedOutcomes = `SELECT json_group_array(json_object('action', action, 'outcome', status, 'count', number))
  FROM (SELECT action, status, count(*) AS number FROM operation WHERE cycle_id = cycle.id GROUP BY action, status)`;

/** Cycles, and what a run remembers from one to the next. */
export function cycleMethods(db: Connection, values: ValueKeeper): CycleMethods {
  const readMeta = db.prepare<[], { key: string; value: string }>(
    "SELECT key, value FROM meta WHERE key NOT LIKE 'log%'",
  );
  const writeMeta = metaWriter(db);
  const insert = db.prepare<[string, string, number]>(
    "INSERT INTO cycle (plan_id, kind, started_at) VALUES (?, ?, ?)",
  );
  const noLaterThan = forgetTheFuture(db);
  const finish = db.prepare<[number, string, string | null, string, number]>(
    "UPDATE cycle SET finished_at = ?, outcome = ?, error = ?, outcomes = ? WHERE id = ?",
  );
  const anyAction = "action IN ('create', 'update', 'deactivate', 'reactivate', 'link')";
  // Rows of this cycle only, because drift that earlier cycles reported stays in the log. Cancelled operations that Lattice
  // has answered stay too.
  const ending = db.prepare<{ cycleId: number }, { id: number; status: string }>(
    `SELECT id, status FROM operation INDEXED BY operation_kind
     WHERE ${anyAction} AND status IN ('planned', 'reported', 'cancelled') AND (status <> 'cancelled' OR http_status IS NULL)
       AND id NOT IN (SELECT operation_id FROM intent)
       AND id >= (SELECT min(id) FROM operation WHERE cycle_id = ${given(":cycleId")}) AND cycle_id = ${given(":cycleId")}`,
  );
  const count = db.prepare<IdRange & { cycleId: number }, OutcomeCount>(
    `SELECT action, status AS outcome, count(*) AS count FROM operation
     WHERE id BETWEEN :from AND :to AND cycle_id = ${given(":cycleId")} GROUP BY action, status`,
  );
  const rangesOf = cycleRanges(db);
  const outcomesOf = async (cycleId: number): Promise<readonly OutcomeCount[]> => {
    const counts = new Map<string, OutcomeCount>();
    for await (const range of rangesOf(cycleId)) {
      for (const found of count.all({ ...range, cycleId })) {
        const key = `${found.action} ${found.outcome}`;
        counts.set(key, { ...found, count: found.count + (counts.get(key)?.count ?? 0) });
      }
    }
    return [...counts.values()];
  };
  const leftPlanned = db
    .prepare<[], number>(
      `SELECT id FROM operation INDEXED BY operation_kind WHERE ${anyAction} AND status = 'planned'`,
    )
    .pluck();
  const forget = db.prepare<[number]>("DELETE FROM operation WHERE id = ?");
  // Drift that is reported again unchanged replaces its older entry.
  const forgetReported = db.prepare<{ id: number }>(
    `DELETE FROM operation WHERE id IN (SELECT older.id FROM operation older JOIN operation newer USING (object_id)
       WHERE newer.id = :id AND older.id < newer.id AND older.status = 'reported'
         AND (SELECT changes FROM operation_changes WHERE id = older.id) = (SELECT changes FROM operation_changes WHERE id = newer.id))`,
  );
  const counted = `SELECT id, plan_id, kind, started_at, finished_at, outcome, error, summary, guard, notes,
       coalesce(outcomes, (${countedOutcomes})) AS outcomes FROM cycle`;
  const recent = db.prepare<[number, number], CycleRow>(
    `${counted} WHERE id < ? ORDER BY id DESC LIMIT ${given("?")}`,
  );
  const ofPlan = db.prepare<[string], CycleRow>(`${counted} WHERE plan_id = ?`);
  const totals = db.prepare<[], Totals>(
    `SELECT source_users AS sourceUsers, linked, linked_active AS linkedActive, skipped, linked_skipped AS linkedSkipped,
       (SELECT count(*) FROM retry) AS retrying,
       (SELECT count(*) FROM source_user WHERE reference_pending = 1) AS waitingForManager FROM tally`,
  );
  const putMeta = db.transaction((values: Partial<Meta>) => writeMeta(values));
  const moveFuture = db.transaction((now: number) => noLaterThan(now));
  const begin = db.transaction((cycle: Parameters<StateStore["beginCycle"]>[0]): number => {
    // Left by a run that died: no request was sent for these operations. Those that are still due are planned again.
    for (const id of leftPlanned.all()) forget.run(id);
    return Number(insert.run(cycle.planId, cycle.kind, cycle.startedAt).lastInsertRowid);
  });
  const cancel = db.prepare<[number]>("UPDATE operation SET status = 'cancelled' WHERE id = ?");
  const endAll = db.transaction((cycleId: number, keepPlan: boolean) => {
    for (const { id, status } of ending.all({ cycleId })) {
      if (status !== "reported" && !keepPlan) {
        forget.run(id);
        continue;
      }
      if (status === "planned") cancel.run(id);
      values.replace(id);
      if (status === "reported") forgetReported.run({ id });
    }
  });

  return {
    meta: async () => Object.fromEntries(readMeta.all().map((row) => [row.key, row.value])),
    putMeta: async (values) => putMeta(values),
    totals: async () => {
      const row = totals.get();
      if (row === undefined) throw new Error("a count gave no row");
      return row;
    },
    forgetTheFuture: async (now) => moveFuture.immediate(now),
    beginCycle: async (cycle) => begin.immediate(cycle),
    finishCycle: async (cycleId, end) => {
      // Operations that were not sent are only counted: their rows go, and a later cycle plans them again. If the process dies
      // here, the cycle has no end, as after any other crash.
      const outcomes = JSON.stringify(withCancelled(await outcomesOf(cycleId)));
      endAll.immediate(cycleId, end.keepPlan === true);
      const error = end.error === null ? null : values.sentence(end.error);
      finish.run(end.finishedAt, end.outcome, error, outcomes, cycleId);
    },
    recentCycles: async (limit, before) =>
      recent.all(before ?? Number.MAX_SAFE_INTEGER, limit).map(cycleRecord),
    cycleOfPlan: async (planId) => {
      const row = ofPlan.get(planId);
      return row === undefined ? null : cycleRecord(row);
    },
  };
}

/** Counts operations that are still planned at the end of a cycle as cancelled: they were not sent. */
function withCancelled(outcomes: readonly OutcomeCount[]): readonly OutcomeCount[] {
  const counts = new Map<string, OutcomeCount>();
  for (const { action, outcome, count } of outcomes) {
    const ended = outcome === "planned" ? "cancelled" : outcome;
    const key = `${action} ${ended}`;
    counts.set(key, { action, outcome: ended, count: count + (counts.get(key)?.count ?? 0) });
  }
  return [...counts.values()];
}

/** Writes the plan of a cycle, as a part of the transaction that is open. */
export function cyclePlanWriter(
  db: Connection,
  values: ValueKeeper,
): (plan: NonNullable<StateChange["cyclePlan"]>) => void {
  const set = db.prepare<[string, string, string | null, number]>(
    "UPDATE cycle SET summary = ?, guard = ?, notes = ? WHERE id = ?",
  );
  return ({ cycleId, summary, guard, notes }) => {
    const kept = notes.length === 0 ? null : JSON.stringify(notes.map(values.sentence));
    set.run(JSON.stringify(summary), JSON.stringify(guard), kept, cycleId);
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
  const outcomes = JSON.parse(row.outcomes) as OutcomeCount[];
  const countOf = (outcome: string): number =>
    outcomes.reduce((sum, one) => (one.outcome === outcome ? sum + one.count : sum), 0);
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
    notes: row.notes === null ? [] : (JSON.parse(row.notes) as string[]),
    done: countOf("done"),
    failed: countOf("failed"),
    outcomes,
  };
}
