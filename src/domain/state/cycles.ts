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
  /** What it met and did not believe, or left for a later cycle, in sentences. */
  readonly notes: readonly string[];
  readonly done: number;
  readonly failed: number;
  /**
   * What came of its operations, in no order: as its end says; counted from the rows of the log as long as it has no end, and
   * once one of its operations has ended late.
   */
  readonly outcomes: readonly OutcomeCount[];
}

/** How many operations of one kind came to the same. */
export interface OutcomeCount {
  readonly action: Action;
  readonly outcome: OperationStatus;
  readonly count: number;
}

export type CycleOutcome = "done" | "held" | "someFailed" | "failed" | "interrupted";

export interface Totals {
  readonly sourceUsers: number;
  readonly linked: number;
  readonly linkedActive: number;
  readonly skipped: number;
  /** Linked people among the skipped. */
  readonly linkedSkipped: number;
  readonly retrying: number;
  /** People whose manager in Entra has no account in Lattice. */
  readonly waitingForManager: number;
}

/** The cycles, and the counts of the company. */
export interface Cycles {
  /**
   * Adds a cycle without an end.
   * @returns its id, which is higher than that of any cycle before
   * @throws LeaseHeldError where the run that the fence names does not hold the lease any more
   */
  beginCycle(
    cycle: { readonly planId: string; readonly kind: CycleKind; readonly startedAt: number },
    fence: Fence,
  ): Promise<number>;
  /** How many operations of the cycle the log has, by action and status, in no order. */
  countOutcomes(cycleId: number): Promise<readonly OutcomeCount[]>;
  /** The newest first: in descending order of the ids. @param before a cycle's id: only those before it, for paging */
  recentCycles(limit: number, before?: number): Promise<readonly CycleRecord[]>;
  cycleOfPlan(planId: string): Promise<CycleRecord | null>;
  totals(): Promise<Totals>;
}
