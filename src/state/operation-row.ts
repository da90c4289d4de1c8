import type { PersonDecision } from "../domain/decision.ts";
import type { LogEntry } from "../domain/log.ts";
import type { LoggedOperation, OperationStatus } from "../domain/operation.ts";
import type { Action, Change, CycleKind, Drift, Evidence } from "../domain/plan.ts";
import { withoutRedacted } from "../domain/redacted.ts";
import type { WeighedOperation } from "../domain/state/plan-log.ts";
import { parsedWeights } from "./weights-column.ts";

/** An operation as a row of the log of any store, JSON taken apart. */
export interface OperationRow {
  readonly id: number;
  readonly cycle_id: number;
  readonly object_id: string;
  readonly user_name: string;
  readonly lattice_id: string | null;
  readonly action: Action;
  readonly reason: string;
  readonly evidence: Evidence | null;
  readonly changes: readonly Change[];
  /** JSON. */
  readonly weights: string | null;
  readonly adopts: boolean;
  readonly drift: Drift | null;
  readonly doubtful: string | null;
  readonly former_owner: string | null;
  readonly wave: number;
  readonly attempt: number;
  readonly status: OperationStatus;
  readonly error: string | null;
}

/** The operation that a row of the log holds. */
export function loggedOperation(row: OperationRow): LoggedOperation {
  return {
    id: row.id,
    cycleId: row.cycle_id,
    objectId: row.object_id,
    userName: row.user_name,
    latticeId: row.lattice_id,
    action: row.action,
    reason: row.reason,
    evidence: row.evidence,
    changes: row.changes,
    adopts: row.adopts,
    ...(row.drift === null ? {} : { drift: row.drift }),
    ...(row.doubtful === null ? {} : { doubtful: row.doubtful }),
    ...(row.former_owner === null ? {} : { formerOwner: row.former_owner }),
    wave: row.wave,
    ...(row.attempt > 1 ? { attempt: row.attempt } : {}),
    status: row.status,
    error: row.error,
  };
}

/** The operation with what the guard counts of it. */
export function weighedOperation(row: OperationRow): WeighedOperation {
  return { ...loggedOperation(row), weights: parsedWeights(row.weights) };
}

/** An entry of the log: the row of an operation, and that of its cycle. */
export interface EntryRow extends OperationRow {
  readonly plan_id: string;
  readonly kind: CycleKind;
  readonly at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly http_status: number | null;
  readonly request_id: string | null;
}

/** The entry of the log that a row holds. @param decision the newest decision about it */
export function logEntry(row: EntryRow, decision: PersonDecision | null): LogEntry {
  const { started_at: startedAt, finished_at: finishedAt } = row;
  return {
    ...withoutRedacted(loggedOperation(row)),
    planId: row.plan_id,
    cycle: row.kind,
    at: row.at,
    startedAt,
    finishedAt,
    durationMs: startedAt === null || finishedAt === null ? null : finishedAt - startedAt,
    httpStatus: row.http_status,
    requestId: row.request_id,
    attempt: row.attempt,
    ...(decision === null ? {} : { decision }),
  };
}
