import type { Actor } from "../../domain/actor.ts";
import type { DecidedWhat, PersonDecision } from "../../domain/decision.ts";
import type { Decisions } from "../../domain/state/guarding.ts";
import type { Connection } from "./files/database.ts";
import { type RejectedRow, rejectedChange, rejectedColumns, rejectedTables } from "./rows.ts";
import { given } from "./tuning.ts";

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

/** Releases and rejections, and who decided them. */
export function decisionMethods(db: Connection): Decisions {
  const ofPerson = db
    .prepare<[string, number], string>(
      `SELECT ${decisionJson} FROM decided_person p JOIN decision d ON d.id = p.decision_id
       WHERE p.object_id = ? ORDER BY p.decision_id DESC LIMIT ?`,
    )
    .pluck();
  const old = db.prepare<[number], { object_id: string; attribute: string; fingerprint: string }>(
    "SELECT object_id, attribute, fingerprint FROM released_change WHERE released_at < ?",
  );
  const rejections = db.prepare<[number], RejectedRow & { user_name: string | null }>(
    `SELECT ${rejectedColumns}, json_extract(attributes, '$.userPrincipalName') AS user_name
     FROM ${rejectedTables} JOIN source_user USING (object_id) ORDER BY rejected_at DESC, object_id, attribute LIMIT ${given("?")}`,
  );
  const countRejected = db
    .prepare<[string, number], number>(
      `SELECT count(*) FROM rejected_change WHERE evidence IN (SELECT value FROM json_each(?)) AND rejected_at >= ${given("?")}`,
    )
    .pluck();
  return {
    decisionsOf: async (objectId, limit) => ofPerson.all(objectId, limit).map(personDecision),
    rejections: async (limit) =>
      rejections.all(limit).map((row) => ({ ...rejectedChange(row), userName: row.user_name })),
    countRejected: async (evidence, since) => countRejected.get(JSON.stringify(evidence), since) ?? 0,
    releasesBefore: async (before) =>
      old.all(before).map(({ object_id, ...change }) => ({ objectId: object_id, ...change })),
  };
}

/** Only this program writes these values, so they are not checked. */
export function personDecision(json: string): PersonDecision {
  const { actor, ...decision } = JSON.parse(json) as DecisionRow;
  return { ...decision, by: JSON.parse(actor) as Actor };
}
