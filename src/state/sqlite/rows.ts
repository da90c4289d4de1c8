import type { Actor } from "../../domain/actor.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { Presence, SourceUser } from "../../domain/source.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { RejectedChange } from "../../domain/state/decided-change.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import {
  type RejectedRow as ParsedRejection,
  type RetryRow as ParsedRetry,
  rejectedChange as rejectedParsed,
  retryRecord as retryParsed,
} from "../records.ts";

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

export type RetryRow = Omit<ParsedRetry, "paths"> & {
  /** JSON. */
  readonly paths: string | null;
};

export type RejectedRow = Omit<ParsedRejection, "actor"> & {
  /** JSON. */
  readonly actor: string | null;
};

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

/** The columns of a `RejectedRow`, and the tables they come from. */
export const rejectedColumns = "rejected_change.*, decision.actor, decision.reason AS decision_reason";
export const rejectedTables = "rejected_change LEFT JOIN decision ON decision.id = decision_id";

export function rejectedChange(row: RejectedRow): RejectedChange {
  return rejectedParsed({ ...row, actor: row.actor === null ? null : (JSON.parse(row.actor) as Actor) });
}

export function retryRecord(row: RetryRow): RetryRecord {
  return retryParsed({ ...row, paths: row.paths === null ? null : (JSON.parse(row.paths) as string[]) });
}
