import type { Actor } from "../../domain/actor.ts";
import type { DecidedWhat, PersonDecision } from "../../domain/decision.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";

/** A decision, as `decisionJson` selects it. */
export interface DecisionRow {
  readonly what: DecidedWhat;
  readonly planId: string;
  readonly at: number;
  /** JSON. */
  readonly actor: string;
  readonly reason: string | null;
}

/** The columns of a `DecisionRow` as one value, of `decided_person AS p` and `decision AS d`. */
export const decisionJson =
  "json_object('what', p.what, 'planId', d.plan_id, 'at', d.at, 'actor', d.actor, 'reason', d.reason)";

/** Decisions about what the guard held of a person. */
export function decisionMethods(db: Connection): Pick<StateStore, "decisionsOf"> {
  const ofPerson = db
    .prepare<[string, number], string>(
      `SELECT ${decisionJson} FROM decided_person p JOIN decision d ON d.id = p.decision_id
       WHERE p.object_id = ? ORDER BY p.decision_id DESC LIMIT ?`,
    )
    .pluck();
  return {
    decisionsOf: async (objectId, limit) => ofPerson.all(objectId, limit).map(personDecision),
  };
}

/** Only this program writes these values, so they are not checked. */
export function personDecision(json: string): PersonDecision {
  const { actor, ...decision } = JSON.parse(json) as DecisionRow;
  return { ...decision, by: JSON.parse(actor) as Actor };
}
