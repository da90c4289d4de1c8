import type { Action } from "../../domain/plan.ts";
import type { OperationOutcome, StateStore } from "../../domain/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import { sentWrites } from "./intents.ts";
import type { ValueKeeper } from "./log-values.ts";
import type { ReadAgainMarker } from "./read-again.ts";
import type { TargetWriter } from "./target-picture.ts";

/** What is about to be sent, and what came of it. */
export function sendingMethods(
  db: Connection,
  writer: TargetWriter,
  values: ValueKeeper,
  markReadAgain: ReadAgainMarker,
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
    { cycle_id: number; action: Action; former_owner: string | null }
  >(
    `UPDATE operation SET status = :status, lattice_id = coalesce(:latticeId, lattice_id), http_status = :httpStatus,
       request_id = :requestId, error = :error, finished_at = :finishedAt, at = :finishedAt WHERE id = :id
     RETURNING cycle_id, action, former_owner`,
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
  // Once a change is done, what was said about it is over: a release is used, and what was rejected came about otherwise.
  const forgetSaid = (table: "released_change" | "rejected_change") =>
    db.prepare<[string, number]>(
      `DELETE FROM ${table} WHERE object_id = ? AND (attribute = 'account' OR attribute IN
         (SELECT json_extract(c.value, '$.attribute') FROM operation o, json_each(o.changes) c WHERE o.id = ?))`,
    );
  const useReleases = forgetSaid("released_change");
  const dropRejections = forgetSaid("rejected_change");
  const dropIntent = db.prepare<[string]>("DELETE FROM intent WHERE object_id = ?");
  const saveRetry = db.prepare<{
    objectId: string;
    attempts: number;
    firstFailedAt: number;
    lastFailedAt: number;
    nextTryAt: number;
    code: string;
    message: string;
    paths: string | null;
  }>(
    `INSERT INTO retry (object_id, attempts, first_failed_at, last_failed_at, next_try_at, code, message, paths)
     SELECT :objectId, :attempts, :firstFailedAt, :lastFailedAt, :nextTryAt, :code, :message, :paths
     WHERE EXISTS (SELECT 1 FROM source_user WHERE object_id = :objectId)
     ON CONFLICT (object_id) DO UPDATE SET attempts = excluded.attempts, last_failed_at = excluded.last_failed_at,
       next_try_at = excluded.next_try_at, code = excluded.code, message = excluded.message, paths = excluded.paths`,
  );

  // The account that was written to, or was to be adopted: another one that the person has says nothing of it.
  const goneAccount = db.prepare<[string, number], { lattice_id: string }>(
    `SELECT lattice_id FROM target_user WHERE (object_id = ? OR object_id IS NULL)
     AND lattice_id = (SELECT lattice_id FROM operation WHERE id = ?)`,
  );

  // Mostly there are none of these at all, and everybody would be asked for each.
  const any = db.prepare<[], { releases: number; rejections: number; retries: number }>(
    `SELECT EXISTS (SELECT 1 FROM released_change) AS releases, EXISTS (SELECT 1 FROM rejected_change) AS rejections,
       EXISTS (SELECT 1 FROM retry) AS retries`,
  );

  const record = (
    outcome: OperationOutcome,
    some: { readonly releases: number; readonly rejections: number; retries: number },
  ): void => {
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
    // First: what the answer shows of the account itself is judged by the mark.
    markReadAgain(outcome.readAgain ?? []);
    if (outcome.target !== undefined) {
      const sent = (): ReadonlySet<string> => sentIn(outcome.operationId).paths;
      writer.link(outcome.target, outcome.objectId, cycleId, sent);
    }
    if (outcome.status === "done") {
      // Of somebody who is new nothing is held.
      const held = operation?.action === "create" ? 0 : (partHeld.get(outcome.objectId, cycleId)?.held ?? 0);
      const refused = outcome.retry === undefined ? 0 : 1;
      const again = outcome.again === true ? 1 : 0;
      // With the account came the manager of its former owner, who may be the person's manager and has none now.
      const tookOver = (operation?.former_owner ?? null) === null ? 0 : 1;
      settle.run(
        Math.max(held, refused, again, tookOver),
        outcome.referencePending ? 1 : 0,
        outcome.objectId,
      );
      if (some.retries === 1 && outcome.retry === undefined) dropRetry.run(outcome.objectId);
      if (some.releases === 1) useReleases.run(outcome.objectId, outcome.operationId);
      if (some.rejections === 1) dropRejections.run(outcome.objectId, outcome.operationId);
    }
    if (outcome.retry !== undefined) {
      const { paths } = outcome.retry;
      saveRetry.run({ ...outcome.retry, paths: paths === undefined ? null : JSON.stringify(paths) });
      some.retries = 1;
    }
    // A look-up that is still to come compares the values.
    if (outcome.unknown !== true) {
      dropIntent.run(outcome.objectId);
      values.replace(outcome.operationId);
    }
    if (outcome.unlink !== undefined) {
      for (const { lattice_id } of goneAccount.all(outcome.objectId, outcome.operationId)) {
        writer.unlink(lattice_id, outcome.unlink);
      }
    }
  };
  const recordAll = (outcomes: readonly OperationOutcome[]): void => {
    if (outcomes.length === 0) return;
    const some = any.get() ?? { releases: 1, rejections: 1, retries: 1 };
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
