import type {
  AccountIdentity,
  ConfirmedTarget,
  Dissolved,
  MatchedTarget,
  NameHolder,
  StateStore,
} from "../../domain/store.ts";
import type { TargetUser } from "../../domain/target.ts";
import { driftOf, keepUnshown, stillAcknowledged } from "./drift.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import { emptiedPaths, without } from "./read-again.ts";
import { readTogether } from "./read-together.ts";
import { canonicalJson, isOutOfDate, linkedTarget, type TargetRow } from "./rows.ts";

type TargetMethods = Pick<
  StateStore,
  | "saveTargets"
  | "targetsMissing"
  | "forgetTargetsMissing"
  | "unlink"
  | "noteMissing"
  | "missingAccounts"
  | "otherAccounts"
  | "countLostLinks"
  | "countAcknowledged"
  | "matches"
  | "nameHolders"
  | "latticeIdOf"
  | "latticeIdsOf"
  | "linkOf"
  | "accountOf"
  | "ownerOf"
  | "identitiesOf"
  | "soundAccounts"
>;

/** Writes accounts into the target picture; shared with the recording of outcomes. */
export interface TargetWriter {
  /** Saves an account as read; its link stays as it is. */
  save(user: TargetUser, cycleId: number): void;
  /**
   * Saves an account as confirmed and links it to a person; an older account of the same person loses the link.
   * @param sent gives the paths of the write that confirmed it; asked for where the account was linked before
   */
  link(user: ConfirmedTarget, objectId: string, cycleId: number, sent: () => ReadonlySet<string>): void;
  /** Dissolves a link and keeps a trace of it; an account that is nobody's is only forgotten. */
  unlink(latticeId: string, dissolved: Dissolved): void;
}

