import type { GuardVerdict, PlanSummary } from "../../domain/plan.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { CycleRecord, OutcomeCount, Totals } from "../../domain/state/cycles.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { cycleRecord as cycleParsed, type CycleRow as ParsedCycle } from "../records.ts";
import { manager } from "../reference-pending.ts";
import { fenceCheck } from "./fence.ts";
import type { Connection } from "./files/database.ts";
import type { ValueKeeper } from "./log-values.ts";
import { cycleRanges, given, type IdRange } from "./tuning.ts";

type CycleRow = Omit<ParsedCycle, "summary" | "guard" | "notes" | "outcomes"> & {
  readonly summary: string | null;
  readonly guard: string | null;
  readonly notes: string | null;
  readonly outcomes: string;
};

type CycleMethods = Pick<
  StateStore,
  "totals" | "countLinked" | "beginCycle" | "countOutcomes" | "recentCycles" | "cycleOfPlan"
>;

/** Counts from the log, for a cycle that is under way or whose log was corrected later. */
const countedOutcomes = `SELECT json_group_array(json_object('action', action, 'outcome', status, 'count', number))
  FROM (SELECT action, status, count(*) AS number FROM operation WHERE cycle_id = cycle.id GROUP BY action, status)`;

/** The cycles, and the counts of the company. */
export function cycleMethods(db: Connection): CycleMethods {
  const insert = db.prepare<[string, string, number]>(
    "INSERT INTO cycle (plan_id, kind, started_at) VALUES (?, ?, ?)",
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
  const counted = `SELECT id, plan_id, kind, started_at, finished_at, outcome, error, summary, guard, notes,
       coalesce(outcomes, (${countedOutcomes})) AS outcomes FROM cycle`;
  const recent = db.prepare<[number, number], CycleRow>(
    `${counted} WHERE id < ? ORDER BY id DESC LIMIT ${given("?")}`,
  );
  const ofPlan = db.prepare<[string], CycleRow>(`${counted} WHERE plan_id = ?`);
  const totals = db.prepare<[], Totals>(
    `SELECT source_users AS sourceUsers, linked, linked_active AS linkedActive, skipped, linked_skipped AS linkedSkipped,
       (SELECT count(*) FROM retry) AS retrying,
       (SELECT count(*) FROM source_user WHERE reference_pending <> 0 AND reference_pending = ${manager.awaited}) AS waitingForManager FROM tally`,
  );
  const linked = db.prepare<[], number>("SELECT linked FROM tally").pluck();
  const checkFence = fenceCheck(db);
  const begin = db.transaction((...[cycle, fence]: Parameters<StateStore["beginCycle"]>): number => {
    checkFence(fence);
    return Number(insert.run(cycle.planId, cycle.kind, cycle.startedAt).lastInsertRowid);
  });

  return {
    totals: async () => {
      const row = totals.get();
      if (row === undefined) throw new Error("a count gave no row");
      return row;
    },
    countLinked: async () => linked.get() ?? 0,
    beginCycle: async (cycle, fence) => begin.immediate(cycle, fence),
    countOutcomes: outcomesOf,
    recentCycles: async (limit, before) =>
      recent.all(before ?? Number.MAX_SAFE_INTEGER, limit).map(cycleRecord),
    cycleOfPlan: async (planId) => {
      const row = ofPlan.get(planId);
      return row === undefined ? null : cycleRecord(row);
    },
  };
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

function cycleRecord(row: CycleRow): CycleRecord {
  return cycleParsed({
    ...row,
    summary: row.summary === null ? null : (JSON.parse(row.summary) as PlanSummary),
    guard: row.guard === null ? null : (JSON.parse(row.guard) as GuardVerdict),
    notes: row.notes === null ? null : (JSON.parse(row.notes) as string[]),
    outcomes: JSON.parse(row.outcomes) as OutcomeCount[],
  });
}
