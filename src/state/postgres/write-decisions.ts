import type { HeldPlanDecision } from "../../domain/decision.ts";
import type { NamedChanges, StateChange } from "../../domain/state/change.ts";
import { asJson, type Session } from "./connection/database.ts";
import { lastByKey } from "./last-by-key.ts";

const decide = `WITH newest AS (UPDATE job SET last_decision = last_decision + 1 WHERE id = $1 RETURNING last_decision AS id)
  INSERT INTO decision (job, id, plan_id, at, actor, reason) SELECT $1, newest.id, $2, $3, $4::json, $5 FROM newest RETURNING id`;
const decided = `INSERT INTO decided_person (job, object_id, decision_id, what)
  SELECT $1, r.object_id, $3, r.what FROM json_to_recordset($2::json) AS r (object_id text, what text) ON CONFLICT DO NOTHING`;
const dropFrom = (table: "released_change" | "rejected_change"): string =>
  `DELETE FROM ${table} c USING json_to_recordset($2::json) AS r ("objectId" text, attribute text, fingerprint text)
   WHERE c.job = $1 AND c.object_id = r."objectId" AND c.attribute = coalesce(r.attribute, c.attribute)
     AND c.fingerprint = coalesce(r.fingerprint, c.fingerprint)`;
const dropReleases = dropFrom("released_change");
const dropRejections = dropFrom("rejected_change");
const release = `INSERT INTO released_change (job, object_id, attribute, fingerprint, plan_id, released_at)
  SELECT $1, s.object_id, r.attribute, r.fingerprint, r."planId", r."releasedAt"
  FROM json_to_recordset($2::json) AS r ("objectId" text, attribute text, fingerprint text, "planId" text, "releasedAt" bigint)
  JOIN source_user s ON s.job = $1 AND s.object_id = r."objectId"
  ON CONFLICT (job, object_id, attribute) DO UPDATE SET fingerprint = excluded.fingerprint, plan_id = excluded.plan_id,
    released_at = excluded.released_at`;
const reject = `INSERT INTO rejected_change (job, object_id, attribute, fingerprint, evidence, plan_id, rejected_at, decision_id)
  SELECT $1, s.object_id, r.attribute, r.fingerprint, r.evidence, r."planId", r."rejectedAt",
    coalesce($3::bigint, (SELECT max(d.id) FROM decision d WHERE d.job = $1 AND d.plan_id = r."planId"))
  FROM json_to_recordset($2::json) AS r ("objectId" text, attribute text, fingerprint text, evidence text, "planId" text,
    "rejectedAt" bigint)
  JOIN source_user s ON s.job = $1 AND s.object_id = r."objectId"
  ON CONFLICT (job, object_id, attribute, fingerprint) DO UPDATE SET plan_id = excluded.plan_id,
    rejected_at = excluded.rejected_at, decision_id = excluded.decision_id`;

/** Writes what people decided about held plans, released and rejected, within a commit. */
export async function writeDecisions(
  session: Session,
  { decision, releases = {}, rejections = {} }: Pick<StateChange, "decision" | "releases" | "rejections">,
): Promise<void> {
  const decisionId = decision === undefined ? null : await writeDecision(session, decision);
  const drop = async (text: string, named: readonly NamedChanges[] = []): Promise<void> => {
    if (named.length > 0) await session.run(text, asJson(named));
  };
  await drop(dropReleases, releases.drop);
  if (releases.put !== undefined && releases.put.length > 0) {
    const last = lastByKey(releases.put, (one) => JSON.stringify([one.objectId, one.attribute]));
    await session.run(release, asJson(last));
  }
  await drop(dropRejections, rejections.drop);
  if (rejections.put !== undefined && rejections.put.length > 0) {
    const last = lastByKey(rejections.put, (one) =>
      JSON.stringify([one.objectId, one.attribute, one.fingerprint]),
    );
    await session.run(reject, asJson(last), decisionId);
  }
}

/** @returns the decision's id */
async function writeDecision(
  session: Session,
  { planId, at, by, reason, people }: HeldPlanDecision,
): Promise<number> {
  const row = await session.one<{ id: number }>(decide, planId, at, asJson(by), reason);
  if (row === undefined) throw new Error("the job is gone from the database");
  const rows = (["released", "rejected", "undone"] as const).flatMap((what) =>
    people[what].map((objectId) => ({ object_id: objectId, what })),
  );
  if (rows.length > 0) await session.run(decided, asJson(rows), row.id);
  return row.id;
}
