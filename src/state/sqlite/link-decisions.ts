import type { Actor } from "../../domain/actor.ts";
import type { LinkDecision } from "../../domain/link-decision.ts";
import type { LinkDecisionChange, LinkDecisions } from "../../domain/state/link-decisions.ts";
import type { Connection } from "./files/database.ts";

interface Row {
  readonly object_id: string;
  readonly lattice_id: string;
  readonly what: LinkDecision["what"];
  readonly user_name: string;
  /** JSON. Only this program writes it, so it is not checked. */
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
}

/** People's decisions about users and accounts. */
export function linkDecisionMethods(db: Connection): LinkDecisions {
  const all = db.prepare<[], Row>("SELECT * FROM link_decision ORDER BY object_id, lattice_id");
  return {
    linkDecisions: async () =>
      all.all().map((row) => ({
        objectId: row.object_id,
        latticeId: row.lattice_id,
        what: row.what,
        userName: row.user_name,
        by: JSON.parse(row.actor) as Actor,
        reason: row.reason,
        at: row.at,
      })),
  };
}

/** Writes such decisions, within a commit. */
export function linkDecisionsWriter(db: Connection): (change: LinkDecisionChange) => void {
  const drop = db.prepare<[string, string]>(
    "DELETE FROM link_decision WHERE object_id = ? AND lattice_id = ?",
  );
  const put = db.prepare<[string, string, string, string, string, string, number]>(
    `INSERT INTO link_decision (object_id, lattice_id, what, user_name, actor, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (object_id, lattice_id) DO UPDATE SET what = excluded.what, user_name = excluded.user_name,
       actor = excluded.actor, reason = excluded.reason, at = excluded.at`,
  );
  return ({ drop: dropped = [], put: added = [] }) => {
    for (const { objectId, latticeId } of dropped) drop.run(objectId, latticeId);
    for (const { objectId, latticeId, what, userName, by, reason, at } of added) {
      put.run(objectId, latticeId, what, userName, JSON.stringify(by), reason, at);
    }
  };
}
