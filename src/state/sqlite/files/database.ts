import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { StateError } from "../../../domain/errors.ts";
import type { LeaseHolder } from "../../../domain/state/lease.ts";
import { refuseUnderLease } from "../lease.ts";
import { codeOf, DamagedStateError, explain, type FileInWords, notAFile, stateDatabase } from "./errors.ts";
import { isOutdated, migrate, refuseUnknownSchema, schemaVersion } from "./schema.ts";
import { avoidTemporaryFiles, inMemory, type ScratchCopy, scratchCopyOf } from "./scratch-copy.ts";

export type Connection = Database.Database;

const busyTimeoutMs = 5_000;
const cacheKibibytes = 32 * 1_024;
/** Up to this size a look through takes no longer than a tenth of a second, and every opening begins with one. */
const quickToCheckBytes = 32 * 1_024 * 1_024;
/** A larger file is looked through once a day, and after every run that did not end properly. */
const checkEveryMs = 24 * 60 * 60_000;

/**
 * Opens (and makes, and migrates) the state database. The file is readable by its owner alone. A file that was there is
 * looked through first (`quick_check`), a large one once a day; one that is damaged, newer or another program's is left
 * as it is.
 * @param hasEnded whether the process that holds the lease has certainly ended
 * @throws StateError: unwritable folder, not a database, damaged, made by a newer version; LeaseHeldError where it is to be
 * migrated while a run of the older version is under way
 */
export function openDatabase(
  path: string,
  hasEnded: (holder: LeaseHolder) => boolean = () => false,
): Connection {
  const file = stateDatabase(path);
  return explain(file, () => {
    const now = Date.now();
    const checked = path !== ":memory:" && !makePrivateFile(path) && refuseDamaged(path, now);
    const db = new Database(path, { timeout: busyTimeoutMs });
    return orClose(db, () => {
      db.pragma("journal_mode = WAL");
      // FULL: what the log calls confirmed survives a power cut; group commit keeps it cheap.
      db.pragma("synchronous = FULL");
      // People are looked up by random ids.
      db.pragma(`cache_size = -${cacheKibibytes}`);
      db.pragma("foreign_keys = ON");
      avoidTemporaryFiles(db);
      migrate(db, file, (open) => refuseUnderLease(open, file, now, hasEnded));
      if (checked) noteCheck(db, now);
      return db;
    });
  });
}

/**
 * Opens an existing database without the right to change it; `null` where there is none yet, or an empty file. One of an
 * older version is read as a migrated copy.
 * @param how whether it is looked through first, which takes about a tenth of a second for 20,000 people
 * @throws StateError
 */
export function openReadOnly(path: string, how: { readonly check: boolean }): Connection | null {
  const file = stateDatabase(path, "read");
  const db = openUnchanged(path, file);
  if (db === null) return null;
  return explain(file, () =>
    orClose(db, () => {
      refuseUnknownSchema(db, file);
      if (how.check) refuseFindings(db, file);
      if (schemaVersion(db) === 0) {
        db.close();
        return null;
      }
      return isOutdated(db) ? scratchCopyOf(db, path).db : db;
    }),
  );
}

/**
 * A private copy of the database to plan on: whatever a dry run writes goes there and vanishes with it.
 * The original is opened read-only. Where there is no database yet, the copy is an empty one.
 * @throws StateError
 */
export function openScratchCopy(path: string): ScratchCopy {
  const file = stateDatabase(path, "read");
  const original = openUnchanged(path, file);
  if (original === null) return emptyScratch(path);
  return explain(file, () =>
    orClose(original, () => {
      refuseUnknownSchema(original, file);
      refuseFindings(original, file);
      if (schemaVersion(original) > 0) return scratchCopyOf(original, path);
      original.close();
      return emptyScratch(path);
    }),
  );
}

function emptyScratch(path: string): ScratchCopy {
  return { db: openDatabase(":memory:"), file: stateDatabase(path) };
}

/**
 * Looks through an existing file without changing it.
 * @param pragma `quick_check`: structure and types; `integrity_check`: the indexes' content as well
 * @returns what was found, in SQLite's words; empty where all is well
 */
export function findingsOf(
  db: Connection,
  pragma: "quick_check" | "integrity_check",
  most: number,
): readonly string[] {
  const lines = db.prepare<[], string>(`PRAGMA ${pragma}(${most})`).pluck().all();
  return lines.filter((line) => line !== "ok");
}

