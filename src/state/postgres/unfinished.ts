import type { OperationStatus } from "../../domain/operation.ts";
import type { Action, Change, Evidence } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { type RetryRow, retryRecord } from "../records.ts";
import type { Database } from "./connection/database.ts";

type UnfinishedMethods = Pick<
  StateStore,
  "openIntents" | "heldAmong" | "retryOf" | "retriesAmong" | "failedAfter" | "retries"
>;

interface IntentRow {
  readonly object_id: string;
  readonly operation_id: number;
  readonly action: Action;
  readonly user_name: string;
  readonly lattice_id: string | null;
  readonly changes: readonly Change[] | null;
  readonly evidence: Evidence | null;
  readonly cycle_id: number | null;
  readonly status: OperationStatus | null;
}

const intents = `SELECT i.*, o.changes, o.evidence, o.cycle_id, o.status
  FROM intent i LEFT JOIN operation o ON o.job = i.job AND o.id = i.operation_id WHERE i.job = $1 ORDER BY i.object_id`;
const held = `SELECT object_id FROM operation WHERE job = $1 AND cycle_id = $2 AND status = 'held' AND object_id = ANY($3)`;
const among = "SELECT * FROM retry WHERE job = $1 AND object_id = ANY($2)";
const failedAfter = `SELECT * FROM retry WHERE job = $1 AND last_failed_at > $2 AND object_id > $3
  ORDER BY object_id LIMIT $4`;
const retries = `SELECT r.*, s.user_principal_name AS user_name
  FROM retry r JOIN source_user s ON s.job = r.job AND s.object_id = r.object_id
  WHERE r.job = $1 ORDER BY r.next_try_at, r.object_id LIMIT $2`;

/** Writes that were begun and never confirmed, people of whom a plan holds an operation, and the retry schedule. */
export function unfinishedMethods(db: Database): UnfinishedMethods {
  const retriesAmong: StateStore["retriesAmong"] = async (objectIds) =>
    new Map((await db.all<RetryRow>(among, objectIds)).map((row) => [row.object_id, retryRecord(row)]));
  return {
    openIntents: async () =>
      (await db.all<IntentRow>(intents)).map((row) => ({
        objectId: row.object_id,
        operationId: row.operation_id,
        action: row.action,
        userName: row.user_name,
        latticeId: row.lattice_id,
        changes: row.changes ?? [],
        evidence: row.evidence,
        // The log may have been shortened since.
        cycleId: row.cycle_id ?? 0,
        status: row.status ?? "cancelled",
      })),
    heldAmong: async (cycleId, objectIds) =>
      new Set((await db.all<{ object_id: string }>(held, cycleId, objectIds)).map((row) => row.object_id)),
    retryOf: async (objectId) => (await retriesAmong([objectId])).get(objectId) ?? null,
    retriesAmong,
    failedAfter: async (time, after, limit) =>
      (await db.all<RetryRow>(failedAfter, time, after, limit)).map(retryRecord),
    retries: async (limit) =>
      (await db.all<RetryRow & { readonly user_name: string | null }>(retries, limit)).map((row) => ({
        ...retryRecord(row),
        userName: row.user_name,
      })),
  };
}
