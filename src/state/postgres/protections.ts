import type { Protection } from "../../domain/protection.ts";
import type { ProtectionChange, Protections } from "../../domain/state/protections.ts";
import { asJson, type Database, type Session } from "./connection/database.ts";

const all = `SELECT lattice_id AS "latticeId", user_name AS "userName", actor AS by, reason, at FROM protected_account
  WHERE job = $1 ORDER BY lattice_id`;
const drop = "DELETE FROM protected_account WHERE job = $1 AND lattice_id = ANY($2)";
const put = `INSERT INTO protected_account (job, lattice_id, user_name, actor, reason, at)
  VALUES ($1, $2, $3, $4::json, $5, $6)
  ON CONFLICT (job, lattice_id) DO UPDATE SET user_name = excluded.user_name, actor = excluded.actor, reason = excluded.reason,
    at = excluded.at`;

/** Accounts that people have protected. */
export function protectionMethods(db: Database): Protections {
  return { protections: () => db.all<Protection>(all) };
}

/** Writes protections, within a transaction. */
export async function writeProtections(
  session: Session,
  { drop: dropped = [], put: added = [] }: ProtectionChange,
): Promise<void> {
  if (dropped.length > 0) await session.run(drop, dropped);
  for (const { latticeId, userName, by, reason, at } of added) {
    await session.run(put, latticeId, userName, asJson(by), reason, at);
  }
}
