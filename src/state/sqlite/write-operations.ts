import type { NewOperation, OperationPatch, StateChange } from "../../domain/state/change.ts";
import { weightsColumn } from "../weights-column.ts";
import type { Connection } from "./files/database.ts";
import { operationIds } from "./operation-ids.ts";

/** Writes operations of the provisioning log, within a commit. */
export function operationsWriter(
  db: Connection,
): (operations: NonNullable<StateChange["operations"]>) => void {
  const ids = operationIds(db);
  // Values by position: by name, an operation of a plan takes 2.4 µs more of 14.5.
  const insert = db.prepare<OperationColumns>(
    `INSERT INTO operation (id, cycle_id, object_id, user_name, lattice_id, action, reason, evidence, weights, adopts,
       manager_object_id, drift, doubtful, former_owner, wave, status, at, attempt)
     VALUES (${Array<string>(18).fill("?").join(", ")})`,
  );
  const insertChanges = db.prepare<[number, string]>(
    "INSERT INTO operation_changes (id, changes) VALUES (?, ?)",
  );
  const setStatus = db.prepare<[string, number]>("UPDATE operation SET status = ? WHERE id = ?");
  const setWave = db.prepare<[number, number]>("UPDATE operation SET wave = ? WHERE id = ?");
  const setLeft = db.prepare<{
    id: number;
    weights: string | null;
    reason: string | null;
    refers: number;
  }>(
    `UPDATE operation SET weights = :weights, reason = coalesce(:reason, reason),
       manager_object_id = iif(:refers, manager_object_id, NULL) WHERE id = :id`,
  );
  const setChanges = db.prepare<[string, number]>("UPDATE operation_changes SET changes = ? WHERE id = ?");
  const setHeldSince = db.prepare<[number, number]>("UPDATE operation SET held_since = ? WHERE id = ?");
  const remove = db.prepare<[string]>("DELETE FROM operation WHERE id IN (SELECT value FROM json_each(?))");
  const apply = ({ id, status, wave, left, heldSince }: OperationPatch): void => {
    if (status !== undefined) setStatus.run(status, id);
    if (wave !== undefined) setWave.run(wave, id);
    if (left !== undefined) {
      setLeft.run({
        id,
        weights: weightsColumn(left.weights),
        reason: left.reason ?? null,
        refers: left.refers ? 1 : 0,
      });
      setChanges.run(JSON.stringify(left.changes), id);
    }
    if (heldSince !== undefined) setHeldSince.run(heldSince, id);
  };
  return (operations) => {
    if (operations.add !== undefined && operations.add.length > 0) {
      const first = ids.next();
      for (const [index, one] of operations.add.entries()) {
        insert.run(...columns(first + index, one));
        insertChanges.run(first + index, JSON.stringify(one.operation.changes));
      }
    }
    for (const one of operations.patch ?? []) apply(one);
    if (operations.remove !== undefined) {
      ids.beforeRemoved(operations.remove);
      remove.run(JSON.stringify(operations.remove));
    }
  };
}

/** In the order of the statement. */
type OperationColumns = (string | number | null)[];

function columns(id: number, { operation, ...one }: NewOperation): OperationColumns {
  return [
    id,
    one.cycleId,
    operation.objectId,
    operation.userName,
    operation.latticeId,
    operation.action,
    operation.reason,
    operation.evidence === null ? null : JSON.stringify(operation.evidence),
    weightsColumn(one.weights),
    operation.adopts ? 1 : 0,
    one.refersTo,
    operation.drift ?? null,
    operation.doubtful ?? null,
    operation.formerOwner ?? null,
    one.wave,
    one.status,
    one.at,
    one.attempt,
  ];
}