/** Opens a file that was there to read alone; `null` where there is none. A file without content but with a journal has lost it. */
export function openUnchanged(path: string, file: FileInWords): Connection | null {
  return explain(file, () => {
    const found = statOf(path);
    if (found === null) return null;
    if (!found.isFile()) throw new StateError(notAFile(file, found.isDirectory() ? "a folder" : "a device"));
    // SQLite would take it for a new database, and delete the log that holds what is left.
    if (found.size === 0 && (statOf(`${path}-wal`)?.size ?? 0) > 0) {
      throw new DamagedStateError(file, "its content is missing; only its write-ahead log exists");
    }
    return openToRead(path);
  });
}

/**
 * SQLite makes two files beside a database to read it. Where it may not (a read-only volume), the file's content is read
 * into memory, provided that no log is there: then no other process has it open, and nothing is missing from the file.
 */
function openToRead(path: string): Connection {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    db.pragma("schema_version");
  } catch (error) {
    const hasNoLog = (): boolean => (statOf(`${path}-wal`)?.size ?? 0) === 0;
    if (codeOf(error) === "SQLITE_CANTOPEN" && hasNoLog()) {
      const content = readFileSync(path);
      if (hasNoLog()) {
        db.close();
        return inMemory(content, { readonly: true });
      }
    }
    // Whatever else is wrong is found, and said, by the caller's first look.
  }
  return db;
}

/** Whether there is a file without any content: for SQLite a new database, whatever it held before. @throws StateError */
export function isEmptyFile(path: string): boolean {
  return explain(stateDatabase(path), () => statOf(path)?.size === 0);
}

/** `null` where there is nothing of that name. */
export function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/**
 * @param now milliseconds since the epoch
 * @returns whether the file was large, and looked through: to be noted
 */
function refuseDamaged(path: string, now: number): boolean {
  const file = stateDatabase(path);
  // Of a run that ended properly no log is left; a process that has the file open leaves one too.
  const closed = (statOf(`${path}-wal`)?.size ?? 0) === 0;
  const db = openUnchanged(path, file);
  if (db === null) return false;
  try {
    refuseUnknownSchema(db, file);
    const large = (statOf(path)?.size ?? 0) > quickToCheckBytes;
    if (large && closed && wasChecked(db, now)) return false;
    refuseFindings(db, file);
    return large;
  } finally {
    db.close();
  }
}

function wasChecked(db: Connection, now: number): boolean {
  const at = db.prepare<[], string>("SELECT value FROM meta WHERE key = 'checkedAt'").pluck().get();
  const age = now - Number(at ?? Number.NaN);
  return age >= 0 && age < checkEveryMs;
}

function noteCheck(db: Connection, now: number): void {
  db.prepare<[string]>(
    "INSERT INTO meta (key, value) VALUES ('checkedAt', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  ).run(String(now));
}

/** @throws StateError naming the first finding */
export function refuseFindings(db: Connection, file: FileInWords): void {
  const [first] = findingsOf(db, "quick_check", 1);
  if (first !== undefined) throw new DamagedStateError(file, oneLine(first));
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 200);
}

/** Whatever the umask, other users write into no folder of this program's making: what is in it could be replaced. */
const folderMode = 0o775;

/** Makes the folder and those above it, step by step: Node's own `recursive` never ends where a system makes none (`/proc`). */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, folderMode);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/**
 * What root makes beside a service belongs to the user of the service, who could not open it otherwise. SQLite does so for
 * its own files.
 * @param from a file or folder of that user
 */
export function giveToOwnerOf(from: string, path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(from);
  if (uid !== 0) chownSync(path, uid, gid);
}

/** @returns whether the file is new */
function makePrivateFile(path: string): boolean {
  makeFolder(dirname(path));
  if (existsSync(path)) return false;
  closeSync(openSync(path, "wx", 0o600));
  giveToOwnerOf(dirname(path), path);
  // A log without its database belongs to nothing.
  for (const journal of ["-wal", "-shm", "-journal"]) rmSync(`${path}${journal}`, { force: true });
  return true;
}

function orClose<T>(db: Connection, action: () => T): T {
  try {
    return action();
  } catch (error) {
    db.close();
    throw error;
  }
}
