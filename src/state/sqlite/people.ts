import type { PersonRow } from "../../domain/state/change.ts";
import type { People, UnreadPerson } from "../../domain/state/people.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import type { Connection } from "./files/database.ts";
import { searchMethod } from "./person-search.ts";
import { type RetryRow, retryRecord, type SourceRow, sourceUser } from "./rows.ts";
import { given, readTogether } from "./tuning.ts";

interface PersonColumns extends SourceRow {
  readonly user_name_key: string | null;
  readonly external_id_key: string | null;
  readonly always_in_scope: number;
}

interface UnreadRow
  extends Pick<PersonColumns, "object_id" | "presence" | "user_name_key" | "external_id_key"> {
  readonly account_active: number | null;
  readonly lost: number;
  readonly unconfirmed: number;
}

/** The directory as last read. */
export function peopleMethods(db: Connection): People {
  const together = readTogether(db);
  const row = db.prepare<[string], PersonColumns>(
    `SELECT object_id, attributes, manager_id, presence, unshown, user_name_key, external_id_key, always_in_scope
     FROM source_user WHERE object_id = ?`,
  );
  const keys = db.prepare<
    [string],
    Pick<PersonColumns, "object_id" | "manager_id" | "user_name_key" | "external_id_key">
  >(
    `SELECT object_id, manager_id, user_name_key, external_id_key FROM source_user
     WHERE object_id IN (SELECT value FROM json_each(?))`,
  );
  const retry = db.prepare<[string], RetryRow>("SELECT * FROM retry WHERE object_id = ?");
  const unread = db.prepare<[number, string, number], UnreadRow>(
    `SELECT s.object_id, s.presence, s.user_name_key, s.external_id_key, t.active AS account_active,
       EXISTS (SELECT 1 FROM lost_link WHERE object_id = s.object_id) AS lost,
       EXISTS (SELECT 1 FROM intent WHERE object_id = s.object_id) AS unconfirmed
     FROM source_user s LEFT JOIN target_user t ON t.object_id = s.object_id
     WHERE s.read_in < ? AND s.object_id > ? ORDER BY s.object_id LIMIT ${given("?")}`,
  );
  const find = db.prepare<{ wanted: string }, SourceRow>(
    `SELECT * FROM source_user WHERE object_id = :wanted
     OR lower(json_extract(attributes, '$.userPrincipalName')) = lower(:wanted)
     ORDER BY object_id = :wanted DESC, presence = 'present' DESC LIMIT 1`,
  );
  const due = db
    .prepare<[number, string, number], string>(
      `SELECT object_id FROM source_user INDEXED BY source_user_look_again
       WHERE look_again_at <= ? AND object_id > ? ORDER BY object_id LIMIT ${given("?")}`,
    )
    .pluck();
  const among = db
    .prepare<[string], string>(
      "SELECT object_id FROM scope_member WHERE object_id IN (SELECT value FROM json_each(?))",
    )
    .pluck();
  const managerIds = db.prepare<[string], { object_id: string; manager_id: string }>(
    `SELECT object_id, manager_id FROM source_user
     WHERE object_id IN (SELECT value FROM json_each(?)) AND manager_id IS NOT NULL AND presence = 'present'`,
  );

  return {
    personRows: async (objectIds) =>
      together(
        () =>
          new Map(
            objectIds.flatMap((objectId): [string, PersonRow][] => {
              const found = row.get(objectId);
              return found === undefined ? [] : [[objectId, personRow(found)]];
            }),
          ),
      ),
    keysOf: async (objectIds) =>
      new Map(
        keys.all(JSON.stringify(objectIds)).map((found) => [
          found.object_id,
          {
            managerId: found.manager_id,
            userNameKey: found.user_name_key,
            externalIdKey: found.external_id_key,
          },
        ]),
      ),
    unreadPeople: async (cycleId, after, limit) =>
      together(() =>
        unread.all(cycleId, after, limit).map((person) => {
          const failing = retry.get(person.object_id);
          return unreadPerson(person, failing === undefined ? null : retryRecord(failing));
        }),
      ),
    findSource: async (idOrUserName) => {
      const row = find.get({ wanted: idOrUserName });
      return row === undefined ? null : sourceUser(row);
    },
    duePeople: async (now, after, limit) => due.all(now, after, limit),
    membersAmong: async (objectIds) => new Set(among.all(JSON.stringify(objectIds))),
    managerIds: async (objectIds) =>
      new Map(managerIds.all(JSON.stringify(objectIds)).map((row) => [row.object_id, row.manager_id])),
    ...searchMethod(db),
  };
}

function personRow(row: PersonColumns): PersonRow {
  return {
    source: sourceUser(row),
    userNameKey: row.user_name_key,
    externalIdKey: row.external_id_key,
    alwaysInScope: row.always_in_scope === 1,
  };
}

function unreadPerson(row: UnreadRow, retry: RetryRecord | null): UnreadPerson {
  return {
    objectId: row.object_id,
    presence: row.presence,
    userNameKey: row.user_name_key,
    externalIdKey: row.external_id_key,
    account: row.account_active === null ? null : { active: row.account_active === 1 },
    lostLink: row.lost === 1,
    unconfirmed: row.unconfirmed === 1,
    retry,
  };
}
