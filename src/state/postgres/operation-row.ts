import type { LoggedOperation, OperationStatus } from "../../domain/operation.ts";
import type { Action, Change, Drift, Evidence } from "../../domain/plan.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import type { Weight } from "../../domain/weight.ts";

/** An operation as a row of the log. */
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
  return { ...loggedOperation(row), weights: row.weights === null ? [] : weightsOf(row.weights) };
}

/** What the column of weights says. */
export function weightsOf(column: string): readonly Weight[] {
  return JSON.parse(column) as Weight[];
}

/** As it is kept: nothing for an operation that weighs nothing, so that most rows are in no index of weights. */
export function weightsColumn(weights: readonly Weight[]): string | null {
  return weights.length === 0 ? null : JSON.stringify(weights);
}
