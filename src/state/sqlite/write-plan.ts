import type { LeavingEvent } from "../../domain/plan.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";

/** Writes what a plan leaves of people, within a commit. */
export interface PlanWriter {
  planned(people: NonNullable<StateChange["planned"]>): void;
  leaving(people: NonNullable<StateChange["leaving"]>): void;
}

export function planWriter(db: Connection): PlanWriter {
  // In a plan of everybody most people are as they were: a row that would not change is not written.
  const settle = db.prepare<{
    objectId: string;
    pending: number;
    reference: number;
    code: string | null;
    reason: string | null;
    lookAgainAt: number | null;
  }>(
    `UPDATE source_user SET pending = :pending, reference_pending = :reference, skip_code = :code, skip_reason = :reason,
       look_again_at = :lookAgainAt
     WHERE object_id = :objectId AND (pending <> :pending OR reference_pending <> :reference OR skip_code IS NOT :code
       OR skip_reason IS NOT :reason OR look_again_at IS NOT :lookAgainAt)`,
  );
  const dropEvents = db.prepare<[string]>("DELETE FROM leaving_event WHERE object_id = ?");
  const putEvent = db.prepare<[string, LeavingEvent, number]>(
    "INSERT INTO leaving_event (object_id, event, since) VALUES (?, ?, ?)",
  );
  return {
    planned: (people) => {
      for (const { objectId, planAgain, awaitsManager, skip, lookAgainAt } of people) {
        settle.run({
          objectId,
          pending: planAgain ? 1 : 0,
          reference: awaitsManager ? 1 : 0,
          code: skip?.code ?? null,
          reason: skip?.reason ?? null,
          lookAgainAt,
        });
      }
    },
    leaving: (people) => {
      for (const { objectId, events } of people) {
        dropEvents.run(objectId);
        for (const [event, since] of events) putEvent.run(objectId, event, since);
      }
    },
  };
}
