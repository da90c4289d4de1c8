import type { NewOperation, OperationPatch, StateChange } from "../../domain/state/change.ts";
import { weightsColumn } from "../weights-column.ts";
import type { Connection } from "./files/database.ts";
import { operationIds } from "./operation-ids.ts";

/** Writes operations of the provisioning log, within a commit. */
export function operationsWriter(
  db: Connection,
): (operations: NonNullable<StateChange["operations"]>) => void {
  const ids = operationIds(db);
  const insert = db.prepare<OperationColumns & { readonly id: number }>(
    `INSERT INTO operation (id, cycle_id, object_id, user_name, lattice_id, action, reason, evidence, weights, adopts,
       manager_object_id, drift, doubtful, former_owner, wave, status, at, attempt)
     VALUES (:id, :cycleId, :objectId, :userName, :latticeId, :action, :reason, :evidence, :weights, :adopts,
       :refersTo, :drift, :doubtful, :formerOwner, :wave, :status, :at, :attempt)`,
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
        insert.run({ id: first + index, ...columns(one) });
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

interface OperationColumns {
  readonly cycleId: number;
  readonly objectId: string;
  readonly userName: string;
  readonly latticeId: string | null;
  readonly action: string;
  readonly reason: string;
  readonly evidence: string | null;
  readonly weights: string | null;
  readonly adopts: number;
  readonly refersTo: string | null;
  readonly drift: string | null;
  readonly doubtful: string | null;
  readonly formerOwner: string | null;
  readonly wave: number;
  readonly status: string;
  readonly at: number;
  readonly attempt: number;
}

function columns({ operation, weights, ...rest }: NewOperation): OperationColumns {
  return {
    ...rest,
    objectId: operation.objectId,
    userName: operation.userName,
    latticeId: operation.latticeId,
    action: operation.action,
    reason: operation.reason,
    evidence: operation.evidence === null ? null : JSON.stringify(operation.evidence),
    weights: weightsColumn(weights),
    adopts: operation.adopts ? 1 : 0,
    drift: operation.drift ?? null,
    doubtful: operation.doubtful ?? null,
    formerOwner: operation.formerOwner ?? null,
  };
}
