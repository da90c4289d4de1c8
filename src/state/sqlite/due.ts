import type { LeavingEvent } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";

/** People whose plan depends on the time: those who are due to be looked at again, and those who are leaving. */
export function dueMethods(db: Connection): Pick<StateStore, "duePeople" | "leavingAfter" | "countLeaving"> {
  const due = db
    .prepare<[number, string, number], string>(
      `SELECT object_id FROM source_user WHERE look_again_at <= ? AND object_id > ? ORDER BY object_id LIMIT ${given("?")}`,
    )
    .pluck();
  const seenAfter = db.prepare<[number, string, number], { objectId: string; events: string }>(
    `SELECT object_id AS objectId, json_group_object(event, since) AS events FROM leaving_event
     WHERE object_id IN (SELECT object_id FROM leaving_event WHERE since > ?) AND object_id > ?
     GROUP BY object_id ORDER BY object_id LIMIT ${given("?")}`,
  );
  const leaving = db.prepare<{ event: LeavingEvent; since: number }, { count: number }>(
    `SELECT count(*) AS count FROM leaving_event JOIN target_user USING (object_id)
     WHERE event = :event AND since >= :since AND active = 1`,
  );
  return {
    duePeople: async (now, after, limit) => due.all(now, after, limit),
    leavingAfter: async (time, after, limit) =>
      seenAfter.all(time, after, limit).map(({ objectId, events }) => ({
        objectId,
        events: new Map(Object.entries(JSON.parse(events) as Record<LeavingEvent, number>)) as Map<
          LeavingEvent,
          number
        >,
      })),
    countLeaving: async (event, since) => leaving.get({ event, since })?.count ?? 0,
  };
}
