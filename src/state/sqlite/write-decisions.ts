import type { DecidedWhat, HeldPlanDecision } from "../../domain/decision.ts";
import type { NamedChanges, StateChange } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";

/** Writes decisions about held plans, with their releases and rejections, within a commit. */
export interface DecisionsWriter {
  /** @returns the decision's id */
  decision(decision: HeldPlanDecision): number;
  releases(change: NonNullable<StateChange["releases"]>): void;
  /** @param decisionId the decision that the new rejections belong to */
  rejections(change: NonNullable<StateChange["rejections"]>, decisionId: number | null): void;
}

export function decisionsWriter(db: Connection): DecisionsWriter {
  const insert = db.prepare<[string, number, string, string | null]>(
    "INSERT INTO decision (plan_id, at, actor, reason) VALUES (?, ?, ?, ?)",
  );
  const insertPerson = db.prepare<[string, number | bigint, DecidedWhat]>(
    "INSERT OR IGNORE INTO decided_person (object_id, decision_id, what) VALUES (?, ?, ?)",
  );
  const dropFrom = (table: "released_change" | "rejected_change") => {
    const drop = db.prepare<{ objectId: string; attribute: string | null; fingerprint: string | null }>(
      `DELETE FROM ${table} WHERE object_id = :objectId AND attribute = coalesce(:attribute, attribute)
         AND fingerprint = coalesce(:fingerprint, fingerprint)`,
    );
    // Usually the table is empty, and each change that was carried out would be looked up in it.
    const any = db.prepare<[], number>(`SELECT EXISTS (SELECT 1 FROM ${table})`).pluck();
    return (named: readonly NamedChanges[]): void => {
      if (named.length === 0 || any.get() === 0) return;
      for (const { objectId, attribute = null, fingerprint = null } of named) {
        drop.run({ objectId, attribute, fingerprint });
      }
    };
  };
  const dropReleases = dropFrom("released_change");
  const dropRejections = dropFrom("rejected_change");
  const release = db.prepare<[string, string, string, number, string]>(
    `INSERT INTO released_change (object_id, attribute, fingerprint, plan_id, released_at)
     SELECT object_id, ?, ?, ?, ? FROM source_user WHERE object_id = ?
     ON CONFLICT (object_id, attribute) DO UPDATE SET fingerprint = excluded.fingerprint, plan_id = excluded.plan_id,
       released_at = excluded.released_at`,
  );
  const reject = db.prepare<{
    objectId: string;
    attribute: string;
    fingerprint: string;
    evidence: string | null;
    planId: string;
    rejectedAt: number;
    decisionId: number | null;
  }>(
    `INSERT INTO rejected_change (object_id, attribute, fingerprint, evidence, plan_id, rejected_at, decision_id)
     SELECT object_id, :attribute, :fingerprint, :evidence, :planId, :rejectedAt,
       coalesce(:decisionId, (SELECT max(id) FROM decision WHERE plan_id = :planId))
     FROM source_user WHERE object_id = :objectId
     ON CONFLICT (object_id, attribute, fingerprint) DO UPDATE SET plan_id = excluded.plan_id, rejected_at = excluded.rejected_at,
       decision_id = excluded.decision_id`,
  );
  return {
    decision: ({ planId, at, by, reason, people }) => {
      const id = insert.run(planId, at, JSON.stringify(by), reason).lastInsertRowid;
      for (const what of ["released", "rejected", "undone"] as const) {
        for (const objectId of people[what]) insertPerson.run(objectId, id, what);
      }
      return Number(id);
    },
    releases: ({ drop = [], put = [] }) => {
      dropReleases(drop);
      for (const { objectId, attribute, fingerprint, planId, releasedAt } of put) {
        release.run(attribute, fingerprint, planId, releasedAt, objectId);
      }
    },
    rejections: ({ drop = [], put = [] }, decisionId) => {
      dropRejections(drop);
      for (const { objectId, attribute, fingerprint, evidence, planId, rejectedAt } of put) {
        reject.run({ objectId, attribute, fingerprint, evidence, planId, rejectedAt, decisionId });
      }
    },
  };
}
