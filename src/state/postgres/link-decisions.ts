import type { LinkDecision } from "../../domain/link-decision.ts";
import type { LinkDecisionChange, LinkDecisions } from "../../domain/state/link-decisions.ts";
import { asJson, type Database, type Session } from "./connection/database.ts";

const all = `SELECT object_id AS "objectId", lattice_id AS "latticeId", what, user_name AS "userName", actor AS by, reason, at
  FROM link_decision WHERE job = $1 ORDER BY object_id, lattice_id`;
const drop = "DELETE FROM link_decision WHERE job = $1 AND object_id = $2 AND lattice_id = $3";
const put = `INSERT INTO link_decision (job, object_id, lattice_id, what, user_name, actor, reason, at)
  VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8)
  ON CONFLICT (job, object_id, lattice_id) DO UPDATE SET what = excluded.what, user_name = excluded.user_name,
    actor = excluded.actor, reason = excluded.reason, at = excluded.at`;

/** People's decisions about links between users and accounts. */
export function linkDecisionMethods(db: Database): LinkDecisions {
  return { linkDecisions: () => db.all<LinkDecision>(all) };
}

/** Writes decisions about links, within a commit. */
export async function writeLinkDecisions(
  session: Session,
  { drop: dropped = [], put: added = [] }: LinkDecisionChange,
): Promise<void> {
  for (const { objectId, latticeId } of dropped) await session.run(drop, objectId, latticeId);
  for (const { objectId, latticeId, what, userName, by, reason, at } of added) {
    await session.run(put, objectId, latticeId, what, userName, asJson(by), reason, at);
  }
}
