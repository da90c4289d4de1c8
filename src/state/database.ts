import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { StateError } from "../domain/errors.ts";

export type Connection = Database.Database;

const migrationsFolder = new URL("./migrations/", import.meta.url);

/**
 * Opens (and makes, and migrates) the state database. The file is readable by its owner alone.
 * @throws StateError: unwritable folder, not a database, made by a newer version
 */
export function openDatabase(path: string): Connection {
  return explain(path, () => {
    if (path !== ":memory:") makePrivateFile(path);
    const db = new Database(path, { timeout: 5_000 });
    try {
      db.pragma("journal_mode = WAL");
      // FULL: what the log calls confirmed survives a power cut; group commit keeps it cheap.
      db.pragma("synchronous = FULL");
      db.pragma("foreign_keys = ON");
      migrate(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  });
}

/** Opens an existing database without the right to change it; `null` where there is none yet. */
export function openReadOnly(path: string): Connection | null {
  if (!existsSync(path)) return null;
  return explain(path, () => {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 5_000 });
    try {
      refuseNewer(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  });
}

/**
 * A private copy of the database to plan on: whatever a dry run writes goes there and vanishes with it.
 * The original is opened read-only. Where there is no database yet, the copy is an empty one.
 */
export function openScratchCopy(path: string): Connection {
  const original = openReadOnly(path);
  if (original === null) return openDatabase(":memory:");
  return explain(path, () => {
    try {
      const folder = scratchFolder();
      if (folder === null) return prepareScratch(new Database(original.serialize()), path);
      const copy = join(folder, "scratch.db");
      try {
        original.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
        chmodSync(copy, 0o600);
        return prepareScratch(new Database(copy), path);
      } finally {
        // Open files live on without a name; where a system keeps them locked the folder is of the temporary kind anyway.
        rmSync(folder, { recursive: true, force: true, maxRetries: 1 });
      }
    } finally {
      original.close();
    }
  });
}

/** `null` where no temporary folder can be written (a read-only root file system): the copy is held in memory then. */
function scratchFolder(): string | null {
  try {
    return mkdtempSync(join(tmpdir(), "azure-lattice-sync-"));
  } catch {
    return null;
  }
}

function prepareScratch(db: Connection, path: string): Connection {
  db.pragma("journal_mode = MEMORY");
  db.pragma("synchronous = OFF");
  db.pragma("foreign_keys = ON");
  migrate(db, path);
  return db;
}

function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
}

interface Migration {
  readonly version: number;
  readonly sql: string;
}

function migrations(): readonly Migration[] {
  return readdirSync(migrationsFolder)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 3)),
      sql: readFileSync(new URL(name, migrationsFolder), "utf8"),
    }));
}

function migrate(db: Connection, path: string): void {
  const known = migrations();
  refuseNewer(db, path, known);
  const version = schemaVersion(db);
  for (const migration of known.filter((candidate) => candidate.version > version)) {
    db.transaction(() => {
      // Another process may have come first between the look and the lock.
      if (schemaVersion(db) >= migration.version) return;
      db.exec(migration.sql);
      db.pragma(`user_version = ${migration.version}`);
    }).immediate();
  }
}

function refuseNewer(db: Connection, path: string, known = migrations()): void {
  const version = schemaVersion(db);
  const newest = known.at(-1)?.version ?? 0;
  if (version > newest) {
    throw new StateError(
      `the state database ${path} has schema ${version}, made by a newer version of azure-lattice-sync (this one knows ${newest}): run that version, or point state.path (ALS_STATE) at another file`,
    );
  }
}

function schemaVersion(db: Connection): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** Runs `action` and turns what the file system or SQLite says into a sentence. */
export function explain<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw stateError(path, error);
  }
}

export function stateError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StateError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const sentence = sentenceFor(code, path);
  return sentence === null ? error : new StateError(sentence, { cause: error });
}

function sentenceFor(code: string, path: string): string | null {
  if (/^(EACCES|EPERM|EROFS|SQLITE_CANTOPEN|SQLITE_READONLY)/.test(code)) {
    return `the state database ${path} cannot be written (${code}): give this user write access to its folder, or set state.path (ALS_STATE) to one that it may write`;
  }
  if (/^(ENOSPC|SQLITE_FULL)/.test(code)) {
    return `the disk of the state database ${path} is full (${code}): free space and run again; nothing half-written is kept`;
  }
  if (/^(ENOTDIR|EISDIR|EEXIST)/.test(code)) {
    return `the state database ${path} is not a file (${code}): set state.path (ALS_STATE) to a file`;
  }
  if (/^(SQLITE_NOTADB|SQLITE_CORRUPT)/.test(code)) {
    return `the state database ${path} is damaged or no database (${code}): restore a backup, or move it away and run again; the next run finds its links anew by matching`;
  }
  if (/^SQLITE_BUSY/.test(code)) {
    return `the state database ${path} is in use by another process (${code}): wait for it, or stop it`;
  }
  if (/^SQLITE_IOERR/.test(code)) {
    return `the state database ${path} cannot be read or written (${code}): check its disk`;
  }
  return null;
}
