import { createHash } from "node:crypto";
import { accessSync, chmodSync, constants, lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { StateError } from "../../../domain/errors.ts";
import { codeOf, type FileInWords, stateDatabase, withFileErrors } from "./errors.ts";
import { migrate } from "./schema.ts";

/** A copy of the state database that vanishes when it is closed. */
export interface ScratchCopy {
  readonly db: Database.Database;
  /** How error messages name the copy. */
  readonly file: FileInWords;
}

/** The places for copies, and their limits. */
export interface ScratchPlaces {
  /** Default: the system's temporary folder. */
  readonly folder?: string;
  /** A copy up to this size is held in memory, so that data of people does not get into a temporary folder. */
  readonly memoryBytes?: number;
  /** The largest database that SQLite can hold in memory. */
  readonly mostMemoryBytes?: number;
}

const mebibyte = 1_024 * 1_024;
const prefix = "azure-lattice-sync-";
/** A copy older than this was abandoned: its file has a name only while it is written, a minute for the largest company. */
const abandonedMs = 60 * 60_000;

/** How folder names of this process begin: the name of the machine or container, then the process. */
function ownPrefix(pid: number): string {
  return `${prefix}${createHash("sha256").update(hostname()).digest("hex").slice(0, 8)}-${pid}-`;
}

/**
 * Copies the database that `original` has open, closes `original`, and brings the copy up to this version's schema. A small
 * database is copied into memory, a large one into the temporary folder. If that folder is missing (as in a container with a
 * read-only root file system), read-only or full, a large one is copied into memory too.
 * @param path of the original, for messages
 * @throws StateError
 */
export function scratchCopyOf(
  original: Database.Database,
  path: string,
  places: ScratchPlaces = {},
): ScratchCopy {
  const { folder = tmpdir(), memoryBytes = 64 * mebibyte, mostMemoryBytes = 960 * mebibyte } = places;
  try {
    const bytes = sizeOf(original);
    sweepCopies(folder);
    const onDisk = bytes > memoryBytes ? copyToFolder(original, folder) : null;
    if (onDisk !== null && !("fault" in onDisk)) return prepared(onDisk, copyInFolder(path, folder));
    if (onDisk !== null && bytes > mostMemoryBytes) {
      throw new StateError(
        `the state database ${path} (${Math.round(bytes / mebibyte)} MB) must be copied for this, but the temporary folder ${folder} cannot hold the copy (${onDisk.fault}): set TMPDIR to a folder with enough space.`,
      );
    }
    const words = copyInMemory(path);
    return prepared(
      withFileErrors(words, () => inMemory(original.serialize())),
      words,
    );
  } finally {
    original.close();
  }
}

/**
 * If there is no temporary folder (as on a read-only root file system, unless one is mounted), SQLite keeps temporary data
 * in memory, for example during a migration that changes many rows.
 */
export function avoidTemporaryFiles(db: Database.Database): void {
  try {
    accessSync(tmpdir(), constants.W_OK);
  } catch {
    db.pragma("temp_store = MEMORY");
  }
}

function copyInMemory(path: string): FileInWords {
  return {
    ...stateDatabase(path),
    name: `the copy of the state database ${path} in memory`,
    elsewhere: "set TMPDIR to a writable folder",
  };
}

function copyInFolder(path: string, folder: string): FileInWords {
  return {
    ...stateDatabase(path),
    name: `the temporary copy of the state database in ${folder}`,
    elsewhere: "set TMPDIR to another folder",
  };
}

function sizeOf(db: Database.Database): number {
  return Number(db.pragma("page_count", { simple: true })) * Number(db.pragma("page_size", { simple: true }));
}

/** A database in memory with the content of a file. Changes the given buffer. */
export function inMemory(content: Buffer, options: Database.Options = {}): Database.Database {
  // The format versions for reading and writing: 2 says that there is a write-ahead log, which a database in memory cannot have.
  content[18] = 1;
  content[19] = 1;
  return new Database(content, options);
}

/** The copy, or why the folder cannot take it. */
function copyToFolder(
  original: Database.Database,
  parent: string,
): Database.Database | { readonly fault: string } {
  let folder: string | null = null;
  try {
    folder = mkdtempSync(join(parent, ownPrefix(process.pid)));
    const copy = join(folder, "scratch.db");
    original.prepare("VACUUM INTO ?").run(copy);
    chmodSync(copy, 0o600);
    const db = new Database(copy);
    // This query makes SQLite open the file before its name is removed.
    db.pragma("schema_version");
    return db;
  } catch (error) {
    if (!/^(E[A-Z]+|SQLITE_(CANTOPEN|FULL|IOERR|READONLY).*)$/.test(codeOf(error))) throw error;
    return { fault: codeOf(error) };
  } finally {
    // An open file lives on without its name. On a system that does not allow this, the file stays in the temporary folder.
    if (folder !== null) rmSync(folder, { recursive: true, force: true, maxRetries: 1 });
  }
}

/** Removes copies, which hold people's data, that were left in the temporary folder by runs that were killed. */
export function sweepCopies(parent = tmpdir()): void {
  for (const name of namesIn(parent)) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(parent, name);
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true || stats.uid !== process.getuid?.()) continue;
    const pid = Number(name.split("-").at(-2));
    const ended = Number.isSafeInteger(pid) && pid > 0 && name.startsWith(ownPrefix(pid)) && !isAlive(pid);
    if (!ended && Date.now() - stats.mtimeMs < abandonedMs) continue;
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 1 });
    } catch {
      // Another run may be removing it at the same time. If it cannot be removed, the next run tries again.
    }
  }
}

/** Names in a folder; none if it cannot be read, because then it holds nothing of ours. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function prepared(db: Database.Database, file: FileInWords): ScratchCopy {
  try {
    return withFileErrors(file, () => {
      db.pragma("journal_mode = MEMORY");
      db.pragma("synchronous = OFF");
      db.pragma("foreign_keys = ON");
      db.pragma("temp_store = MEMORY");
      migrate(db, file);
      return { db, file };
    });
  } catch (error) {
    db.close();
    throw error;
  }
}
