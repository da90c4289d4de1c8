import { jsonEquals } from "../domain/json.ts";
import type { Action, Change, Drift, Evidence } from "../domain/plan.ts";
import type { LoggedOperation, OperationOutcome, OperationStatus, StateStore } from "../domain/store.ts";
import { type TargetUser, valueAt } from "../domain/target.ts";
import { cycleRanges, type IdRange } from "./cycle-ranges.ts";
import type { Connection } from "./database.ts";
import { given } from "./given.ts";
import type { ValueKeeper } from "./log-values.ts";
import type { TargetWriter } from "./target-picture.ts";

export interface OperationRow {
  readonly id: number;
  readonly cycle_id: number;
  readonly object_id: string;
  readonly user_name: string;
  readonly lattice_id: string | null;
  readonly action: Action;
  readonly reason: string;
  readonly evidence: string | null;
  readonly changes: string;
  readonly adopts: number;
  readonly drift: Drift | null;
  readonly wave: number;
  readonly status: OperationStatus;
  readonly error: string | null;
}

type LogMethods = Pick<
  StateStore,
  | "unpromisedReferences"
  | "withdrawReference"
  | "referenceDependencies"
  | "setWaves"
  | "countOperations"
  | "operations"
  | "beginOperations"
  | "recordOutcomes"
  | "openIntents"
  | "settleIntent"
>;

/** A plan as rows, sent row by row, each marked with what came of it. */
export function provisioningLogMethods(
  db: Connection,
  writer: TargetWriter,
  values: ValueKeeper,
): LogMethods {
  const count = db.prepare<
    IdRange & { cycleId: number },
    { action: Action; count: number; adoptions: number }
  >(
    `SELECT action, count(*) AS count, sum(adopts) AS adoptions FROM operation
     WHERE id BETWEEN :from AND :to AND cycle_id = ${given(":cycleId")} AND status <> 'reported' GROUP BY action`,
  );
  const rangesOf = cycleRanges(db);
  const page = db.prepare<
    {
      cycleId: number;
      status: string | null;
      action: string | null;
      drift: number;
      afterWave: number;
      afterId: number;
      limit: number;
    },
    OperationRow
  >(
    `SELECT * FROM operation WHERE cycle_id = ${given(":cycleId")} AND (wave, id) > (:afterWave, :afterId)
       AND iif(:drift, drift IS NOT NULL, status <> 'reported') AND (:status IS NULL OR status = :status) AND (:action IS NULL OR action = :action) ORDER BY wave, id LIMIT ${given(":limit")}`,
  );

  return {
    ...orderMethods(db),
    countOperations: async (cycleId) => {
      const byAction = new Map<Action, number>();
      let adoptions = 0;
      for await (const range of rangesOf(cycleId)) {
        for (const row of count.all({ ...range, cycleId })) {
          byAction.set(row.action, (byAction.get(row.action) ?? 0) + row.count);
          adoptions += row.adoptions;
        }
      }
      return { byAction, adoptions };
    },
    operations: async (cycleId, query) =>
      page
        .all({
          cycleId,
          ...query,
          status: query.status ?? null,
          action: query.action ?? null,
          drift: query.drift === true ? 1 : 0,
        })
        .map(loggedOperation),
    ...referenceMethods(db),
    ...intentMethods(db, writer, values),
    ...sendingMethods(db, writer, values),
  };
}

