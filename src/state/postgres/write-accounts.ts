import type { AccountRow, StateChange } from "../../domain/state/change.ts";
import { inOrder } from "../canonical-json.ts";
import { managerColumn } from "../manager.ts";
import { asJson, type Session } from "./connection/database.ts";
import { lastByKey } from "./last-by-key.ts";

const lose = "UPDATE target_user SET object_id = NULL WHERE job = $1 AND lattice_id = ANY($2)";
const remove = "DELETE FROM target_user WHERE job = $1 AND lattice_id = ANY($2)";
const put = `INSERT INTO target_user (job, lattice_id, object_id, user_name, user_name_key, external_id, active, active_known,
    manager, attributes, acknowledged, drifted, read_in, read_again, missing_since)
  SELECT $1, r.* FROM json_to_recordset($2::json) AS r (lattice_id text, object_id text, user_name text, user_name_key text,
    external_id text, active boolean, active_known boolean, manager text, attributes json, acknowledged json, drifted json,
    read_in bigint, read_again json, missing_since bigint)
  ON CONFLICT (job, lattice_id) DO UPDATE SET object_id = excluded.object_id, user_name = excluded.user_name,
    user_name_key = excluded.user_name_key, external_id = excluded.external_id, active = excluded.active,
    active_known = excluded.active_known, manager = excluded.manager, attributes = excluded.attributes,
    acknowledged = excluded.acknowledged, drifted = excluded.drifted, read_in = excluded.read_in,
    read_again = excluded.read_again, missing_since = excluded.missing_since`;
const seen = "UPDATE target_user SET read_in = $3 WHERE job = $1 AND lattice_id = ANY($2)";
const dropTraces = "DELETE FROM lost_link WHERE job = $1 AND lattice_id = ANY($2)";
const trace = `INSERT INTO lost_link (job, lattice_id, object_id, external_id, user_name, missing_since, dissolved_at, reason)
  SELECT $1, r."latticeId", r."objectId", r."externalId", r."userName", r."missingSince", r."dissolvedAt", r.reason
  FROM json_to_recordset($2::json) AS r ("latticeId" text, "objectId" text, "externalId" text, "userName" text,
    "missingSince" bigint, "dissolvedAt" bigint, reason text)
  ON CONFLICT (job, lattice_id) DO UPDATE SET object_id = excluded.object_id, external_id = excluded.external_id,
    user_name = excluded.user_name, missing_since = excluded.missing_since, dissolved_at = excluded.dissolved_at,
    reason = excluded.reason`;
const setRemoved = `UPDATE source_user s SET account_removed = r.removed
  FROM json_to_recordset($2::json) AS r ("objectId" text, removed boolean)
  WHERE s.job = $1 AND s.object_id = r."objectId" AND s.account_removed <> r.removed`;

/** Writes accounts and what becomes of their links, within a commit. */
export async function writeAccounts(
  session: Session,
  {
    accounts = {},
    lostLinks = {},
    accountRemoved = [],
  }: Pick<StateChange, "accounts" | "lostLinks" | "accountRemoved">,
): Promise<void> {
  const list = async (text: string, ids: readonly string[] = []): Promise<void> => {
    if (ids.length > 0) await session.run(text, ids);
  };
  await list(lose, accounts.losing);
  await list(remove, accounts.gone);
  if (accounts.put !== undefined && accounts.put.length > 0) {
    const last = lastByKey(accounts.put, ({ latticeId }) => latticeId);
    await session.run(put, asJson(last.map(columns)));
  }
  if (accounts.seen !== undefined && accounts.seen.length > 0) {
    await session.run(seen, accounts.seen, accounts.readIn ?? 0);
  }
  await list(dropTraces, lostLinks.drop);
  if (lostLinks.put !== undefined && lostLinks.put.length > 0) {
    await session.run(trace, asJson(lastByKey(lostLinks.put, ({ latticeId }) => latticeId)));
  }
  if (accountRemoved.length > 0) {
    await session.run(setRemoved, asJson(lastByKey(accountRemoved, ({ objectId }) => objectId)));
  }
}

function columns(row: AccountRow): object {
  const { active, values, acknowledged, drifted } = row;
  return {
    lattice_id: row.latticeId,
    object_id: row.objectId,
    user_name: row.userName,
    user_name_key: row.userName.toLowerCase(),
    external_id: row.externalId,
    active: active !== false,
    active_known: active !== null,
    manager: managerColumn(values),
    attributes: inOrder(values),
    // Most accounts have neither. NULL keeps them out of the index of acknowledged values.
    acknowledged: isEmpty(acknowledged) ? null : inOrder(acknowledged),
    drifted: isEmpty(drifted) ? null : inOrder(drifted),
    read_in: row.readIn,
    read_again: row.readAgain,
    missing_since: row.missingSince,
  };
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}
