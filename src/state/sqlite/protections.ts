import type { Actor } from "../../domain/actor.ts";
import type { ProtectionChange, Protections } from "../../domain/state/protections.ts";
import type { Connection } from "./files/database.ts";

interface Row {
  readonly lattice_id: string;
  readonly user_name: string;
  /** JSON. Only this program writes it, so it is not checked. */
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
}

/** Accounts that people have protected. */
export function protectionMethods(db: Connection): Protections {
  const all = db.prepare<[], Row>("SELECT * FROM protected_account ORDER BY lattice_id");
  return {
    protections: async () =>
      all.all().map(({ lattice_id: latticeId, user_name: userName, actor, reason, at }) => ({
        latticeId,
        userName,
        by: JSON.parse(actor) as Actor,
        reason,
        at,
      })),
  };
}

/** Writes protections, within a transaction. */
export function protectionsWriter(db: Connection): (change: ProtectionChange) => void {
  const drop = db.prepare<[string]>("DELETE FROM protected_account WHERE lattice_id = ?");
  const put = db.prepare<[string, string, string, string, number]>(
    `INSERT INTO protected_account (lattice_id, user_name, actor, reason, at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (lattice_id) DO UPDATE SET user_name = excluded.user_name, actor = excluded.actor, reason = excluded.reason,
       at = excluded.at`,
  );
  return ({ drop: dropped = [], put: added = [] }) => {
    for (const latticeId of dropped) drop.run(latticeId);
    for (const { latticeId, userName, by, reason, at } of added) {
      put.run(latticeId, userName, JSON.stringify(by), reason, at);
    }
  };
}
