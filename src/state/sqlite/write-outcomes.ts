import type { StateChange } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";
import type { ValueKeeper } from "./log-values.ts";

type OutcomeParts = Pick<
  StateChange,
  "ended" | "endedLate" | "certain" | "sent" | "retries" | "failures" | "intents"
>;

/** Writes outcomes of operations, and intents of those about to be sent, within a commit. */
export function outcomesWriter(db: Connection, values: ValueKeeper): (change: OutcomeParts) => void {
  const listed = "(SELECT value FROM json_each(:list))";
  const end = db.prepare<{
    id: number;
    status: string;
    latticeId: string | null;
    httpStatus: number | null;
    requestId: string | null;
    error: string | null;
    finishedAt: number;
  }>(
    `UPDATE operation SET status = :status, lattice_id = coalesce(:latticeId, lattice_id), http_status = :httpStatus,
       request_id = :requestId, error = :error, finished_at = :finishedAt, at = :finishedAt WHERE id = :id`,
  );
  const endLate = db.prepare<{ id: number; status: string; finishedAt: number }>(
    "UPDATE operation SET status = :status, finished_at = :finishedAt, at = :finishedAt WHERE id = :id",
  );
  const recount = db.prepare<[number]>(
    "UPDATE cycle SET outcomes = NULL WHERE id = (SELECT cycle_id FROM operation WHERE id = ?)",
  );
  // A reference that was taken out of the plan before sending keeps its person waiting, like one that could not be sent.
  const sent = db.prepare<{ list: string; pending: number; reference: number }>(
    `UPDATE source_user SET pending = :pending, reference_pending = max(reference_pending, :reference) WHERE object_id IN ${listed}`,
  );
  // Usually the retry schedule is empty. One query per commit then replaces one per person.
  const anyRetry = db.prepare<[], number>("SELECT EXISTS (SELECT 1 FROM retry)").pluck();
  const putRetry = db.prepare<{
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
     ON CONFLICT (object_id) DO UPDATE SET attempts = excluded.attempts, first_failed_at = excluded.first_failed_at, last_failed_at = excluded.last_failed_at,
       next_try_at = excluded.next_try_at, code = excluded.code, message = excluded.message, paths = excluded.paths`,
  );
  const dropRetries = db.prepare<{ list: string }>(`DELETE FROM retry WHERE object_id IN ${listed}`);
  const noteFailure = db.prepare<[string, string, number, string, string]>(
    "INSERT INTO failure_change (object_id, change, since, code, message) VALUES (?, ?, ?, ?, ?)",
  );
  const sending = db.prepare<{ id: number; at: number }>(
    "UPDATE operation SET status = 'sending', started_at = :at, at = :at WHERE id = :id",
  );
  const intend = db.prepare<{ id: number; at: number }>(
    `INSERT INTO intent (object_id, operation_id, action, user_name, lattice_id, started_at)
     SELECT object_id, id, action, user_name, lattice_id, :at FROM operation WHERE id = :id
     ON CONFLICT (object_id) DO UPDATE SET operation_id = excluded.operation_id, action = excluded.action,
       user_name = excluded.user_name, lattice_id = excluded.lattice_id, started_at = excluded.started_at`,
  );
  const endIntents = db.prepare<{ list: string }>(`DELETE FROM intent WHERE object_id IN ${listed}`);
  const each = (statement: { run(given: { list: string }): unknown }, ids: readonly string[] = []): void => {
    if (ids.length > 0) statement.run({ list: JSON.stringify(ids) });
  };

  const settle = (people: NonNullable<StateChange["sent"]>): void => {
    for (const [pending, reference] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const) {
      const some = people.filter(
        (one) => one.planAgain === (pending === 1) && one.awaitsManager === (reference === 1),
      );
      if (some.length === 0) continue;
      sent.run({ list: JSON.stringify(some.map(({ objectId }) => objectId)), pending, reference });
    }
  };

  return ({ ended = [], endedLate = [], certain = [], retries, failures = [], intents, ...change }) => {
    for (const one of ended) {
      end.run({
        id: one.id,
        status: one.status,
        latticeId: one.latticeId ?? null,
        httpStatus: one.httpStatus ?? null,
        requestId: one.requestId ?? null,
        error: one.error ?? null,
        finishedAt: one.finishedAt,
      });
    }
    for (const { id, status, finishedAt } of endedLate) {
      endLate.run({ id, status, finishedAt });
      recount.run(id);
    }
    for (const id of certain) values.replace(id);
    settle(change.sent ?? []);
    if ((retries?.drop ?? []).length > 0 && anyRetry.get() === 1) each(dropRetries, retries?.drop);
    for (const { paths, ...record } of retries?.put ?? []) {
      putRetry.run({ ...record, paths: paths === undefined ? null : JSON.stringify(paths) });
    }
    for (const { objectId, change: what, since, code, message } of failures) {
      noteFailure.run(objectId, what, since, code, message);
    }
    each(endIntents, intents?.end);
    for (const id of intents?.begin?.operationIds ?? []) {
      const at = intents?.begin?.at ?? 0;
      sending.run({ id, at });
      intend.run({ id, at });
    }
  };
}
