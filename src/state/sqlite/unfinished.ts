import type { OperationStatus } from "../../domain/operation.ts";
import type { Action, Change, Evidence } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";

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

/** Writes that were begun and never confirmed, and people of whom a plan holds an operation. */
export function intentMethods(db: Connection): Pick<StateStore, "openIntents" | "heldAmong"> {
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
  };
}
