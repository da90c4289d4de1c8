import type { Actor } from "../../domain/actor.ts";
import type { DecidedWhat, PersonDecision } from "../../domain/decision.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { type RejectedRow, rejectedChange } from "../records.ts";
import type { Database } from "./connection/database.ts";

type DecisionMethods = Pick<StateStore, "rejections" | "countRejected" | "decisionsOf" | "releasesBefore">;

/** The columns of a `RejectedRow`, from `rejectedTables`. */
export const rejectedColumns = `c.object_id, c.attribute, c.fingerprint, c.evidence, c.plan_id, c.rejected_at, d.actor,
  d.reason AS decision_reason`;
/** The table `rejected_change` as `c`, with the decision of each row as `d`. */
export const rejectedTables =
  "rejected_change c LEFT JOIN decision d ON d.job = c.job AND d.id = c.decision_id";

/** A decision as `decisionJson` gives it. */
export interface DecisionRow {
  readonly what: DecidedWhat;
  readonly planId: string;
  readonly at: number;
  readonly actor: Actor;
  readonly reason: string | null;
}

/** A `DecisionRow` as one JSON value, from `decisionTables`. */
export const decisionJson =
  "json_build_object('what', p.what, 'planId', d.plan_id, 'at', d.at, 'actor', d.actor, 'reason', d.reason)";
/** The table `decided_person` as `p`, with the decision of each row as `d`. */
export const decisionTables = "decided_person p JOIN decision d ON d.job = p.job AND d.id = p.decision_id";

const rejections = `SELECT ${rejectedColumns}, s.user_principal_name AS user_name
  FROM ${rejectedTables} JOIN source_user s ON s.job = c.job AND s.object_id = c.object_id
  WHERE c.job = $1 ORDER BY c.rejected_at DESC, c.object_id, c.attribute LIMIT $2`;
const countRejected = `SELECT count(*) AS count FROM rejected_change
  WHERE job = $1 AND evidence = ANY($2) AND rejected_at >= $3`;
const ofPerson = `SELECT ${decisionJson} AS decision FROM ${decisionTables}
  WHERE p.job = $1 AND p.object_id = $2 ORDER BY p.decision_id DESC, p.what LIMIT $3`;
const old = `SELECT object_id AS "objectId", attribute, fingerprint FROM released_change
  WHERE job = $1 AND released_at < $2 ORDER BY object_id, attribute`;

/** Releases and rejections, and who decided about them. */
export function decisionMethods(db: Database): DecisionMethods {
  return {
    rejections: async (limit) =>
      (await db.all<RejectedRow & { readonly user_name: string | null }>(rejections, limit)).map((row) => ({
        ...rejectedChange(row),
        userName: row.user_name,
      })),
    countRejected: async (evidence, since) =>
      (await db.one<{ count: number }>(countRejected, evidence, since))?.count ?? 0,
    decisionsOf: async (objectId, limit) =>
      (await db.all<{ decision: DecisionRow }>(ofPerson, objectId, limit)).map(({ decision }) =>
        personDecision(decision),
      ),
    releasesBefore: (before) => db.all(old, before),
  };
}

export function personDecision({ actor, ...decision }: DecisionRow): PersonDecision {
  return { ...decision, by: actor };
}
