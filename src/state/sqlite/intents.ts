import { jsonEquals } from "../../domain/json.ts";
import type { Action, Change, Evidence } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/store.ts";
import { type TargetUser, valueAt } from "../../domain/target.ts";
import type { Connection } from "./files/database.ts";
import type { ValueKeeper } from "./log-values.ts";
import type { ReadAgainMarker } from "./read-again.ts";
import type { TargetWriter } from "./target-picture.ts";

/** Writes that were begun and never confirmed. */
export function intentMethods(
  db: Connection,
  writer: TargetWriter,
  values: ValueKeeper,
  markReadAgain: ReadAgainMarker,
): Pick<StateStore, "openIntents" | "settleIntent"> {
  const open = db.prepare<
    [],
    {
      object_id: string;
      operation_id: number;
      action: Action;
      user_name: string;
      lattice_id: string | null;
      changes: string | null;
      evidence: string | null;
    }
  >(
    `SELECT intent.*, operation.changes, operation.evidence FROM intent LEFT JOIN operation ON operation.id = intent.operation_id
     ORDER BY intent.object_id`,
  );
  const clear = db.prepare<[string], { operation_id: number }>(
    "DELETE FROM intent WHERE object_id = ? RETURNING operation_id",
  );
  const close = db.prepare<{ id: number; status: string; now: number }>(
    "UPDATE operation SET status = :status, finished_at = :now, at = :now WHERE id = :id AND status = 'sending'",
  );
  // What was recorded as failed, because no answer came, and was carried out all the same: the guard counts it.
  const confirm = db.prepare<{ id: number; now: number }>(
    `UPDATE operation SET status = 'done', finished_at = :now, at = :now
     WHERE id = :id AND status IN ('failed', 'cancelled')`,
  );
  const mark = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE object_id = ?");
  const recount = db.prepare<[number]>(
    "UPDATE cycle SET outcomes = NULL WHERE id = (SELECT cycle_id FROM operation WHERE id = ?)",
  );
  const sentIn = sentWrites(db);

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
      })),
    settleIntent: async (objectId, target, operationStatus, now, carriedOut, readAgain = []) => {
      db.transaction(() => {
        const cleared = clear.get(objectId);
        if (cleared === undefined) return;
        const { cycleId, paths, changes } = sentIn(cleared.operation_id);
        // A batch is noted before its first request: what was not carried out must not count as done.
        const untouched = target !== null && isUntouched(target, changes);
        close.run({ id: cleared.operation_id, status: untouched ? "cancelled" : operationStatus, now });
        recount.run(cleared.operation_id);
        mark.run(objectId);
        markReadAgain(readAgain);
        if (target !== null) {
          if (carriedOut) confirm.run({ id: cleared.operation_id, now });
          writer.link({ ...target, acknowledged: {} }, objectId, cycleId, () => paths);
        }
        values.replace(cleared.operation_id);
      })();
    },
  };
}

/** Which cycle an operation belongs to, and the paths that it writes. */
export function sentWrites(
  db: Connection,
): (operationId: number) => { cycleId: number; paths: ReadonlySet<string>; changes: readonly Change[] } {
  const read = db.prepare<[number], { cycle_id: number; changes: string }>(
    "SELECT cycle_id, changes FROM operation WHERE id = ?",
  );
  return (operationId) => {
    const row = read.get(operationId);
    const changes = row === undefined ? [] : (JSON.parse(row.changes) as Change[]);
    return {
      cycleId: row?.cycle_id ?? 0,
      paths: new Set(changes.map(({ attribute }) => attribute)),
      changes,
    };
  };
}

/** Whether an account holds what it held before all of these changes. */
function isUntouched(target: TargetUser, changes: readonly Change[]): boolean {
  return (
    changes.length > 0 &&
    changes.every(({ attribute, before, reference }) =>
      jsonEquals(valueAt(target, attribute), reference === undefined ? before : reference.beforeId),
    )
  );
}
