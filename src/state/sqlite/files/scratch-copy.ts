import { createHash } from "node:crypto";
import { accessSync, chmodSync, constants, lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { StateError } from "../../../domain/errors.ts";
import { codeOf, explain, type FileInWords, stateDatabase } from "./errors.ts";
import { migrate } from "./schema.ts";

/** A copy of the state database that vanishes when it is closed. */
export interface ScratchCopy {
  readonly db: Database.Database;
  /** What the copy is called in errors. */
  readonly file: FileInWords;
}

/** Where and up to which size copies are made. */
export interface ScratchPlaces {
  /** Default: the system's temporary folder. */
  readonly folder?: string;
  /** Up to this size a copy is held in memory, so that no data of people ever stands in a temporary folder. */
  readonly memoryBytes?: number;
  /** SQLite holds no larger database in memory. */
  readonly mostMemoryBytes?: number;
}

const mebibyte = 1_024 * 1_024;
const prefix = "azure-lattice-sync-";
/** The file has a name for as long as it is being written: a minute for the largest company. */
const abandonedMs = 60 * 60_000;

/** Begins the name of a folder of this process: the machine (a container has a name of its own), and the process. */
function ownPrefix(pid: number): string {
  return `${prefix}${createHash("sha256").update(hostname()).digest("hex").slice(0, 8)}-${pid}-`;
}

/**
 * Copies the database that `original` has open, closes `original`, and brings the copy up to this version's schema. A small
 * database is copied into memory; a large one into the temporary folder, and into memory as well where that folder is
 * missing, read-only or full: a container with a read-only root file system has none.
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
      explain(words, () => inMemory(original.serialize())),
      words,
    );
  } finally {
    original.close();
  }
}

/**
 * Where there is no temporary folder (a read-only root file system has none, unless one is mounted), SQLite keeps in memory
 * what it would write to temporary files, as for a migration that changes many rows.
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

/** A database in memory with the content of a file, which it changes. */
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
    // Opened before its name is taken away.
    db.pragma("schema_version");
    return db;
  } catch (error) {
    if (!/^(E[A-Z]+|SQLITE_(CANTOPEN|FULL|IOERR|READONLY).*)$/.test(codeOf(error))) throw error;
    return { fault: codeOf(error) };
  } finally {
    // Open files live on without a name; where a system keeps them locked the folder is of the temporary kind anyway.
    if (folder !== null) rmSync(folder, { recursive: true, force: true, maxRetries: 1 });
  }
}

/** Removes what a run left in the temporary folder that was killed while it made its copy: people's data. */
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
      // Another run may be removing the same; whatever cannot be removed is tried again by the next.
    }
  }
}

/** A folder that cannot be read holds nothing of ours. */
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
    return explain(file, () => {
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
