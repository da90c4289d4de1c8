import type Database from "better-sqlite3";

const kept =
  "SELECT source_users, skipped, linked, linked_active, linked_skipped, linked_unknown, linked_unknown_active FROM tally";
const ofUnknown = `FROM target_user t
  WHERE object_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source_user WHERE object_id = t.object_id)`;
const counted = `SELECT
  (SELECT count(*) FROM source_user) AS source_users,
  (SELECT count(*) FROM source_user WHERE skip_code IS NOT NULL) AS skipped,
  (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL) AS linked,
  (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL AND active = 1) AS linked_active,
  (SELECT count(*) FROM source_user JOIN target_user USING (object_id) WHERE skip_code IS NOT NULL) AS linked_skipped,
  (SELECT count(*) ${ofUnknown}) AS linked_unknown,
  (SELECT count(*) ${ofUnknown} AND active = 1) AS linked_unknown_active`;

const names = "SELECT lower(user_name) AS name, object_id FROM logged_name ORDER BY 1, 2";
const loggedNames = "SELECT DISTINCT lower(user_name) AS name, object_id FROM operation ORDER BY 1, 2";

/** The faults of the counts and names that triggers keep; `null` if they match the tables. */
export function tallyFault(db: Database.Database): string | null {
  return tallyFaults(db)();
}

/** The same, prepared for repeated calls. */
export function tallyFaults(db: Database.Database): () => string | null {
  const reader = (sql: string): (() => string) => {
    const statement = db.prepare(sql);
    return () => JSON.stringify(statement.all());
  };
  const [tally, tables, log, entries] = [reader(kept), reader(counted), reader(names), reader(loggedNames)];
  return () => {
    if (tally() !== tables()) return `the tally says ${tally()}, the tables hold ${tables()}`;
    if (log() === entries()) return null;
    return `the names of the log are ${log()}, its entries have ${entries()}`;
  };
}
