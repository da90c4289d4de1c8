import type { LeavingEvent } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/store.ts";
import type { Connection } from "./files/database.ts";

type DueMethods = Pick<
  StateStore,
  "markDue" | "beginFilterGroups" | "stageFilterGroup" | "commitFilterGroups" | "countLeaving"
>;

/** What people can share: whoever does is looked at again with the one who moved. */
const keys = ["user_name_key", "external_id_key"] as const;

/** What marks people although nothing of theirs changed in the directory: time, and groups that scoping filters name. */
export function dueMethods(db: Connection): DueMethods {
  const markNamesakes = keys.map((key) =>
    db.prepare<{ now: number }>(
      `UPDATE source_user SET pending = 1 WHERE pending = 0 AND ${key} IN
         (SELECT ${key} FROM source_user WHERE look_again_at <= :now AND ${key} IS NOT NULL)`,
    ),
  );
  const mark = db.prepare<{ now: number }>(
    "UPDATE source_user SET pending = 1, look_again_at = NULL WHERE look_again_at <= :now",
  );
  const markAll = db.transaction((now: number) => {
    for (const statement of markNamesakes) statement.run({ now });
    return mark.run({ now }).changes;
  });
  const stage = db.prepare<[string, string]>(
    "INSERT OR IGNORE INTO filter_group_staging (object_id, group_name) VALUES (?, ?)",
  );
  const leaving = db.prepare<{ event: LeavingEvent; since: number }, { count: number }>(
    `SELECT count(*) AS count FROM leaving_event JOIN target_user USING (object_id)
     WHERE event = :event AND since >= :since AND active = 1`,
  );
  return {
    markDue: async (now) => markAll(now),
    beginFilterGroups: async () => {
      db.exec("DELETE FROM filter_group_staging");
    },
    stageFilterGroup: async (group, objectIds) => {
      db.transaction(() => {
        for (const objectId of objectIds) stage.run(objectId, group);
      })();
    },
    commitFilterGroups: async () => commitGroups(db),
    countLeaving: async (event, since) => leaving.get({ event, since })?.count ?? 0,
  };
}

/** Applies the difference alone: most cycles have none. */
function commitGroups(db: Connection): { readonly moved: number } {
  const missingFrom = (one: string, other: string): string =>
    `SELECT object_id, group_name FROM ${one} AS one WHERE NOT EXISTS
       (SELECT 1 FROM ${other} AS other WHERE other.object_id = one.object_id AND other.group_name = one.group_name)`;
  const entered = missingFrom("filter_group_staging", "filter_group_member");
  const left = missingFrom("filter_group_member", "filter_group_staging");
  return db
    .transaction(() => {
      db.exec(`CREATE TEMP TABLE IF NOT EXISTS moved_person (object_id TEXT PRIMARY KEY) WITHOUT ROWID;
        DELETE FROM moved_person;
        INSERT OR IGNORE INTO moved_person SELECT object_id FROM (${entered});
        INSERT OR IGNORE INTO moved_person SELECT object_id FROM (${left})`);
      const moved =
        db.prepare<[], { count: number }>("SELECT count(*) AS count FROM moved_person").get()?.count ?? 0;
      if (moved > 0) {
        db.exec(`INSERT INTO filter_group_member (object_id, group_name) ${entered};
          DELETE FROM filter_group_member WHERE (object_id, group_name) IN (${left});
          ${markMoved("SELECT object_id FROM moved_person").join(";")};
          DELETE FROM moved_person`);
      }
      db.exec("DELETE FROM filter_group_staging");
      return { moved };
    })
    .immediate();
}

/**
 * Who came or went is planned and tried at once, and whoever shares the name of one is looked at again.
 * @param people SQL that selects object ids
 * @returns statements of SQL
 */
export function markMoved(people: string): readonly string[] {
  return [
    `UPDATE source_user SET pending = 1 WHERE object_id IN (${people})`,
    `UPDATE retry SET next_try_at = 0 WHERE object_id IN (${people})`,
    ...keys.map(
      (key) => `UPDATE source_user SET pending = 1 WHERE pending = 0 AND ${key} IN
       (SELECT ${key} FROM source_user WHERE object_id IN (${people}) AND ${key} IS NOT NULL)`,
    ),
    // A leaver whose account has the name of one gives it up only where somebody else needs it.
    `UPDATE source_user SET pending = 1 WHERE pending = 0 AND object_id IN
       (SELECT t.object_id FROM source_user s JOIN target_user t ON t.user_name_key = s.user_name_key
        WHERE s.object_id IN (${people}) AND t.object_id <> s.object_id)`,
  ];
}
