import type { OperationStatus } from "../../domain/operation.ts";
import type { Action, Change, Evidence } from "../../domain/plan.ts";
import type { Unfinished } from "../../domain/state/plan-log.ts";
import type { Connection } from "./files/database.ts";
import { type RetryRow, retryRecord } from "./rows.ts";
import { given } from "./tuning.ts";

interface IntentRow {
  readonly object_id: string;
  readonly operation_id: number;
  readonly action: Action;
  readonly user_name: string;
  readonly lattice_id: string | null;
  readonly changes: string | null;
  readonly evidence: string | null;
  readonly cycle_id: number | null;
  readonly status: OperationStatus | null;
}

/** Writes in doubt, what a plan holds of people, and who is on the retry schedule. */
export function unfinishedMethods(db: Connection): Unfinished {
  const open = db.prepare<[], IntentRow>(
    `SELECT intent.*, operation_changes.changes, operation.evidence, operation.cycle_id, operation.status
     FROM intent LEFT JOIN operation ON operation.id = intent.operation_id
       LEFT JOIN operation_changes ON operation_changes.id = intent.operation_id ORDER BY intent.object_id`,
  );
  const held = db
    .prepare<[string, number], string>(
      `SELECT object_id FROM operation WHERE object_id IN (SELECT value FROM json_each(?))
         AND cycle_id = ${given("?")} AND status = 'held'`,
    )
    .pluck();
  const among = db.prepare<[string], RetryRow>(
    "SELECT * FROM retry WHERE object_id IN (SELECT value FROM json_each(?))",
  );
  const failedAfter = db.prepare<[number, string, number], RetryRow>(
    `SELECT * FROM retry WHERE last_failed_at > ? AND object_id > ? ORDER BY object_id LIMIT ${given("?")}`,
  );
  const retries = db.prepare<[number], RetryRow & { user_name: string | null }>(
    `SELECT retry.*, json_extract(attributes, '$.userPrincipalName') AS user_name
     FROM retry JOIN source_user USING (object_id) ORDER BY next_try_at, object_id LIMIT ${given("?")}`,
  );
  const retry = db.prepare<[string], RetryRow>("SELECT * FROM retry WHERE object_id = ?");
  return {
    openIntents: async () =>
      open.all().map((row) => ({
        objectId: row.object_id,
        operationId: row.operation_id,
        action: row.action,
        userName: row.user_name,
        latticeId: row.lattice_id,
        changes: row.changes === null ? [] : (JSON.parse(row.changes) as Change[]),
        evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as Evidence),
        // The entry may have been removed from the log since.
        cycleId: row.cycle_id ?? 0,
        status: row.status ?? "cancelled",
      })),
    heldAmong: async (cycleId, objectIds) => new Set(held.all(JSON.stringify(objectIds), cycleId)),
    retryOf: async (objectId) => {
      const row = retry.get(objectId);
      return row === undefined ? null : retryRecord(row);
    },
    retriesAmong: async (objectIds) =>
      new Map(among.all(JSON.stringify(objectIds)).map((row) => [row.object_id, retryRecord(row)])),
    failedAfter: async (time, after, limit) => failedAfter.all(time, after, limit).map(retryRecord),
    retries: async (limit) =>
      retries.all(limit).map((row) => ({ ...retryRecord(row), userName: row.user_name })),
  };
}
