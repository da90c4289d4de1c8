import type { Actor } from "../domain/actor.ts";
import type { CycleKind, EvidenceKind, GuardVerdict, PlanSummary } from "../domain/plan.ts";
import type { LostLink } from "../domain/state/account.ts";
import type { CycleOutcome, CycleRecord, OutcomeCount } from "../domain/state/cycles.ts";
import type { RejectedChange } from "../domain/state/decided-change.ts";
import type { LeaseHolder } from "../domain/state/lease.ts";
import type { RetryRecord } from "../domain/state/retry.ts";

// Rows of any store, JSON taken apart, as the engine knows them.

/** As many accounts as a person matches by one key: more than one is ambiguous, however many there are. */
export const mostMatches = 3;

export interface LostLinkRow {
  readonly lattice_id: string;
  readonly object_id: string;
  readonly external_id: string | null;
  readonly user_name: string;
  readonly missing_since: number;
  readonly dissolved_at: number;
  readonly reason: string;
}

export function lostLink(row: LostLinkRow): LostLink {
  return {
    latticeId: row.lattice_id,
    objectId: row.object_id,
    externalId: row.external_id,
    userName: row.user_name,
    missingSince: row.missing_since,
    dissolvedAt: row.dissolved_at,
    reason: row.reason,
  };
}

export interface RetryRow {
  readonly object_id: string;
  readonly attempts: number;
  readonly first_failed_at: number;
  readonly last_failed_at: number;
  readonly next_try_at: number;
  readonly code: string;
  readonly message: string;
  readonly paths: readonly string[] | null;
}

export function retryRecord(row: RetryRow): RetryRecord {
  return {
    objectId: row.object_id,
    attempts: row.attempts,
    firstFailedAt: row.first_failed_at,
    lastFailedAt: row.last_failed_at,
    nextTryAt: row.next_try_at,
    code: row.code,
    message: row.message,
    ...(row.paths === null ? {} : { paths: row.paths }),
  };
}

/** A rejection, and the decision that it is of. */
export interface RejectedRow {
  readonly object_id: string;
  readonly attribute: string;
  readonly fingerprint: string;
  readonly evidence: EvidenceKind | null;
  readonly plan_id: string;
  readonly rejected_at: number;
  readonly actor: Actor | null;
  readonly decision_reason: string | null;
}

export function rejectedChange(row: RejectedRow): RejectedChange {
  return {
    objectId: row.object_id,
    attribute: row.attribute,
    fingerprint: row.fingerprint,
    evidence: row.evidence,
    planId: row.plan_id,
    rejectedAt: row.rejected_at,
    ...(row.actor === null ? {} : { decision: { by: row.actor, reason: row.decision_reason } }),
  };
}

export interface LeaseRow {
  readonly owner: string;
  readonly acquired_at: number;
  readonly expires_at: number;
}

export function leaseHolder(row: LeaseRow): LeaseHolder {
  return { owner: row.owner, acquiredAt: row.acquired_at, expiresAt: row.expires_at };
}

export interface CycleRow {
  readonly id: number;
  readonly plan_id: string;
  readonly kind: CycleKind;
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly outcome: CycleOutcome | null;
  readonly error: string | null;
  readonly summary: PlanSummary | null;
  readonly guard: GuardVerdict | null;
  readonly notes: readonly string[] | null;
  readonly outcomes: readonly OutcomeCount[];
}

export function cycleRecord(row: CycleRow): CycleRecord {
  const { outcomes } = row;
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
    summary: row.summary,
    guard: row.guard,
    notes: row.notes ?? [],
    done: countOf("done"),
    failed: countOf("failed"),
    outcomes,
  };
}
