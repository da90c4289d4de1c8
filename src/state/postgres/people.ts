import type { Presence } from "../../domain/source.ts";
import type { PersonRow } from "../../domain/state/change.ts";
import type { UnreadPerson } from "../../domain/state/people.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { type RetryRow, retryRecord } from "../records.ts";
import type { Database } from "./connection/database.ts";
import { type SourceRow, sourceUser } from "./rows.ts";

type PeopleMethods = Pick<
  StateStore,
  "personRows" | "keysOf" | "unreadPeople" | "duePeople" | "membersAmong" | "findSource" | "managerIds"
>;

interface KeyColumns {
  readonly user_name_key: string | null;
  readonly external_id_key: string | null;
}

interface PersonColumns extends SourceRow, KeyColumns {
  readonly always_in_scope: boolean;
}

interface UnreadRow extends KeyColumns {
  readonly object_id: string;
  readonly presence: Presence;
  readonly account_active: boolean | null;
  readonly lost: boolean;
  readonly unconfirmed: boolean;
  readonly retry: RetryRow | null;
}

const sourceColumns = "object_id, attributes, manager_id, presence, unshown";
const personRows = `SELECT ${sourceColumns}, user_name_key, external_id_key, always_in_scope
  FROM source_user WHERE job = $1 AND object_id = ANY($2)`;
const keys = `SELECT object_id, manager_id, user_name_key, external_id_key FROM source_user
  WHERE job = $1 AND object_id = ANY($2)`;
const unread = `SELECT s.object_id, s.presence, s.user_name_key, s.external_id_key, t.active AS account_active,
    EXISTS (SELECT 1 FROM lost_link WHERE job = $1 AND object_id = s.object_id) AS lost,
    EXISTS (SELECT 1 FROM intent WHERE job = $1 AND object_id = s.object_id) AS unconfirmed,
    to_json(r) AS retry
  FROM source_user s LEFT JOIN target_user t ON t.job = s.job AND t.object_id = s.object_id
    LEFT JOIN retry r ON r.job = s.job AND r.object_id = s.object_id
  WHERE s.job = $1 AND s.read_in < $2 AND s.object_id > $3 ORDER BY s.object_id LIMIT $4`;
const due = `SELECT object_id FROM source_user WHERE job = $1 AND look_again_at <= $2 AND object_id > $3
  ORDER BY object_id LIMIT $4`;
const among = "SELECT object_id FROM scope_member WHERE job = $1 AND object_id = ANY($2)";
const find = `SELECT ${sourceColumns} FROM source_user
  WHERE job = $1 AND (object_id = $2 OR lower(user_principal_name) = lower($2::text COLLATE "C"))
  ORDER BY object_id = $2 DESC, presence = 'present' DESC, object_id LIMIT 1`;
const managers = `SELECT object_id, manager_id FROM source_user
  WHERE job = $1 AND object_id = ANY($2) AND manager_id IS NOT NULL AND presence = 'present'`;

/** The directory as last read. */
export function peopleMethods(db: Database): PeopleMethods {
  return {
    personRows: async (objectIds) => {
      const rows = await db.all<PersonColumns>(personRows, objectIds);
      return new Map(rows.map((row) => [row.object_id, personRow(row)]));
    },
    keysOf: async (objectIds) => {
      const rows = await db.all<KeyColumns & Pick<SourceRow, "object_id" | "manager_id">>(keys, objectIds);
      return new Map(rows.map((row) => [row.object_id, { managerId: row.manager_id, ...keysOf(row) }]));
    },
    unreadPeople: async (cycleId, after, limit) =>
      (await db.all<UnreadRow>(unread, cycleId, after, limit)).map(unreadPerson),
    duePeople: async (now, after, limit) =>
      (await db.all<Pick<SourceRow, "object_id">>(due, now, after, limit)).map((row) => row.object_id),
    membersAmong: async (objectIds) =>
      new Set((await db.all<Pick<SourceRow, "object_id">>(among, objectIds)).map((row) => row.object_id)),
    findSource: async (idOrUserName) => {
      const row = await db.one<SourceRow>(find, idOrUserName);
      return row === undefined ? null : sourceUser(row);
    },
    managerIds: async (objectIds) => {
      const rows = await db.all<{ object_id: string; manager_id: string }>(managers, objectIds);
      return new Map(rows.map((row) => [row.object_id, row.manager_id]));
    },
  };
}

function keysOf(row: KeyColumns): Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  return { userNameKey: row.user_name_key, externalIdKey: row.external_id_key };
}

function personRow(row: PersonColumns): PersonRow {
  return { source: sourceUser(row), ...keysOf(row), alwaysInScope: row.always_in_scope };
}

function unreadPerson(row: UnreadRow): UnreadPerson {
  return {
    objectId: row.object_id,
    presence: row.presence,
    ...keysOf(row),
    account: row.account_active === null ? null : { active: row.account_active },
    lostLink: row.lost,
    unconfirmed: row.unconfirmed,
    retry: row.retry === null ? null : retryRecord(row.retry),
  };
}
