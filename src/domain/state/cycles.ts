import type { OperationStatus } from "../operation.ts";
import type { Action, CycleKind, GuardVerdict, PlanSummary } from "../plan.ts";

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
  /** What came of its operations. */
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
  beginCycle(cycle: { planId: string; kind: CycleKind; startedAt: number }): Promise<number>;
  /**
   * Ends the cycle: what it planned and did not begin is counted as cancelled, and its rows go; with `keepPlan`, those of a
   * dry run, they stay as cancelled. Where the process dies before the rest is written,
   * the cycle is one without an end, as of any run that dies.
   */
  finishCycle(
    cycleId: number,
    end: { finishedAt: number; outcome: CycleOutcome; error: string | null; keepPlan?: boolean },
  ): Promise<void>;
  /** The newest first. @param before a cycle's id: only those before it, for paging */
  recentCycles(limit: number, before?: number): Promise<readonly CycleRecord[]>;
  cycleOfPlan(planId: string): Promise<CycleRecord | null>;
  totals(): Promise<Totals>;
  /**
   * Removes the oldest cycles with their log: those that ended (or died) before `before`, with events of that time, and further ones as long as the log has more
   * than `maxRows` operations. What was done since `countedSince` (the guard's window) stays in any case, as do
   * the newest cycle and writes whose outcome is unknown. Times in milliseconds since the epoch.
   */
  prune(limits: {
    readonly before: number;
    readonly countedSince: number;
    readonly maxRows: number | null;
  }): Promise<void>;
}
