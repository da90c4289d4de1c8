import type { AccountRow, StateChange } from "../../domain/state/change.ts";
import { canonicalJson } from "../canonical-json.ts";
import { managerColumn } from "../manager.ts";
import type { Connection } from "./files/database.ts";

/** Writes accounts and their links, within a commit. */
export function accountsWriter(
  db: Connection,
): (change: Pick<StateChange, "accounts" | "lostLinks" | "accountRemoved">) => void {
  const listed = "(SELECT value FROM json_each(:list))";
  const put = db.prepare<AccountColumns>(
    `INSERT INTO target_user (lattice_id, object_id, user_name, user_name_key, external_id, active, active_known, manager, attributes, acknowledged, drifted, read_in, read_again, missing_since)
     VALUES (:latticeId, :objectId, :userName, :userNameKey, :externalId, :active, :activeKnown, :manager, :attributes, :acknowledged, :drifted, :readIn, :readAgain, :missingSince)
     ON CONFLICT (lattice_id) DO UPDATE SET object_id = excluded.object_id, user_name = excluded.user_name,
       user_name_key = excluded.user_name_key, external_id = excluded.external_id, active = excluded.active,
       active_known = excluded.active_known, manager = excluded.manager, attributes = excluded.attributes, acknowledged = excluded.acknowledged,
       drifted = excluded.drifted, read_in = excluded.read_in, read_again = excluded.read_again,
       missing_since = excluded.missing_since`,
  );
  const lose = db.prepare<{ list: string }>(
    `UPDATE target_user SET object_id = NULL WHERE lattice_id IN ${listed}`,
  );
  const seen = db.prepare<[number, string]>("UPDATE target_user SET read_in = ? WHERE lattice_id = ?");
  const remove = db.prepare<{ list: string }>(`DELETE FROM target_user WHERE lattice_id IN ${listed}`);
  const trace = db.prepare<[string, string, string | null, string, number, number, string]>(
    `INSERT OR REPLACE INTO lost_link (lattice_id, object_id, external_id, user_name, missing_since, dissolved_at, reason)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const dropTraces = db.prepare<{ list: string }>(`DELETE FROM lost_link WHERE lattice_id IN ${listed}`);
  const setRemoved = db.prepare<{ removed: number; list: string }>(
    `UPDATE source_user SET account_removed = :removed WHERE account_removed <> :removed AND object_id IN ${listed}`,
  );
  const each = (statement: { run(given: { list: string }): unknown }, ids: readonly string[] = []): void => {
    if (ids.length > 0) statement.run({ list: JSON.stringify(ids) });
  };
  return ({ accounts, lostLinks, accountRemoved = [] }) => {
    each(lose, accounts?.losing);
    each(remove, accounts?.gone);
    for (const row of accounts?.put ?? []) put.run(columns(row));
    for (const latticeId of accounts?.seen ?? []) seen.run(accounts?.readIn ?? 0, latticeId);
    each(dropTraces, lostLinks?.drop);
    for (const link of lostLinks?.put ?? []) {
      const { latticeId, objectId, externalId, userName, missingSince, dissolvedAt, reason } = link;
      trace.run(latticeId, objectId, externalId, userName, missingSince, dissolvedAt, reason);
    }
    for (const removed of [true, false]) {
      const people = accountRemoved.filter((one) => one.removed === removed).map(({ objectId }) => objectId);
      if (people.length > 0) setRemoved.run({ removed: removed ? 1 : 0, list: JSON.stringify(people) });
    }
  };
}

interface AccountColumns {
  readonly latticeId: string;
  readonly objectId: string | null;
  readonly userName: string;
  readonly userNameKey: string;
  readonly externalId: string | null;
  readonly active: number;
  readonly activeKnown: number;
  readonly manager: string | null;
  readonly attributes: string;
  readonly acknowledged: string;
  readonly drifted: string;
  readonly readIn: number;
  readonly readAgain: string | null;
  readonly missingSince: number | null;
}

function columns({ active, values, acknowledged, drifted, readAgain, ...row }: AccountRow): AccountColumns {
  return {
    latticeId: row.latticeId,
    objectId: row.objectId,
    userName: row.userName,
    userNameKey: row.userName.toLowerCase(),
    externalId: row.externalId,
    active: active === false ? 0 : 1,
    activeKnown: active === null ? 0 : 1,
    // An index of what JSON holds would parse it for each row that is written.
    manager: managerColumn(values),
    attributes: canonicalJson(values),
    acknowledged: canonicalJson(acknowledged),
    drifted: canonicalJson(drifted),
    readIn: row.readIn,
    readAgain: readAgain === null ? null : JSON.stringify(readAgain),
    missingSince: row.missingSince,
  };
}
