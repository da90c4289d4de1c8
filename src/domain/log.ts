import type { PersonDecision } from "./decision.ts";
import type { LoggedOperation, OperationStatus } from "./operation.ts";
import type { Action, CycleKind } from "./plan.ts";

/** An operation as shown to an operator: with its plan and its outcome. Redacted values are hidden. */
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
  /** The target's id of the request, if it sent one. */
  readonly requestId: string | null;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The person who released it, or rejected it while it was held; absent if there is none, or the person is unknown. */
  readonly decision?: PersonDecision;
}

/** A search of the provisioning log: an entry must match every given field. */
export interface LogQuery {
  /** Object id, or user name in any case: every entry of the people who have or had that name in the log. */
  readonly person?: string;
  readonly actions?: readonly Action[];
  readonly outcomes?: readonly OperationStatus[];
  /** Earliest and latest `at`, milliseconds since the epoch, both included. */
  readonly since?: number;
  readonly until?: number;
  readonly cycleId?: number;
  /** Part of a name: every entry of the people who have it in a name, or had it in the log. */
  readonly text?: string;
  /** Graph properties and target paths that a mapping redacts: `text` is not searched for in them. */
  readonly concealed?: readonly string[];
  /** Id of an operation; only earlier ones match. For paging. */
  readonly before?: number;
  readonly limit: number;
}

/** The number of operations of a day with the same outcome. */
export interface DailyCount {
  /** Day in UTC: `2026-01-31`. */
  readonly day: string;
  readonly action: Action;
  readonly outcome: OperationStatus;
  readonly count: number;
}

/** The number of operations of a cycle that concern people of one department. */
export interface DepartmentCount {
  /** `null`: people without a department. */
  readonly department: string | null;
  readonly action: Action;
  readonly count: number;
}
