import type Database from "better-sqlite3";

const kept = "SELECT source_users, skipped, linked, linked_active, linked_skipped FROM tally";
const counted = `SELECT
  (SELECT count(*) FROM source_user) AS source_users,
  (SELECT count(*) FROM source_user WHERE skip_code IS NOT NULL) AS skipped,
  (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL) AS linked,
  (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL AND active = 1) AS linked_active,
  (SELECT count(*) FROM source_user JOIN target_user USING (object_id) WHERE skip_code IS NOT NULL) AS linked_skipped`;

/** What is wrong with the counts that the database keeps; `null` where they are those of its tables. */
export function tallyFault(db: Database.Database): string | null {
  const [found, wanted] = [kept, counted].map((sql) => JSON.stringify(db.prepare(sql).all()));
  return found === wanted ? null : `the tally says ${found}, the tables hold ${wanted}`;
}
