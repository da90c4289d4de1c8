import type { Actor } from "../../domain/actor.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { EvidenceKind } from "../../domain/plan.ts";
import type { Presence, SourceUser } from "../../domain/source.ts";
import type { LinkedTarget, LostLink } from "../../domain/state/account.ts";
import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { RejectedChange } from "../../domain/state/decided-change.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";

// Rows as SQLite returns them. Only this program writes them, so their shapes are not checked.

export interface SourceRow {
  readonly object_id: string;
  readonly attributes: string;
  readonly manager_id: string | null;
  readonly presence: Presence;
  readonly unshown: string | null;
}

export interface TargetRow {
  readonly lattice_id: string;
  readonly object_id: string | null;
  readonly user_name: string;
  readonly user_name_key: string;
  readonly external_id: string | null;
  readonly active: number;
  readonly active_known: number;
  readonly attributes: string;
  readonly acknowledged: string;
  readonly drifted: string;
  readonly read_in: number;
  /** JSON: see the migration; `null` for an account that need not be read again. */
  readonly read_again: string | null;
  readonly missing_since: number | null;
}

export interface LostLinkRow {
  readonly lattice_id: string;
  readonly object_id: string;
  readonly external_id: string | null;
  readonly user_name: string;
  readonly missing_since: number;
  readonly dissolved_at: number;
  readonly reason: string;
}

export interface RetryRow {
  readonly object_id: string;
  readonly attempts: number;
  readonly first_failed_at: number;
  readonly last_failed_at: number;
  readonly next_try_at: number;
  readonly code: string;
  readonly message: string;
  /** JSON. */
  readonly paths: string | null;
}

export function sourceUser(row: SourceRow): SourceUser {
  return {
    objectId: row.object_id,
    attributes: JSON.parse(row.attributes) as JsonObject,
    managerId: row.manager_id,
    presence: row.presence,
    ...(row.unshown === null ? {} : { unshown: JSON.parse(row.unshown) as string[] }),
  };
}

export function linkedTarget(
  row: Omit<TargetRow, "object_id" | "user_name_key" | "read_in" | "read_again" | "missing_since">,
): LinkedTarget {
  return {
    latticeId: row.lattice_id,
    userName: row.user_name,
    externalId: row.external_id,
    active: row.active_known === 1 ? row.active === 1 : null,
    values: JSON.parse(row.attributes) as JsonObject,
    acknowledged: JSON.parse(row.acknowledged) as LinkedTarget["acknowledged"],
    drifted: JSON.parse(row.drifted) as JsonObject,
  };
}

/** An account with the person that it is linked to. */
export function matchedTarget(row: TargetRow): MatchedTarget {
  return { ...linkedTarget(row), linkedTo: row.object_id };
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

export interface RejectedRow {
  readonly object_id: string;
  readonly attribute: string;
  readonly fingerprint: string;
  readonly evidence: EvidenceKind | null;
  readonly plan_id: string;
  readonly rejected_at: number;
  readonly actor: string | null;
  readonly decision_reason: string | null;
}

/** The columns of a `RejectedRow`, and the tables they come from. */
export const rejectedColumns = "rejected_change.*, decision.actor, decision.reason AS decision_reason";
export const rejectedTables = "rejected_change LEFT JOIN decision ON decision.id = decision_id";

export function rejectedChange(row: RejectedRow): RejectedChange {
  return {
    objectId: row.object_id,
    attribute: row.attribute,
    fingerprint: row.fingerprint,
    evidence: row.evidence,
    planId: row.plan_id,
    rejectedAt: row.rejected_at,
    // Only this program writes this JSON, so it is not checked.
    ...(row.actor === null
      ? {}
      : { decision: { by: JSON.parse(row.actor) as Actor, reason: row.decision_reason } }),
  };
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
    ...(row.paths === null ? {} : { paths: JSON.parse(row.paths) as string[] }),
  };
}
