import type { NewOperation, OperationPatch, StateChange } from "../../domain/state/change.ts";
import { weightsColumn } from "../weights-column.ts";
import { asJson, type Session } from "./connection/database.ts";

// Ids follow one another in the order of the rows.
const add = `WITH newest AS (UPDATE job SET last_operation = last_operation + $3 WHERE id = $1 RETURNING last_operation - $3 AS id)
  INSERT INTO operation (job, id, cycle_id, object_id, user_name, lattice_id, action, reason, evidence, changes, weights,
    adopts, manager_object_id, drift, doubtful, former_owner, wave, status, at, attempt)
  SELECT $1, newest.id + r.number, r.cycle_id, r.object_id, r.user_name, r.lattice_id, r.action, r.reason, r.evidence,
    r.changes, r.weights, r.adopts, r.manager_object_id, r.drift, r.doubtful, r.former_owner, r.wave, r.status, r.at, r.attempt
  FROM newest, json_to_recordset($2::json) AS r (number bigint, cycle_id bigint, object_id text, user_name text,
    lattice_id text, action text, reason text, evidence json, changes json, weights text, adopts boolean,
    manager_object_id text, drift text, doubtful text, former_owner text, wave int, status text, at bigint, attempt int)`;
const patch = `UPDATE operation o SET status = coalesce(r.status, o.status), wave = coalesce(r.wave, o.wave),
    held_since = coalesce(r.held_since, o.held_since), reason = coalesce(r.reason, o.reason),
    changes = coalesce(r.changes, o.changes),
    weights = CASE WHEN r.changes IS NULL THEN o.weights ELSE r.weights END,
    manager_object_id = CASE WHEN r.refers THEN o.manager_object_id END
  FROM json_to_recordset($2::json) AS r (id bigint, status text, wave int, held_since bigint, reason text, changes json,
    weights text, refers boolean)
  WHERE o.job = $1 AND o.id = r.id`;
const remove = "DELETE FROM operation WHERE job = $1 AND id = ANY($2)";

/** Writes operations of the provisioning log, within a commit. */
export async function writeOperations(
  session: Session,
  operations: NonNullable<StateChange["operations"]>,
): Promise<void> {
  const { add: added = [], patch: patched = [], remove: removed = [] } = operations;
  if (added.length > 0) {
    await session.run(
      add,
      asJson(added.map((one, index) => ({ ...columns(one), number: index + 1 }))),
      added.length,
    );
  }
  if (patched.length > 0) await session.run(patch, asJson(inOne(patched).map(patchColumns)));
  if (removed.length > 0) await session.run(remove, removed);
}

/** Merges the patches of each operation. Of two values for the same field, the later one counts. */
function inOne(patches: readonly OperationPatch[]): readonly OperationPatch[] {
  const byId = new Map<number, OperationPatch>();
  for (const one of patches) byId.set(one.id, { ...byId.get(one.id), ...one });
  return [...byId.values()];
}

function patchColumns({ id, status, wave, left, heldSince }: OperationPatch): object {
  return {
    id,
    status,
    wave,
    held_since: heldSince,
    reason: left?.reason,
    changes: left?.changes,
    weights: left === undefined ? null : weightsColumn(left.weights),
    refers: left?.refers ?? true,
  };
}

function columns({ operation, weights, ...rest }: NewOperation): object {
  return {
    cycle_id: rest.cycleId,
    object_id: operation.objectId,
    user_name: operation.userName,
    lattice_id: operation.latticeId,
    action: operation.action,
    reason: operation.reason,
    evidence: operation.evidence,
    changes: operation.changes,
    weights: weightsColumn(weights),
    adopts: operation.adopts,
    manager_object_id: rest.refersTo,
    drift: operation.drift,
    doubtful: operation.doubtful,
    former_owner: operation.formerOwner,
    wave: rest.wave,
    status: rest.status,
    at: rest.at,
    attempt: rest.attempt,
  };
}
