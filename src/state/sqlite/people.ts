import type { SkipCode, Skipped } from "../../domain/plan.ts";
import type { PersonRow } from "../../domain/state/change.ts";
import type { UnreadPerson } from "../../domain/state/people.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import { readTogether } from "./read-together.ts";
import { type RetryRow, retryRecord, type SourceRow, sourceUser } from "./rows.ts";

type SourceMethods = Pick<
  StateStore,
  "personRows" | "keysOf" | "unreadPeople" | "findSource" | "skipped" | "countSkipped"
>;

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

/** The directory as last read, and the people who are skipped. */
export function sourcePictureMethods(db: Connection): SourceMethods {
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
  const skipped = db.prepare<
    { after: string; limit: number; only: string | null; code: SkipCode | null },
    { object_id: string; user_name: string | null; skip_code: SkipCode; skip_reason: string }
  >(
    `SELECT object_id, json_extract(attributes, '$.userPrincipalName') AS user_name, skip_code, skip_reason
     FROM source_user WHERE skip_code IS NOT NULL AND object_id > :after
       AND (:only IS NULL OR object_id IN (SELECT value FROM json_each(:only)))
       AND (:code IS NULL OR skip_code = :code)
     ORDER BY object_id LIMIT ${given(":limit")}`,
  );
  const countSkipped = db.prepare<[], { skip_code: SkipCode; count: number }>(
    "SELECT skip_code, count(*) AS count FROM source_user WHERE skip_code IS NOT NULL GROUP BY skip_code",
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
    skipped: async (query) =>
      skipped
        .all({
          after: query.after,
          limit: query.limit,
          only: query.only === undefined ? null : JSON.stringify(query.only),
          code: query.code ?? null,
        })
        .map(
          (row): Skipped => ({
            objectId: row.object_id,
            userName: row.user_name ?? "",
            code: row.skip_code,
            reason: row.skip_reason,
          }),
        ),
    countSkipped: async () => new Map(countSkipped.all().map((row) => [row.skip_code, row.count])),
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
