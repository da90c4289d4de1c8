import type { StateChange } from "../../domain/state/change.ts";
import type { LogValues } from "../logged-values.ts";
import { asJson, type Session } from "./connection/database.ts";
import { lastByKey } from "./last-by-key.ts";
import { replaceValues } from "./log-values.ts";

const end = `UPDATE operation o SET status = r.status, lattice_id = coalesce(r."latticeId", o.lattice_id),
    http_status = r."httpStatus", request_id = r."requestId", error = r.error, finished_at = r."finishedAt", at = r."finishedAt"
  FROM json_to_recordset($2::json) AS r (id bigint, status text, "latticeId" text, "httpStatus" int, "requestId" text,
    error text, "finishedAt" bigint)
  WHERE o.job = $1 AND o.id = r.id`;
// The cycle's counts are taken from the log from now on.
const endLate = `WITH ended AS (UPDATE operation o SET status = r.status, finished_at = r."finishedAt", at = r."finishedAt"
    FROM json_to_recordset($2::json) AS r (id bigint, status text, "finishedAt" bigint)
    WHERE o.job = $1 AND o.id = r.id RETURNING o.cycle_id)
  UPDATE cycle SET outcomes = NULL WHERE job = $1 AND id IN (SELECT cycle_id FROM ended)`;
// If the plan withdrew a reference before sending, the person waits for the manager already: `greatest` keeps that.
const settle = `UPDATE source_user s SET pending = r.pending, reference_pending = greatest(s.reference_pending, r.reference)
  FROM json_to_recordset($2::json) AS r (object_id text, pending boolean, reference smallint)
  WHERE s.job = $1 AND s.object_id = r.object_id`;
const dropRetries = "DELETE FROM retry WHERE job = $1 AND object_id = ANY($2)";
const putRetries = `INSERT INTO retry (job, object_id, attempts, first_failed_at, last_failed_at, next_try_at, code, message, paths)
  SELECT $1, s.object_id, r.attempts, r."firstFailedAt", r."lastFailedAt", r."nextTryAt", r.code, r.message, r.paths
  FROM json_to_recordset($2::json) AS r ("objectId" text, attempts int, "firstFailedAt" bigint, "lastFailedAt" bigint,
    "nextTryAt" bigint, code text, message text, paths json)
  JOIN source_user s ON s.job = $1 AND s.object_id = r."objectId"
  ON CONFLICT (job, object_id) DO UPDATE SET attempts = excluded.attempts, first_failed_at = excluded.first_failed_at,
    last_failed_at = excluded.last_failed_at, next_try_at = excluded.next_try_at, code = excluded.code,
    message = excluded.message, paths = excluded.paths`;
const noteFailures = `WITH newest AS (UPDATE job SET last_failure = last_failure + $3 WHERE id = $1 RETURNING last_failure - $3 AS id)
  INSERT INTO failure_change (job, id, object_id, change, since, code, message)
  SELECT $1, newest.id + r.number, r."objectId", r.change, r.since, r.code, r.message
  FROM newest, json_to_recordset($2::json) AS r (number bigint, "objectId" text, change text, since bigint, code text, message text)`;
const endIntents = "DELETE FROM intent WHERE job = $1 AND object_id = ANY($2)";
const begin = `WITH begun AS (UPDATE operation SET status = 'sending', started_at = $3, at = $3
    WHERE job = $1 AND id = ANY($2) RETURNING object_id, id, action, user_name, lattice_id)
  INSERT INTO intent (job, object_id, operation_id, action, user_name, lattice_id, started_at)
  SELECT DISTINCT ON (object_id) $1, object_id, id, action, user_name, lattice_id, $3 FROM begun ORDER BY object_id, id DESC
  ON CONFLICT (job, object_id) DO UPDATE SET operation_id = excluded.operation_id, action = excluded.action,
    user_name = excluded.user_name, lattice_id = excluded.lattice_id, started_at = excluded.started_at`;

/** Writes what became of operations, and what is about to be sent, within a commit. */
export async function writeOutcomes(
  session: Session,
  change: Pick<StateChange, "ended" | "endedLate" | "certain" | "sent" | "retries" | "failures" | "intents">,
  values: LogValues,
): Promise<void> {
  const { ended = [], endedLate = [], certain = [], sent = [], failures = [] } = change;
  const { retries = {}, intents = {} } = change;
  const list = async (text: string, ids: readonly string[] = []): Promise<void> => {
    if (ids.length > 0) await session.run(text, ids);
  };
  if (ended.length > 0) await session.run(end, asJson(lastByKey(ended, ({ id }) => id)));
  if (endedLate.length > 0) await session.run(endLate, asJson(lastByKey(endedLate, ({ id }) => id)));
  await replaceValues(session, values, certain);
  if (sent.length > 0) await session.run(settle, asJson(settled(sent)));
  await list(dropRetries, retries.drop);
  if (retries.put !== undefined && retries.put.length > 0) {
    await session.run(putRetries, asJson(lastByKey(retries.put, ({ objectId }) => objectId)));
  }
  if (failures.length > 0) {
    const rows = failures.map((failure, index) => ({ ...failure, number: index + 1 }));
    await session.run(noteFailures, asJson(rows), rows.length);
  }
  await list(endIntents, intents.end);
  const { operationIds = [], at = 0 } = intents.begin ?? {};
  if (operationIds.length > 0) await session.run(begin, operationIds, at);
}

/** One row for each person. */
function settled(sent: NonNullable<StateChange["sent"]>): readonly object[] {
  const byId = new Map<string, { object_id: string; pending: boolean; reference: number }>();
  for (const { objectId, planAgain, awaitsManager } of sent) {
    const before = byId.get(objectId);
    byId.set(objectId, {
      object_id: objectId,
      pending: planAgain || before?.pending === true,
      reference: awaitsManager || before?.reference === 1 ? 1 : 0,
    });
  }
  return [...byId.values()];
}