export function targetWriter(db: Connection): TargetWriter {
  const upsert = db.prepare<AccountColumns>(
    `INSERT INTO target_user (lattice_id, user_name, user_name_key, external_id, active, active_known, attributes, acknowledged, read_in)
     VALUES (:latticeId, :userName, :userNameKey, :externalId, :active, :activeKnown, :attributes, '{}', :readIn)
     ON CONFLICT (lattice_id) DO UPDATE SET user_name = excluded.user_name, user_name_key = excluded.user_name_key,
       external_id = excluded.external_id, active = excluded.active, active_known = excluded.active_known,
       attributes = excluded.attributes, read_in = excluded.read_in,
       read_again = NULL, missing_since = NULL`,
  );
  const upsertLinked = db.prepare<
    AccountColumns & { objectId: string; acknowledged: string; drifted: string }
  >(
    `INSERT INTO target_user (lattice_id, object_id, user_name, user_name_key, external_id, active, active_known, attributes, acknowledged, drifted, read_in)
     VALUES (:latticeId, :objectId, :userName, :userNameKey, :externalId, :active, :activeKnown, :attributes, :acknowledged, :drifted, :readIn)
     ON CONFLICT (lattice_id) DO UPDATE SET object_id = excluded.object_id, user_name = excluded.user_name,
       user_name_key = excluded.user_name_key, external_id = excluded.external_id, active = excluded.active,
       active_known = excluded.active_known, attributes = excluded.attributes, acknowledged = excluded.acknowledged,
       drifted = excluded.drifted, read_in = excluded.read_in, missing_since = NULL`,
  );
  const read = db.prepare<[string], TargetRow>("SELECT * FROM target_user WHERE lattice_id = ?");
  const mark = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE object_id = ?");
  const markReports = db.prepare<[string]>(
    "UPDATE source_user SET pending = 1 WHERE manager_id = ? AND pending = 0",
  );
  // The account that they point to is another person's now; they wait for the manager, who may get another one.
  const awaitManager = db.prepare<[string]>(
    "UPDATE source_user SET pending = 1, reference_pending = 1 WHERE manager_id = ?",
  );
  // A disabled person counts for others with the same userName or externalId only while there is an account.
  const markSharers = ["user_name_key", "external_id_key"].map((key) =>
    db.prepare<[string]>(
      `UPDATE source_user SET pending = 1 WHERE pending = 0
         AND ${key} = (SELECT ${key} FROM source_user WHERE object_id = ?)`,
    ),
  );
  /** The person has this account no more. */
  const lost = (objectId: string): void => {
    mark.run(objectId);
    for (const statement of markSharers) statement.run(objectId);
  };
  const retryNow = db.prepare<[string]>("UPDATE retry SET next_try_at = 0 WHERE object_id = ?");
  // Whoever wants a name that is free now need not wait.
  const markName = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE user_name_key = ?");
  const retryName = db.prepare<[string]>(
    "UPDATE retry SET next_try_at = 0 WHERE object_id IN (SELECT object_id FROM source_user WHERE user_name_key = ?)",
  );
  // What failed may have failed for the manager's old account.
  const retryReports = db.prepare<[string]>(
    "UPDATE retry SET next_try_at = 0 WHERE object_id IN (SELECT object_id FROM source_user WHERE manager_id = ?)",
  );
  const dropLink = db.prepare<[string]>("UPDATE target_user SET object_id = NULL WHERE object_id = ?");
  const setDrift = db.prepare<[string, string]>("UPDATE target_user SET drifted = ? WHERE lattice_id = ?");
  const setAcknowledged = db.prepare<[string, string]>(
    "UPDATE target_user SET acknowledged = ? WHERE lattice_id = ?",
  );
  const setRemoved = db.prepare<{ removed: number; objectId: string }>(
    "UPDATE source_user SET account_removed = :removed WHERE object_id = :objectId AND account_removed <> :removed",
  );
  const linked = db.prepare<[string], { lattice_id: string }>(
    "SELECT lattice_id FROM target_user WHERE object_id = ?",
  );
  const remove = db.prepare<[string]>("DELETE FROM target_user WHERE lattice_id = ?");
  const leaveTrace = db.prepare<{ at: number; reason: string; latticeId: string }>(
    `INSERT OR REPLACE INTO lost_link (lattice_id, object_id, external_id, user_name, missing_since, dissolved_at, reason)
     SELECT lattice_id, object_id, external_id, user_name, coalesce(missing_since, :at), :at, :reason FROM target_user
     WHERE lattice_id = :latticeId AND object_id IS NOT NULL`,
  );
  const dropTrace = db.prepare<[string]>("DELETE FROM lost_link WHERE lattice_id = ?");
  // Whose account it was, or says that it is, is planned again, whatever the scope.
  const markIds = db.prepare<{ before: string | null; now: string | null }>(
    `UPDATE source_user SET pending = 1 WHERE pending = 0
       AND (object_id IN (:before, :now) OR external_id_key IN (:before, :now))`,
  );
  const markLost = db.prepare<{ latticeId: string; externalId: string | null }>(
    `UPDATE source_user SET pending = 1 WHERE object_id IN
       (SELECT object_id FROM lost_link WHERE lattice_id = :latticeId OR external_id = :externalId)`,
  );
  /** The account has the name no more: whoever waits for it is tried at once. */
  const freed = (nameKey: string): void => {
    retryName.run(nameKey);
    markName.run(nameKey);
  };

  return {
    save: (found, cycleId) => {
      const before = read.get(found.latticeId);
      const user = keepUnshown(found, before === undefined ? undefined : linkedTarget(before));
      const columns = accountColumns(user, cycleId);
      upsert.run(columns);
      const differs =
        before === undefined ||
        before.read_again !== null ||
        before.attributes !== columns.attributes ||
        before.user_name !== user.userName ||
        before.external_id !== user.externalId ||
        before.active !== columns.active ||
        before.active_known !== columns.activeKnown;
      if (before === undefined) {
        markLost.run({ latticeId: user.latticeId, externalId: user.externalId });
        return;
      }
      if (before.user_name_key !== columns.userNameKey) freed(before.user_name_key);
      if (before.external_id !== user.externalId) {
        // Whose account it is may be another person now: those whose id it carries, or who have its userName, are asked.
        markIds.run({ before: before.external_id, now: user.externalId });
        markName.run(columns.userNameKey);
      }
      if (before.object_id === null) return;
      if (before.acknowledged !== "{}") {
        const { acknowledged } = linkedTarget(before);
        setAcknowledged.run(canonicalJson(stillAcknowledged(acknowledged, user)), user.latticeId);
      }
      if (before.missing_since !== null) retryNow.run(before.object_id);
      if (differs || before.missing_since !== null) mark.run(before.object_id);
      if (!differs) return;
      setDrift.run(
        canonicalJson(
          isOutOfDate(before)
            ? {}
            : driftOf(linkedTarget(before), user, new Set(), emptiedPaths(before.read_again)),
        ),
        user.latticeId,
      );
    },
    link: (found, objectId, cycleId, sent) => {
      const before = read.get(found.latticeId);
      const user = keepUnshown(found, before === undefined ? undefined : linkedTarget(before));
      const formerOwner = before?.object_id ?? null;
      if (formerOwner !== null && formerOwner !== objectId) {
        lost(formerOwner);
        awaitManager.run(formerOwner);
      }
      const current = linked.get(objectId)?.lattice_id;
      // Reports may still point to an account that is gone.
      if (current !== user.latticeId) {
        markReports.run(objectId);
        retryReports.run(objectId);
        if (current !== undefined) dropLink.run(objectId);
      }
      const columns = accountColumns(user, cycleId);
      if (before !== undefined && before.user_name_key !== columns.userNameKey) freed(before.user_name_key);
      const emptied = emptiedPaths(before?.read_again ?? null);
      const drifted =
        before === undefined || formerOwner !== objectId || isOutOfDate(before)
          ? {}
          : driftOf(linkedTarget(before), user, sent(), emptied);
      upsertLinked.run({
        ...columns,
        objectId,
        // The answer may be older than what the mark is about: the account stays marked, and nothing of these is believed.
        acknowledged: canonicalJson(without(user.acknowledged, emptied)),
        drifted: canonicalJson(drifted),
      });
      setRemoved.run({ removed: 0, objectId });
      dropTrace.run(user.latticeId);
    },
    unlink: (latticeId, { at, reason }) => {
      const before = read.get(latticeId);
      const objectId = before?.object_id ?? null;
      leaveTrace.run({ at, reason, latticeId });
      remove.run(latticeId);
      if (before !== undefined) freed(before.user_name_key);
      if (objectId === null) return;
      lost(objectId);
      // What failed was the old account: the person is matched anew in the next cycle, not when the old failure is over.
      retryNow.run(objectId);
      setRemoved.run({ removed: 1, objectId });
      markReports.run(objectId);
      retryReports.run(objectId);
    },
  };
}

