import type { LeavingEvent } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";

/** People whose plan depends on the time: those who are due to be looked at again, and those who are leaving. */
export function dueMethods(db: Connection): Pick<StateStore, "duePeople" | "countLeaving"> {
  const due = db
    .prepare<[number, string, number], string>(
      `SELECT object_id FROM source_user WHERE look_again_at <= ? AND object_id > ? ORDER BY object_id LIMIT ${given("?")}`,
    )
    .pluck();
  const leaving = db.prepare<{ event: LeavingEvent; since: number }, { count: number }>(
    `SELECT count(*) AS count FROM leaving_event JOIN target_user USING (object_id)
     WHERE event = :event AND since >= :since AND active = 1`,
  );
  return {
    duePeople: async (now, after, limit) => due.all(now, after, limit),
    countLeaving: async (event, since) => leaving.get({ event, since })?.count ?? 0,
  };
}
