import { randomUUID } from "node:crypto";
import type { Delivery, FailureChange, StateEvent } from "../../domain/event.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { keptEvent } from "../kept-event.ts";
import type { LogValues } from "../logged-values.ts";
import type { Connection } from "./files/database.ts";
import { metaWriter } from "./notes.ts";
import { protectionsWriter } from "./protections.ts";

type OutboxMethods = Pick<
  StateStore,
  "addEvent" | "noteTold" | "addressEvents" | "claimDelivery" | "settleDelivery" | "failureChanges"
>;

interface DeliveryRow {
  readonly id: string;
  readonly at: number;
  readonly data: string;
  readonly attempts: number;
}

interface ChangeRow extends Omit<FailureChange, "objectId" | "userName"> {
  readonly object_id: string;
  readonly user_name: string | null;
}

/** Events and their deliveries. @param values how much may be kept of people's values, which Lattice quotes in errors */
export function outboxMethods(db: Connection, values: LogValues): OutboxMethods {
  const putNotes = metaWriter(db);
  const protect = protectionsWriter(db);
  const put = eventWriter(db, values);
  const dropChanges = db.prepare<[number]>("DELETE FROM failure_change WHERE id <= ?");
  const unaddressed = db.prepare<[], { id: string; kind: string }>(
    "SELECT id, json_extract(data, '$.kind') AS kind FROM event WHERE addressed = 0 ORDER BY at, rowid",
  );
  const address = db.prepare<[string, string]>(
    "INSERT INTO delivery (event_id, receiver) VALUES (?, ?) ON CONFLICT DO NOTHING",
  );
  const addressed = db.prepare<[string]>("UPDATE event SET addressed = 1 WHERE id = ?");
  const due = db.prepare<
    { receiver: string; now: number; claimMs: number; longestWaitMs: number },
    DeliveryRow
  >(
    `SELECT event.id, event.at, event.data, delivery.attempts FROM delivery JOIN event ON event.id = event_id
     WHERE receiver = :receiver
       AND (next_try_at <= :now OR next_try_at > :now + :longestWaitMs)
       AND (claimed_until <= :now OR claimed_until > :now + :claimMs)
     ORDER BY event.at, event.rowid LIMIT 1`,
  );
  const claim = db.prepare<[number, string, string]>(
    "UPDATE delivery SET claimed_until = ? WHERE event_id = ? AND receiver = ?",
  );
  const drop = db.prepare<[string, string]>("DELETE FROM delivery WHERE event_id = ? AND receiver = ?");
  const putOff = db.prepare<[number, string, string]>(
    "UPDATE delivery SET attempts = attempts + 1, next_try_at = ?, claimed_until = 0 WHERE event_id = ? AND receiver = ?",
  );
  const changes = db.prepare<[], ChangeRow>(
    `SELECT failure_change.*, json_extract(attributes, '$.userPrincipalName') AS user_name
     FROM failure_change LEFT JOIN source_user USING (object_id) ORDER BY id`,
  );

  const claimOne = db.transaction(
    (...[receiver, now, terms]: Parameters<StateStore["claimDelivery"]>): Delivery | null => {
      const row = due.get({ receiver, now, ...terms });
      if (row === undefined) return null;
      claim.run(now + terms.claimMs, row.id, receiver);
      const event = JSON.parse(row.data) as StateEvent;
      return { kept: { id: row.id, at: row.at, event }, receiver, attempts: row.attempts };
    },
  );

  return {
    addEvent: async (event, { at, once, notes = {}, failuresThrough = 0, protections = {} }) =>
      db
        .transaction(() => {
          if (!put(event, { at, once })) return false;
          putNotes(notes);
          protect(protections);
          dropChanges.run(failuresThrough);
          return true;
        })
        .immediate(),
    noteTold: async (notes) => db.transaction(() => putNotes(notes)).immediate(),
    addressEvents: async (receivers) => {
      db.transaction(() => {
        for (const { id, kind } of unaddressed.all()) {
          for (const { name, events } of receivers) {
            if (events.some((wanted) => wanted === kind)) address.run(id, name);
          }
          addressed.run(id);
        }
      }).immediate();
    },
    claimDelivery: async (receiver, now, terms) => claimOne.immediate(receiver, now, terms),
    settleDelivery: async ({ kept, receiver }, nextTryAt) => {
      if (nextTryAt === null) drop.run(kept.id, receiver);
      else putOff.run(nextTryAt, kept.id, receiver);
    },
    failureChanges: async () =>
      changes.all().map(({ object_id, user_name, ...change }) => ({
        ...change,
        objectId: object_id,
        userName: user_name,
      })),
  };
}

/**
 * Writes an event, within a transaction.
 * @returns whether it is new: if an event with the same `once` is kept already, nothing is written
 */
export function eventWriter(
  db: Connection,
  values: LogValues,
): (event: StateEvent, how: { readonly at: number; readonly once?: string | undefined }) => boolean {
  const insert = db.prepare<[string, string | null, number, string]>(
    "INSERT INTO event (id, once, at, data) VALUES (?, ?, ?, ?) ON CONFLICT (once) DO NOTHING",
  );
  return (event, { at, once }) => {
    const kept = JSON.stringify(keptEvent(values, event));
    return insert.run(randomUUID(), once ?? null, at, kept).changes > 0;
  };
}