function referenceMethods(db: Connection): Pick<StateStore, "unpromisedReferences" | "withdrawReference"> {
  const unpromised = db.prepare<IdRange & { cycleId: number }, OperationRow>(
    `SELECT o.* FROM operation o
     WHERE o.id BETWEEN :from AND :to AND o.cycle_id = ${given(":cycleId")} AND o.manager_object_id IS NOT NULL AND o.status = 'planned'
       AND NOT EXISTS (SELECT 1 FROM target_user WHERE object_id = o.manager_object_id)
       AND NOT EXISTS (SELECT 1 FROM operation mo WHERE mo.object_id = o.manager_object_id
         AND mo.cycle_id = o.cycle_id AND (mo.action = 'create' OR mo.adopts = 1))
     ORDER BY o.id`,
  );
  const rangesOf = cycleRanges(db);
  const keep = db.prepare<[string, string, number], { object_id: string }>(
    "UPDATE operation SET changes = ?, reason = ?, manager_object_id = NULL WHERE id = ? RETURNING object_id",
  );
  // Making or adopting an account is work of its own, with or without a change beside the reference.
  const drop = db.prepare<[number], { object_id: string }>(
    "DELETE FROM operation WHERE id = ? AND action = 'update' AND adopts = 0 RETURNING object_id",
  );
  const wait = db.prepare<[number, string]>(
    "UPDATE source_user SET reference_pending = 1, pending = ? WHERE object_id = ?",
  );
  return {
    unpromisedReferences: async (cycleId, after) => {
      for await (const range of rangesOf(cycleId, after)) {
        const rows = unpromised.all({ ...range, cycleId });
        if (rows.length > 0) return rows.map(loggedOperation);
      }
      return [];
    },
    withdrawReference: async (operationId, left) => {
      db.transaction(() => {
        const dropped = left.changes.length === 0 ? drop.get(operationId) : undefined;
        const row = dropped ?? keep.get(JSON.stringify(left.changes), left.reason, operationId);
        if (row !== undefined) wait.run(dropped === undefined ? 1 : 0, row.object_id);
      })();
    },
  };
}

/** The order of sending, in numbers alone: a first run has as many operations as the company has people. */
function orderMethods(db: Connection): Pick<StateStore, "referenceDependencies" | "setWaves"> {
  const count = db.prepare<[number], number>("SELECT count(*) FROM operation WHERE cycle_id = ?").pluck();
  const page = db
    .prepare<IdRange & { cycleId: number }, [number, number | null]>(
      `SELECT o.id, mo.id FROM operation o
       LEFT JOIN operation mo ON mo.object_id = o.manager_object_id AND mo.cycle_id = o.cycle_id
         AND (mo.action = 'create' OR mo.adopts = 1)
       WHERE o.id BETWEEN :from AND :to AND o.cycle_id = ${given(":cycleId")}
         AND (o.action = 'create' OR o.adopts = 1 OR o.manager_object_id IS NOT NULL)
       ORDER BY o.id`,
    )
    .raw();
  const setWave = db.prepare<[number, number]>("UPDATE operation SET wave = ? WHERE id = ?");
  const rangesOf = cycleRanges(db);
  return {
    referenceDependencies: async (cycleId) => {
      const most = count.get(cycleId) ?? 0;
      const ids = new Float64Array(most);
      const managers = new Float64Array(most);
      let length = 0;
      for await (const range of rangesOf(cycleId)) {
        for (const [id, managerId] of page.all({ ...range, cycleId })) {
          ids[length] = id;
          managers[length] = managerId ?? 0;
          length += 1;
        }
      }
      const operationIds = ids.subarray(0, length);
      const managerIndexes = Int32Array.from(managers.subarray(0, length), (id) =>
        positionOf(id, operationIds),
      );
      return { operationIds, managerIndexes };
    },
    setWaves: async (operationIds, waves) => {
      for (let from = 0; from < operationIds.length; from += waveSlice) {
        db.transaction(() => {
          for (let index = from; index < Math.min(from + waveSlice, operationIds.length); index += 1) {
            const wave = waves[index] ?? 0;
            if (wave > 0) setWave.run(wave, operationIds[index] ?? 0);
          }
        })();
        await new Promise(setImmediate);
      }
    },
  };
}

const waveSlice = 2_000;

