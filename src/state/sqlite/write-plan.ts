import type { LeavingEvent } from "../../domain/plan.ts";
import type { PlannedFor, StateChange } from "../../domain/state/change.ts";
import { manager, referencePending } from "../reference-pending.ts";
import type { Connection } from "./files/database.ts";

/** Writes what the next plan must know about people, within a commit. */
export interface PlanWriter {
  planned(people: NonNullable<StateChange["planned"]>): void;
  awaiting(people: NonNullable<StateChange["awaiting"]>): void;
  managerFound(objectIds: readonly string[]): void;
  leaving(people: NonNullable<StateChange["leaving"]>): void;
}

export function planWriter(db: Connection): PlanWriter {
  // In a plan of everybody most rows would not change: these are not written. Nearly all people are neither skipped nor looked
  // at on a day: one statement settles all of a page, which takes a third of the time that one for each takes.
  const settleAlike = db.prepare<{ list: string; pending: number; reference: number }>(
    `UPDATE source_user SET pending = :pending, reference_pending = :reference, skip_code = NULL, skip_reason = NULL,
       look_again_at = NULL
     WHERE object_id IN (SELECT value FROM json_each(:list)) AND (pending <> :pending OR reference_pending <> :reference
       OR skip_code IS NOT NULL OR skip_reason IS NOT NULL OR look_again_at IS NOT NULL)`,
  );
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
  const wait = db.prepare<[number, string]>(
    `UPDATE source_user SET reference_pending = ${manager.awaited}, pending = ? WHERE object_id = ?`,
  );
  const find = db.prepare<[string]>(
    `UPDATE source_user SET reference_pending = ${manager.found} WHERE object_id IN (SELECT value FROM json_each(?))`,
  );
  const dropEvents = db.prepare<[string]>("DELETE FROM leaving_event WHERE object_id = ?");
  const putEvent = db.prepare<[string, LeavingEvent, number]>(
    "INSERT INTO leaving_event (object_id, event, since) VALUES (?, ?, ?)",
  );
  return {
    planned: (people) => {
      for (const [reference, some] of Map.groupBy(people.filter(isPlain), referencePending)) {
        for (const [planAgain, alike] of Map.groupBy(some, (one) => one.planAgain)) {
          const list = JSON.stringify(alike.map(({ objectId }) => objectId));
          settleAlike.run({ list, pending: planAgain ? 1 : 0, reference });
        }
      }
      for (const person of people) {
        if (isPlain(person)) continue;
        const { objectId, planAgain, skip, lookAgainAt } = person;
        settle.run({
          objectId,
          pending: planAgain ? 1 : 0,
          reference: referencePending(person),
          code: skip?.code ?? null,
          reason: skip?.reason ?? null,
          lookAgainAt,
        });
      }
    },
    awaiting: (people) => {
      for (const { objectId, planAgain } of people) wait.run(planAgain ? 1 : 0, objectId);
    },
    managerFound: (objectIds) => {
      find.run(JSON.stringify(objectIds));
    },
    leaving: (people) => {
      for (const { objectId, events } of people) {
        dropEvents.run(objectId);
        for (const [event, since] of events) putEvent.run(objectId, event, since);
      }
    },
  };
}

/** `true` for a person who is neither skipped nor looked at on a day. */
function isPlain({ skip, lookAgainAt }: PlannedFor): boolean {
  return skip === null && lookAgainAt === null;
}
