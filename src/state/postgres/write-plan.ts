import type { StateChange } from "../../domain/state/change.ts";
import { manager, referencePending } from "../reference-pending.ts";
import { asJson, type Session } from "./connection/database.ts";
import { lastByKey } from "./last-by-key.ts";

// In a plan of everybody, most people stay as they were. A row that would not change is not written.
const settle = `UPDATE source_user s SET pending = r.pending, reference_pending = r.reference, skip_code = r.code,
    skip_reason = r.reason, look_again_at = r.look_again_at
  FROM json_to_recordset($2::json) AS r (object_id text, pending boolean, reference smallint, code text, reason text,
    look_again_at bigint)
  WHERE s.job = $1 AND s.object_id = r.object_id AND (s.pending <> r.pending OR s.reference_pending <> r.reference
    OR s.skip_code IS DISTINCT FROM r.code OR s.skip_reason IS DISTINCT FROM r.reason
    OR s.look_again_at IS DISTINCT FROM r.look_again_at)`;
const wait = `UPDATE source_user s SET reference_pending = ${manager.awaited}, pending = r."planAgain"
  FROM json_to_recordset($2::json) AS r ("objectId" text, "planAgain" boolean)
  WHERE s.job = $1 AND s.object_id = r."objectId"`;
const find = `UPDATE source_user SET reference_pending = ${manager.found} WHERE job = $1 AND object_id = ANY($2)`;
const dropEvents = "DELETE FROM leaving_event WHERE job = $1 AND object_id = ANY($2)";
const putEvents = `INSERT INTO leaving_event (job, object_id, event, since)
  SELECT $1, r.* FROM json_to_recordset($2::json) AS r (object_id text, event text, since bigint)`;

/** Writes where each person stands after a plan, within a commit. */
export async function writePlan(
  session: Session,
  {
    planned = [],
    awaiting = [],
    managerFound = [],
    leaving = [],
  }: Pick<StateChange, "planned" | "awaiting" | "managerFound" | "leaving">,
): Promise<void> {
  if (planned.length > 0) {
    const rows = lastByKey(planned, ({ objectId }) => objectId).map((person) => ({
      object_id: person.objectId,
      pending: person.planAgain,
      reference: referencePending(person),
      code: person.skip?.code,
      reason: person.skip?.reason,
      look_again_at: person.lookAgainAt,
    }));
    await session.run(settle, asJson(rows));
  }
  if (awaiting.length > 0) {
    await session.run(wait, asJson(lastByKey(awaiting, ({ objectId }) => objectId)));
  }
  if (managerFound.length > 0) await session.run(find, managerFound);
  if (leaving.length === 0) return;
  const last = lastByKey(leaving, ({ objectId }) => objectId);
  await session.run(
    dropEvents,
    last.map(({ objectId }) => objectId),
  );
  const events = last.flatMap(({ objectId, events: seen }) =>
    [...seen].map(([event, since]) => ({ object_id: objectId, event, since })),
  );
  if (events.length > 0) await session.run(putEvents, asJson(events));
}