/** Where `id` stands in the ascending list; -1 where it does not. */
function positionOf(id: number, ascending: Float64Array): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ascending[middle] ?? 0;
    if (found === id) return middle;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function intentMethods(
  db: Connection,
  writer: TargetWriter,
  values: ValueKeeper,
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
    }
  >(
    `SELECT intent.*, operation.changes FROM intent LEFT JOIN operation ON operation.id = intent.operation_id
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
      })),
    settleIntent: async (objectId, target, operationStatus, now) => {
      db.transaction(() => {
        const cleared = clear.get(objectId);
        if (cleared === undefined) return;
        const { cycleId, paths, changes } = sentIn(cleared.operation_id);
        // A batch is noted before its first request: what was not carried out must not count as done.
        const untouched = target !== null && isUntouched(target, changes);
        close.run({ id: cleared.operation_id, status: untouched ? "cancelled" : operationStatus, now });
        recount.run(cleared.operation_id);
        mark.run(objectId);
        if (target !== null) {
          if (
            guardedIn(changes).some((change) => jsonEquals(valueAt(target, change.attribute), change.after))
          ) {
            confirm.run({ id: cleared.operation_id, now });
          }
          writer.link({ ...target, acknowledged: {} }, objectId, cycleId, () => paths);
        }
        values.replace(cleared.operation_id);
      })();
    },
  };
}

/** Which cycle an operation belongs to, and the paths that it writes. */
function sentWrites(
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

/** What the guard counts: an account switched off, another userName, a value taken away. */
function guardedIn(changes: readonly Change[]): readonly Change[] {
  return changes.filter(
    ({ attribute, before, after }) =>
      before !== null && (after === null || attribute === "userName" || (attribute === "active" && !after)),
  );
}

function sendingMethods(
  db: Connection,
  writer: TargetWriter,
  values: ValueKeeper,
): Pick<StateStore, "beginOperations" | "recordOutcomes"> {
  const sending = db.prepare<{ id: number; now: number }>(
    "UPDATE operation SET status = 'sending', started_at = :now, at = :now WHERE id = :id",
  );
  const intend = db.prepare<[number, number]>(
    `INSERT INTO intent (object_id, operation_id, action, user_name, lattice_id, started_at)
     SELECT object_id, id, action, user_name, lattice_id, ? FROM operation WHERE id = ?
     ON CONFLICT (object_id) DO UPDATE SET operation_id = excluded.operation_id, action = excluded.action,
       user_name = excluded.user_name, lattice_id = excluded.lattice_id, started_at = excluded.started_at`,
  );
  const finish = db.prepare<
    {
      id: number;
      status: string;
      latticeId: string | null;
      httpStatus: number | null;
      requestId: string | null;
      error: string | null;
      finishedAt: number;
    },
    { cycle_id: number; action: Action }
  >(
    `UPDATE operation SET status = :status, lattice_id = coalesce(:latticeId, lattice_id), http_status = :httpStatus,
       request_id = :requestId, error = :error, finished_at = :finishedAt, at = :finishedAt WHERE id = :id
     RETURNING cycle_id, action`,
  );
  const sentIn = sentWrites(db);
  // A reference that the plan withdrew before sending is waited for as one that could not be sent is.
  const settle = db.prepare<[number, number, string]>(
    "UPDATE source_user SET pending = ?, reference_pending = max(reference_pending, ?) WHERE object_id = ?",
  );
  // A part that the guard holds is planned anew in every cycle.
  const partHeld = db.prepare<[string, number], { held: number }>(
    `SELECT EXISTS (SELECT 1 FROM operation WHERE object_id = ? AND cycle_id = ${given("?")} AND status = 'held') AS held`,
  );
  const dropRetry = db.prepare<[string]>("DELETE FROM retry WHERE object_id = ?");
  const useReleases = db.prepare<[string, number]>(
    `DELETE FROM released_change WHERE object_id = ? AND attribute IN
       (SELECT json_extract(c.value, '$.attribute') FROM operation o, json_each(o.changes) c WHERE o.id = ?)`,
  );
  const dropIntent = db.prepare<[string]>("DELETE FROM intent WHERE object_id = ?");
  const saveRetry = db.prepare<{
    objectId: string;
    attempts: number;
    firstFailedAt: number;
    lastFailedAt: number;
    nextTryAt: number;
    code: string;
    message: string;
  }>(
    `INSERT INTO retry (object_id, attempts, first_failed_at, last_failed_at, next_try_at, code, message)
     VALUES (:objectId, :attempts, :firstFailedAt, :lastFailedAt, :nextTryAt, :code, :message)
     ON CONFLICT (object_id) DO UPDATE SET attempts = excluded.attempts, last_failed_at = excluded.last_failed_at,
       next_try_at = excluded.next_try_at, code = excluded.code, message = excluded.message`,
  );

  // The person's own account, or the one that the operation was to adopt.
  const goneAccounts = db.prepare<[string, number], { lattice_id: string }>(
    `SELECT lattice_id FROM target_user WHERE object_id = ?
     OR (object_id IS NULL AND lattice_id = (SELECT lattice_id FROM operation WHERE id = ?))`,
  );

  // Mostly there are none of these at all, and everybody would be asked for each.
  const any = db.prepare<[], { releases: number; retries: number }>(
    "SELECT EXISTS (SELECT 1 FROM released_change) AS releases, EXISTS (SELECT 1 FROM retry) AS retries",
  );

  const record = (outcome: OperationOutcome, some: { readonly releases: number; retries: number }): void => {
    const operation = finish.get({
      id: outcome.operationId,
      status: outcome.status,
      latticeId: outcome.target?.latticeId ?? null,
      httpStatus: outcome.httpStatus ?? null,
      requestId: outcome.requestId ?? null,
      error: outcome.error ?? null,
      finishedAt: outcome.finishedAt,
    });
    const cycleId = operation?.cycle_id ?? 0;
    if (outcome.target !== undefined) {
      const sent = (): ReadonlySet<string> => sentIn(outcome.operationId).paths;
      writer.link(outcome.target, outcome.objectId, cycleId, sent);
    }
    if (outcome.status === "done") {
      // Of somebody who is new nothing is held.
      const held = operation?.action === "create" ? 0 : (partHeld.get(outcome.objectId, cycleId)?.held ?? 0);
      const refused = outcome.retry === undefined ? 0 : 1;
      settle.run(Math.max(held, refused), outcome.referencePending ? 1 : 0, outcome.objectId);
      if (some.retries === 1) dropRetry.run(outcome.objectId);
      if (some.releases === 1) useReleases.run(outcome.objectId, outcome.operationId);
    }
    if (outcome.retry !== undefined) {
      saveRetry.run(outcome.retry);
      some.retries = 1;
    }
    // A look-up that is still to come compares the values.
    if (outcome.unknown !== true) {
      dropIntent.run(outcome.objectId);
      values.replace(outcome.operationId);
    }
    if (outcome.unlink === true) {
      for (const { lattice_id } of goneAccounts.all(outcome.objectId, outcome.operationId)) {
        writer.unlink(lattice_id);
      }
    }
  };
  const recordAll = (outcomes: readonly OperationOutcome[]): void => {
    if (outcomes.length === 0) return;
    const some = any.get() ?? { releases: 1, retries: 1 };
    for (const outcome of outcomes) record(outcome, some);
  };
  const begin = db.transaction(
    (operationIds: readonly number[], now: number, ended: readonly OperationOutcome[]) => {
      recordAll(ended);
      for (const id of operationIds) {
        sending.run({ id, now });
        intend.run(now, id);
      }
    },
  );
  const recordTogether = db.transaction(recordAll);
  // A writer from the start: a transaction that begins with a read does not wait for another process that is writing.
  return {
    beginOperations: async (operationIds, now, ended = []) => begin.immediate(operationIds, now, ended),
    recordOutcomes: async (outcomes) => recordTogether.immediate(outcomes),
  };
}

/** The operation that a row of the log holds. */
export function loggedOperation(row: OperationRow): LoggedOperation {
  return {
    id: row.id,
    cycleId: row.cycle_id,
    objectId: row.object_id,
    userName: row.user_name,
    latticeId: row.lattice_id,
    action: row.action,
    reason: row.reason,
    evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as Evidence),
    changes: JSON.parse(row.changes) as Change[],
    adopts: row.adopts === 1,
    ...(row.drift === null ? {} : { drift: row.drift }),
    wave: row.wave,
    status: row.status,
    error: row.error,
  };
}
