import type { PersonDecision } from "./decision.ts";
import type { Action, CycleKind } from "./plan.ts";
import type { LoggedOperation, OperationStatus } from "./store.ts";

/** An operation as an operator asks for it: with its plan, and what came of it. Redacted values are hidden. */
export interface LogEntry extends LoggedOperation {
  readonly planId: string;
  readonly cycle: CycleKind;
  /** Milliseconds since the epoch: when it ended, else when it began, else when its cycle began. */
  readonly at: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** From the start of the first request to the end of the last. */
  readonly durationMs: number | null;
  readonly httpStatus: number | null;
  /** The target's id of the request, where it gave one. */
  readonly requestId: string | null;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Who let it go, or rejected it while it was held; absent where nobody did, or it is not known. */
  readonly decision?: PersonDecision;
}

/** What to find in the provisioning log: entries that meet everything that is given. */
export interface LogQuery {
  /** Object id, or user name in any case: everything of whoever has or had that name in the log. */
  readonly person?: string;
  readonly actions?: readonly Action[];
  readonly outcomes?: readonly OperationStatus[];
  /** Earliest and latest `at`, milliseconds since the epoch, both included. */
  readonly since?: number;
  readonly until?: number;
  readonly cycleId?: number;
  /** Part of a name, as people are searched: everything of those who have it in a name, or had it in the log. */
  readonly text?: string;
  /** Graph properties and target paths that a mapping redacts: `text` is not looked for in them. */
  readonly concealed?: readonly string[];
  /** Id of an operation: only those before it, for paging. */
  readonly before?: number;
  readonly limit: number;
}

/** How many operations of a day came to the same. */
export interface DailyCount {
  /** Day in UTC: `2026-01-31`. */
  readonly day: string;
  readonly action: Action;
  readonly outcome: OperationStatus;
  readonly count: number;
}

/** How many operations of a cycle are of people of one department. */
export interface DepartmentCount {
  /** `null`: of none. */
  readonly department: string | null;
  readonly action: Action;
  readonly count: number;
}
