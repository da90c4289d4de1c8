import type { Json, JsonObject } from "../../domain/json.ts";
import type { Presence, SourceUser } from "../../domain/source.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { AccountRow } from "../../domain/state/change.ts";

// Rows as PostgreSQL returns them, with JSON parsed. Only this program writes them, so their shapes are trusted.

export interface SourceRow {
  readonly object_id: string;
  readonly attributes: JsonObject;
  readonly manager_id: string | null;
  readonly presence: Presence;
  readonly unshown: readonly string[] | null;
}

export interface TargetRow {
  readonly lattice_id: string;
  readonly object_id: string | null;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly active: boolean;
  readonly active_known: boolean;
  readonly attributes: JsonObject;
  readonly acknowledged: LinkedTarget["acknowledged"] | null;
  readonly drifted: JsonObject | null;
  readonly read_in: number;
  readonly read_again: readonly string[] | null;
  readonly missing_since: number | null;
}

export function sourceUser(row: SourceRow): SourceUser {
  return {
    objectId: row.object_id,
    attributes: row.attributes,
    managerId: row.manager_id,
    presence: row.presence,
    ...(row.unshown === null ? {} : { unshown: row.unshown }),
  };
}

export function linkedTarget(
  row: Omit<TargetRow, "object_id" | "read_in" | "read_again" | "missing_since">,
): LinkedTarget {
  return {
    latticeId: row.lattice_id,
    userName: row.user_name,
    externalId: row.external_id,
    active: row.active_known ? row.active : null,
    values: row.attributes,
    acknowledged: row.acknowledged ?? {},
    drifted: row.drifted ?? {},
  };
}

export function matchedTarget(row: TargetRow): MatchedTarget {
  return { ...linkedTarget(row), linkedTo: row.object_id };
}

export function accountRow(row: TargetRow): AccountRow {
  return {
    ...linkedTarget(row),
    objectId: row.object_id,
    readIn: row.read_in,
    readAgain: row.read_again,
    missingSince: row.missing_since,
  };
}

/** A value as text, for a column by which people are found or shown; `null` for no value, lists and objects. */
export function textOf(value: Json | undefined): string | null {
  return value === undefined || value === null || typeof value === "object" ? null : String(value);
}
