import { type Connection, findingsOf, openUnchanged, refuseFindings, statOf } from "./database.ts";
import { ChangedSchemaError, DamagedStateError, stateDatabase, withFileErrors } from "./errors.ts";
import { refuseUnknownSchema, schemaVersion } from "./schema.ts";
import { refuseChangedSchema, schemaFindings } from "./schema-comparison.ts";

/** The content of a database in numbers, for a sentence about it. */
export interface Content {
  readonly sourceUsers: number;
  readonly linked: number;
  /** Start of the last cycle, milliseconds since the epoch; `null` if none ran. */
  readonly lastCycleAt: number | null;
}

export interface Inspection {
  /** Number of its last migration; 0 for an empty file. */
  readonly schema: number;
  readonly bytes: number;
  /** `null` for an empty file. */
  readonly content: Content | null;
  /** The faults, in SQLite's words; empty if there are none. */
  readonly findings: readonly string[];
}

const mostFindings = 20;

/**
 * Checks the whole database, with its indexes and references, without changing it; `null` if there is none.
 * @throws StateError if it cannot be read, is too damaged to be checked, or is not this version's
 */
export function inspectDatabase(path: string): Inspection | null {
  const file = stateDatabase(path, "read");
  const db = openUnchanged(path, file);
  if (db === null) return null;
  try {
    return withFileErrors(file, () => {
      refuseUnknownSchema(db, file);
      const schema = schemaVersion(db);
      const findings = [
        ...findingsOf(db, "integrity_check", mostFindings),
        ...strayRows(db),
        ...schemaFindings(db),
      ];
      return {
        schema,
        bytes: statOf(path)?.size ?? 0,
        content: schema === 0 || findings.length > 0 ? null : contentOf(db),
        findings,
      };
    });
  } finally {
    db.close();
  }
}

/** `true` if the file at `path` is damaged or is not a database; `null` if there is none. @throws StateError if it cannot be read */
export function isDamaged(path: string): boolean | null {
  const file = stateDatabase(path, "read");
  try {
    const db = openUnchanged(path, file);
    if (db === null) return null;
    try {
      withFileErrors(file, () => {
        refuseFindings(db, file);
        refuseChangedSchema(db, file);
      });
      return false;
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof DamagedStateError || error instanceof ChangedSchemaError) return true;
    throw error;
  }
}

/** The content of an undamaged database. */
export function contentOf(db: Connection): Content {
  const count = (from: string): number =>
    db.prepare<[], number>(`SELECT count(*) FROM ${from}`).pluck().get() ?? 0;
  return {
    sourceUsers: count("source_user"),
    linked: count("target_user WHERE object_id IS NOT NULL"),
    lastCycleAt:
      db.prepare<[], number>("SELECT started_at FROM cycle ORDER BY id DESC LIMIT 1").pluck().get() ?? null,
  };
}

/** Rows that refer to rows that are gone, in words; empty if there are none. */
export function strayRows(db: Connection): readonly string[] {
  const rows = db
    .prepare<[], { table: string; parent: string; count: number }>(
      'SELECT "table", parent, count(*) AS count FROM pragma_foreign_key_check GROUP BY 1, 2',
    )
    .all();
  return rows.map(
    ({ table, parent, count }) => `rows of ${table} that refer to a missing ${parent}: ${count}`,
  );
}
