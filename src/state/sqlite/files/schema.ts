import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { StateError } from "../../../domain/errors.ts";
import { packageRoot } from "../../../process/package-root.ts";
import type { FileInWords } from "./errors.ts";

type Connection = Database.Database;

const migrationsFolder = join(packageRoot, "src/state/sqlite/migrations");

/** Tables that every version of the schema has. */
const oldestTables = ["meta", "lease", "cycle", "source_user", "target_user", "operation", "retry", "intent"];

interface Migration {
  readonly version: number;
  readonly sql: string;
}

let read: readonly Migration[] | undefined;

/** The files are part of the program: they are read once. @throws StateError if they are missing */
function migrations(): readonly Migration[] {
  read ??= ofThisProgram(() =>
    readdirSync(migrationsFolder)
      .filter((name) => /^\d{3}-.*\.sql$/.test(name))
      .sort()
      .map((name) => ({
        version: Number(name.slice(0, 3)),
        sql: readFileSync(join(migrationsFolder, name), "utf8"),
      })),
  );
  return read;
}

let readNewest: string | undefined;

/**
 * The schema that all migrations produce together, generated from them (`npm run generate:schema`): 2 ms instead of 26.
 * @throws StateError if it is missing
 */
function newestSchema(): string {
  readNewest ??= ofThisProgram(() => readFileSync(join(migrationsFolder, "newest.sql"), "utf8"));
  return readNewest;
}

function ofThisProgram<T>(readFiles: () => T): T {
  try {
    return readFiles();
  } catch (error) {
    throw incomplete(error instanceof Error ? error.message : String(error));
  }
}

function incomplete(why: string): StateError {
  return new StateError(`this installation of azure-lattice-sync is incomplete (${why}): install it again`);
}

/** SQL that makes a new database of that version, in order. */
export function migrationsUpTo(version: number): readonly string[] {
  return migrations().flatMap((migration) => (migration.version <= version ? [migration.sql] : []));
}

/**
 * Brings the schema up to this version: a new database in one step, an older one in a transaction for each migration.
 * @param allowed called within the transaction of each migration if there are tables; throws while a run works with them
 * @throws StateError, what `allowed` throws
 */
export function migrate(
  db: Connection,
  file: FileInWords,
  allowed: (db: Connection) => void = () => {},
): void {
  const known = migrations();
  refuseUnknownSchema(db, file, known);
  if (schemaVersion(db) === 0) {
    db.transaction(() => {
      // Another process may have made it before this one got the lock.
      if (schemaVersion(db) === 0) db.exec(newestSchema());
      if (schemaVersion(db) === 0) throw incomplete("newest.sql was cut short");
    }).immediate();
  }
  const version = schemaVersion(db);
  for (const migration of known.filter((candidate) => candidate.version > version)) {
    db.transaction(() => {
      // Another process may have migrated it before this one got the lock.
      if (schemaVersion(db) >= migration.version) return;
      allowed(db);
      apply(db, migration);
    }).immediate();
  }
}

function apply(db: Connection, { version, sql }: Migration): void {
  db.exec(sql);
  db.pragma(`user_version = ${version}`);
}

/** @throws StateError if a newer version of this program, or another program, made it */
export function refuseUnknownSchema(db: Connection, file: FileInWords, known = migrations()): void {
  const version = schemaVersion(db);
  const newest = newestVersion(known);
  if (version > newest) {
    throw new StateError(
      `${file.name} has schema ${version}, created by a newer version of azure-lattice-sync (this version supports ${newest}): run that version, or ${file.elsewhere}`,
    );
  }
  const tables = tablesOf(db);
  if (version === 0 ? tables.size > 0 : oldestTables.some((table) => !tables.has(table))) {
    throw new StateError(`${file.name} is the database of another program: ${file.elsewhere}`);
  }
}

/** Number of the last migration that was applied; 0 for a database without any table of ours. */
export function schemaVersion(db: Connection): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** `true` if a migration is still to be applied. */
export function isOutdated(db: Connection): boolean {
  return schemaVersion(db) < newestVersion();
}

/** Number of the schema that this program works with. */
export function newestVersion(known: readonly Migration[] = migrations()): number {
  return known.at(-1)?.version ?? 0;
}

function tablesOf(db: Connection): ReadonlySet<string> {
  const rows = db.prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  return new Set(rows.map(({ name }) => name));
}
