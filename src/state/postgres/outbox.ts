import type { EventKind, FailureChange, StateEvent } from "../../domain/event.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { LogValues } from "../logged-values.ts";
import { asJson, type Database } from "./connection/database.ts";
import { type LeaseClock, serverTime } from "./lease.ts";
import { writeProtections } from "./protections.ts";
import { writeEvent, writeNotes } from "./write-notes.ts";

type OutboxMethods = Pick<
  StateStore,
  "addEvent" | "noteTold" | "addressEvents" | "claimDelivery" | "settleDelivery" | "failureChanges"
>;

interface ClaimedRow {
  readonly id: string;
  readonly at: number;
  readonly data: StateEvent;
  readonly attempts: number;
}

interface ChangeRow extends Omit<FailureChange, "objectId" | "userName"> {
  readonly object_id: string;
  readonly user_name: string | null;
}

const dropChanges = "DELETE FROM failure_change WHERE job = $1 AND id <= $2";
// If another process addresses an event at the same time, PostgreSQL checks the condition again once that process has committed.
const address = `WITH found AS (UPDATE event SET addressed = true WHERE job = $1 AND NOT addressed RETURNING seq, kind)
  INSERT INTO delivery (job, event_seq, receiver) SELECT $1, found.seq, r.receiver
  FROM found JOIN json_to_recordset($2::json) AS r (receiver text, kind text) ON r.kind = found.kind ON CONFLICT DO NOTHING`;
// A delivery that another process is claiming is skipped: the next one may be free.
const claimBy = (now: string): string => `WITH due AS (SELECT d.event_seq, e.id, e.at, e.data FROM delivery d
    JOIN event e ON e.job = d.job AND e.seq = d.event_seq
    WHERE d.job = $1 AND d.receiver = $2
      AND (d.next_try_at <= $3::bigint OR d.next_try_at > $3::bigint + $5::bigint)
      AND (d.claimed_until <= ${now} OR d.claimed_until > ${now} + $4::bigint)
    ORDER BY e.at, e.seq LIMIT 1 FOR UPDATE OF d SKIP LOCKED)
  UPDATE delivery d SET claimed_until = ${now} + $4::bigint FROM due
  WHERE d.job = $1 AND d.receiver = $2 AND d.event_seq = due.event_seq RETURNING due.id, due.at, due.data, d.attempts`;
const ofEvent = "AND receiver = $3 AND event_seq = (SELECT seq FROM event WHERE job = $1 AND id = $2)";
const drop = `DELETE FROM delivery WHERE job = $1 ${ofEvent}`;
const putOff = `UPDATE delivery SET attempts = attempts + 1, next_try_at = $4, claimed_until = 0 WHERE job = $1 ${ofEvent}`;
const changes = `SELECT f.id, f.object_id, f.change, f.since, f.code, f.message, s.user_principal_name AS user_name
  FROM failure_change f LEFT JOIN source_user s ON s.job = f.job AND s.object_id = f.object_id
  WHERE f.job = $1 ORDER BY f.id`;

/** Events and their deliveries. @param values how much may be kept of people's values, which Lattice quotes in errors */
export function outboxMethods(db: Database, values: LogValues, clock: LeaseClock): OutboxMethods {
  // Claims go by the server's clock: a process with a wrong clock must neither hide a delivery from the others nor send one that they are sending.
  const claim = claimBy(clock === "server" ? serverTime : "$3::bigint");
  return {
    addEvent: (event, { at, once, notes = {}, failuresThrough = 0, protections = {} }) =>
      db.transaction(async (session) => {
        if (!(await writeEvent(session, event, { at, once }, values))) return false;
        await writeNotes(session, notes);
        await writeProtections(session, protections);
        if (failuresThrough > 0) await session.run(dropChanges, failuresThrough);
        return true;
      }),
    noteTold: (notes) => db.transaction((session) => writeNotes(session, notes)),
    addressEvents: async (receivers) => {
      const wanted = receivers.flatMap(({ name, events }) =>
        events.map((kind: EventKind) => ({ receiver: name, kind })),
      );
      await db.transaction((session) => session.run(address, asJson(wanted)));
    },
    claimDelivery: (receiver, now, { claimMs, longestWaitMs }) =>
      db.transaction(async (session) => {
        const row = await session.one<ClaimedRow>(claim, receiver, now, claimMs, longestWaitMs);
        if (row === undefined) return null;
        const { id, at, data: event, attempts } = row;
        return { kept: { id, at, event }, receiver, attempts };
      }),
    settleDelivery: async ({ kept, receiver }, nextTryAt) => {
      await db.transaction((session) =>
        nextTryAt === null
          ? session.run(drop, kept.id, receiver)
          : session.run(putOff, kept.id, receiver, nextTryAt),
      );
    },
    failureChanges: async () =>
      (await db.all<ChangeRow>(changes)).map(({ object_id, user_name, ...change }) => ({
        ...change,
        objectId: object_id,
        userName: user_name,
      })),
  };
}
