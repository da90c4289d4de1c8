import type { KindCounts } from "../cycle/person/account-kinds.ts";
import type { DepartmentCount } from "../domain/log.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import type { Action, PersonStep, PlanHeader, Skipped } from "../domain/plan.ts";
import type { CycleOutcome } from "../domain/state/cycles.ts";

/** A plan and, if it was carried out, its outcome, for a report to walk through. */
export interface PlanView {
  readonly header: PlanHeader;
  readonly dryRun: boolean;
  /** Options added to every command that the report suggests, so that it finds the same state. */
  readonly flags?: string;
  /** `null` for a dry run. */
  readonly result: {
    readonly outcome: CycleOutcome;
    readonly done: number;
    readonly failed: number;
    readonly held: number;
    /** Put back, or no longer needed. */
    readonly notSent: number;
    readonly durationMs: number;
  } | null;
  /** In the order in which they are sent, of one kind or all; can be walked through more than once. */
  operations(action?: Action): AsyncIterable<LoggedOperation>;
  skipped(): AsyncIterable<Skipped>;
  /** Accounts by kind when the last cycle ended; `null` before the first one. */
  accounts(): Promise<KindCounts | null>;
  /** Operations by department; `null` if departments are not to be shown. */
  departments(): Promise<readonly DepartmentCount[] | null>;
  /** Edits by hand in Lattice: operations that undo them, and those that only report them. */
  drift(): AsyncIterable<LoggedOperation>;
  /** Of a cycle on demand: what was done for each person, if the report has not shown it already. */
  readonly steps?: readonly PersonStep[];
}

/** Accepts the next piece of a report; resolves when more may come. */
export type Write = (text: string) => Promise<void>;
