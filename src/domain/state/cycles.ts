import type { OperationStatus } from "../operation.ts";
import type { Action, CycleKind, GuardVerdict, PlanSummary } from "../plan.ts";
import type { Fence } from "./fence.ts";

export interface CycleRecord {
  readonly id: number;
  readonly planId: string;
  readonly kind: CycleKind;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly outcome: CycleOutcome | null;
  readonly error: string | null;
  readonly summary: PlanSummary | null;
  readonly guard: GuardVerdict | null;
  /** Findings that it did not believe, or left for a later cycle, in sentences. */
  readonly notes: readonly string[];
  readonly done: number;
  readonly failed: number;
  /**
   * The outcomes of its operations, in no order, as recorded at its end. They are counted from the rows of the log as long as the
   * cycle has no end, and after one of its operations has ended late.
   */
  readonly outcomes: readonly OutcomeCount[];
}

/** The number of operations with the same action and outcome. */
export interface OutcomeCount {
  readonly action: Action;
  readonly outcome: OperationStatus;
  readonly count: number;
}

export type CycleOutcome = "done" | "held" | "someFailed" | "failed" | "interrupted" | "paused";

export interface Totals {
  /** People in the directory's data, whatever their presence. */
  readonly sourceUsers: number;
  /** Accounts with a link, missing ones included. */
  readonly linked: number;
  /** Linked accounts that are not known to be inactive. */
  readonly linkedActive: number;
  /** People whom the last plan skipped (`PlannedFor.skip`). */
  readonly skipped: number;
  /** Linked people among the skipped. */
  readonly linkedSkipped: number;
  /** People on the retry schedule. */
  readonly retrying: number;
  /** People whose manager in Entra has no account in Lattice. */
  readonly waitingForManager: number;
}

/** The cycles, and the counts of the company. */
export interface Cycles {
  /**
   * Adds a cycle without an end. It waits for other processes that write.
   * @returns its id, which is higher than that of every cycle before
   * @throws LeaseHeldError like `commit`
   */
  beginCycle(
    cycle: { readonly planId: string; readonly kind: CycleKind; readonly startedAt: number },
    fence: Fence,
  ): Promise<number>;
  /** The numbers of operations of the cycle in the log, by action and status, in no order. */
  countOutcomes(cycleId: number): Promise<readonly OutcomeCount[]>;
  /** The newest first: in descending order of the ids. @param before a cycle's id: only those before it, for paging */
  recentCycles(limit: number, before?: number): Promise<readonly CycleRecord[]>;
  /** The cycle that made this plan; `null` if the log has it no more. */
  cycleOfPlan(planId: string): Promise<CycleRecord | null>;
  /** The counts of now, without a walk through the company: they are asked for in each cycle and every few seconds. */
  totals(): Promise<Totals>;
  /** `linked` of the totals alone: PostgreSQL counts, and the rest of them takes several times as long. */
  countLinked(): Promise<number>;
}