interface AccountColumns {
  readonly latticeId: string;
  readonly userName: string;
  readonly userNameKey: string;
  readonly externalId: string | null;
  readonly active: number;
  readonly activeKnown: number;
  readonly attributes: string;
  readonly readIn: number;
}

function accountColumns(user: TargetUser, cycleId: number): AccountColumns {
  return {
    latticeId: user.latticeId,
    userName: user.userName,
    userNameKey: user.userName.toLowerCase(),
    externalId: user.externalId,
    active: user.active === false ? 0 : 1,
    activeKnown: user.active === null ? 0 : 1,
    attributes: canonicalJson(user.values),
    readIn: cycleId,
  };
}

/** Lattice as last confirmed, and how people are found in it. */
export function targetPictureMethods(db: Connection, writer: TargetWriter): TargetMethods {
  const together = readTogether(db);
  const missing = db.prepare<[number, string, number], { lattice_id: string; object_id: string }>(
    `SELECT lattice_id, object_id FROM target_user
     WHERE object_id IS NOT NULL AND read_in < ? AND lattice_id > ? ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const forget = db.prepare<[number]>("DELETE FROM target_user WHERE object_id IS NULL AND read_in < ?");
  // Their names are free.
  const retryForgotten = db.prepare<[number]>(
    `UPDATE retry SET next_try_at = 0 WHERE object_id IN
       (SELECT s.object_id FROM target_user t JOIN source_user s ON s.user_name_key = t.user_name_key
        WHERE t.object_id IS NULL AND t.read_in < ?)`,
  );
  const byUserName = db.prepare<[string], TargetRow>(
    "SELECT * FROM target_user WHERE user_name_key = ? LIMIT 3",
  );
  const byExternalId = db.prepare<[string], TargetRow>(
    "SELECT * FROM target_user WHERE external_id = ? LIMIT 3",
  );
  const linkOf = db.prepare<[string], TargetRow>("SELECT * FROM target_user WHERE object_id = ?");
  const sound = db
    .prepare<[string, number], string>(
      `SELECT lattice_id FROM target_user t WHERE object_id IS NOT NULL
         AND object_id NOT IN (SELECT value FROM json_each(?))
         AND NOT EXISTS (SELECT 1 FROM retry WHERE object_id = t.object_id)
         AND NOT EXISTS (SELECT 1 FROM intent WHERE object_id = t.object_id)
       ORDER BY lattice_id LIMIT ?`,
    )
    .pluck();
  const holder = db.prepare<
    [string],
    Omit<NameHolder, "failure"> & { code: string | null; nextTryAt: number | null }
  >(
    `SELECT t.object_id AS objectId, t.user_name AS userName, s.user_name_key AS wanted, r.code, r.next_try_at AS nextTryAt
     FROM target_user t JOIN source_user s ON s.object_id = t.object_id LEFT JOIN retry r ON r.object_id = t.object_id
     WHERE t.user_name_key = ? AND s.presence <> 'deleted' LIMIT 1`,
  );
  const byId = db.prepare<[string], TargetRow>("SELECT * FROM target_user WHERE lattice_id = ?");
  const idOf = db.prepare<[string], { lattice_id: string }>(
    "SELECT lattice_id FROM target_user WHERE object_id = ? AND missing_since IS NULL",
  );
  const miss = db.prepare<
    { latticeId: string; now: number },
    { missing_since: number; object_id: string | null }
  >(
    `UPDATE target_user SET missing_since = coalesce(missing_since, :now) WHERE lattice_id = :latticeId
     RETURNING missing_since, object_id`,
  );
  const mark = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE object_id = ?");
  const missingNow = db.prepare<[number, string, number], { lattice_id: string; missing_since: number }>(
    `SELECT lattice_id, missing_since FROM target_user
     WHERE missing_since IS NOT NULL AND missing_since <= ? AND lattice_id > ? ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const others = db.prepare<[string, number], { lattice_id: string }>(
    `SELECT lattice_id FROM target_user WHERE lattice_id <> ? AND missing_since IS NULL
     ORDER BY object_id IS NULL, active = 0, lattice_id LIMIT ${given("?")}`,
  );
  const acknowledged = db.prepare<[], { attribute: string; accounts: number; observed: number }>(
    `SELECT a.key AS attribute, count(*) AS accounts, count(json_extract(a.value, '$.observed')) AS observed
     FROM target_user, json_each(acknowledged) a
     WHERE acknowledged <> '{}' AND object_id IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  const shows = db
    .prepare<[string], number>(
      `SELECT EXISTS (SELECT 1 FROM target_user WHERE object_id IS NOT NULL
         AND EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ?))`,
    )
    .pluck();
  const lost = db.prepare<[number], { count: number }>(
    "SELECT count(*) AS count FROM lost_link WHERE dissolved_at >= ?",
  );
  const identity = db.prepare<[string], Pick<TargetRow, "user_name" | "external_id" | "object_id">>(
    "SELECT user_name, external_id, object_id FROM target_user WHERE lattice_id = ?",
  );
  const saveAll = db.transaction((users: readonly TargetUser[], cycleId: number) => {
    for (const user of users) writer.save(user, cycleId);
  });

  return {
    saveTargets: async (users, cycleId) => saveAll.immediate(users, cycleId),
    targetsMissing: async (cycleId, after, limit) =>
      missing
        .all(cycleId, after, limit)
        .map((row) => ({ latticeId: row.lattice_id, objectId: row.object_id })),
    forgetTargetsMissing: async (cycleId) => {
      db.transaction(() => {
        retryForgotten.run(cycleId);
        forget.run(cycleId);
      }).immediate();
    },
    unlink: async (latticeId, dissolved) => {
      db.transaction(() => writer.unlink(latticeId, dissolved)).immediate();
    },
    noteMissing: async (latticeId, now) =>
      db
        .transaction(() => {
          const row = miss.get({ latticeId, now });
          if (row !== undefined && row.object_id !== null) mark.run(row.object_id);
          return row?.missing_since ?? now;
        })
        .immediate(),
    missingAccounts: async (before, after, limit) =>
      missingNow
        .all(before, after, limit)
        .map((row) => ({ latticeId: row.lattice_id, missingSince: row.missing_since })),
    otherAccounts: async (latticeId, limit) => others.all(latticeId, limit).map((row) => row.lattice_id),
    countAcknowledged: async () =>
      acknowledged.all().map(({ attribute, accounts, observed }) => ({
        attribute,
        accounts,
        shown: observed > 0 || shows.get(attribute) === 1,
      })),
    countLostLinks: async (since) => lost.get(since)?.count ?? 0,
    matches: async (requests) =>
      together(
        () =>
          new Map(
            requests.map(({ objectId, userName, externalId, lost: ids }) => [
              objectId,
              {
                byUserName: userName === null ? [] : byUserName.all(userName.toLowerCase()).map(matched),
                byExternalId: externalId === null ? [] : byExternalId.all(externalId).map(matched),
                byLostLink: ids.flatMap((id) => byId.all(id).map(matched)),
              },
            ]),
          ),
      ),
    nameHolders: async (keys) =>
      together(
        () =>
          new Map(
            keys.flatMap((key): [string, NameHolder][] => {
              const row = holder.get(key);
              if (row === undefined) return [];
              const { code, nextTryAt, ...known } = row;
              const failure = code === null || nextTryAt === null ? null : { code, nextTryAt };
              return [[key, { ...known, failure }]];
            }),
          ),
      ),
    latticeIdOf: async (objectId) => idOf.get(objectId)?.lattice_id ?? null,
    latticeIdsOf: async (objectIds) =>
      together(
        () =>
          new Map(
            objectIds.flatMap((objectId): [string, string][] => {
              const row = idOf.get(objectId);
              return row === undefined ? [] : [[objectId, row.lattice_id]];
            }),
          ),
      ),
    soundAccounts: async (except, limit) => sound.all(JSON.stringify(except), limit),
    linkOf: async (objectId) => {
      const row = linkOf.get(objectId);
      return row === undefined ? null : linkedTarget(row);
    },
    ownerOf: async (latticeId) => byId.get(latticeId)?.object_id ?? null,
    accountOf: async (latticeId) => {
      const row = byId.get(latticeId);
      return row === undefined ? null : { ...matched(row), readIn: row.read_in };
    },
    identitiesOf: async (latticeIds) =>
      together(
        () =>
          new Map(
            latticeIds.flatMap((latticeId): [string, AccountIdentity][] => {
              const row = identity.get(latticeId);
              if (row === undefined) return [];
              return [
                [
                  latticeId,
                  { userName: row.user_name, externalId: row.external_id, linkedTo: row.object_id },
                ],
              ];
            }),
          ),
      ),
  };
}

function matched(row: TargetRow): MatchedTarget {
  return { ...linkedTarget(row), linkedTo: row.object_id };
}
