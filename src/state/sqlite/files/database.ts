import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { StateError } from "../../../domain/errors.ts";
import type { LeaseHolder } from "../../../domain/state/lease.ts";
import { refuseUnderLease } from "../lease.ts";
import { tune } from "../tuning.ts";
import {
  codeOf,
  DamagedStateError,
  type FileInWords,
  notAFile,
  stateDatabase,
  withFileErrors,
} from "./errors.ts";
import { isOutdated, migrate, refuseUnknownSchema, schemaVersion } from "./schema.ts";
import { avoidTemporaryFiles, inMemory, type ScratchCopy, scratchCopyOf } from "./scratch-copy.ts";

export type Connection = Database.Database;

const busyTimeoutMs = 5_000;
/** A file up to this size is checked each time it is opened; that takes a tenth of a second at most. */
const quickToCheckBytes = 32 * 1_024 * 1_024;
/** A larger file is checked once a day, and after each run that did not end properly. */
const checkEveryMs = 24 * 60 * 60_000;

/**
 * Opens the state database, and creates or migrates it if necessary. Only its owner can read the file. An existing file is
 * checked first (`quick_check`), a large one once a day. A file that is damaged, newer or another program's is not changed.
 * @param hasEnded whether the process that holds the lease has certainly ended
 * @throws StateError: unwritable folder, not a database, damaged, made by a newer version; LeaseHeldError if it must be
 * migrated while a run of the older version is under way
 */
export function openDatabase(
  path: string,
  hasEnded: (holder: LeaseHolder) => boolean = () => false,
): Connection {
  const file = stateDatabase(path);
  return withFileErrors(file, () => {
    const now = Date.now();
    const checked = path !== ":memory:" && !makePrivateFile(path) && refuseDamaged(path, now);
    const db = new Database(path, { timeout: busyTimeoutMs });
    return orClose(db, () => {
      db.pragma("journal_mode = WAL");
      // FULL: writes that the log calls confirmed survive a power cut. Group commit keeps that cheap; `mayBeLost` is the exception.
      db.pragma("synchronous = FULL");
      tune(db);
      db.pragma("foreign_keys = ON");
      avoidTemporaryFiles(db);
      migrate(db, file, (open) => refuseUnderLease(open, file, now, hasEnded));
      if (checked) noteCheck(db, now);
      return db;
    });
  });
}

/**
 * Opens an existing database for reading only; `null` if there is none yet, or an empty file. A database of an older version
 * is read as a migrated copy.
 * @param how whether it is checked first, which takes about a tenth of a second for 20,000 people
 * @throws StateError
 */
export function openReadOnly(path: string, how: { readonly check: boolean }): Connection | null {
  const file = stateDatabase(path, "read");
  const db = openUnchanged(path, file);
  if (db === null) return null;
  return withFileErrors(file, () =>
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
 * A private copy of the database for a dry run, which may write to it; the copy vanishes when it is closed. The original is
 * opened read-only. If there is no database yet, the copy is empty.
 * @throws StateError
 */
export function openScratchCopy(path: string): ScratchCopy {
  const file = stateDatabase(path, "read");
  const original = openUnchanged(path, file);
  if (original === null) return emptyScratch(path);
  return withFileErrors(file, () =>
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
 * Checks an existing file without changing it.
 * @param pragma `quick_check`: structure and types; `integrity_check`: also the content of the indexes
 * @returns the faults, in SQLite's words; empty if there are none
 */
export function findingsOf(
  db: Connection,
  pragma: "quick_check" | "integrity_check",
  most: number,
): readonly string[] {
  const lines = db.prepare<[], string>(`PRAGMA ${pragma}(${most})`).pluck().all();
  return lines.filter((line) => line !== "ok");
}

/**
 * Opens an existing file for reading only; `null` if there is none.
 * @throws StateError also if the file is empty but has a journal: then it has lost its content
 */
export function openUnchanged(path: string, file: FileInWords): Connection | null {
  return withFileErrors(file, () => {
    const found = statOf(path);
    if (found === null) return null;
    if (!found.isFile()) throw new StateError(notAFile(file, found.isDirectory() ? "a folder" : "a device"));
    // SQLite would treat it as a new database, and delete the log that holds the rest of the content.
    if (found.size === 0 && (statOf(`${path}-wal`)?.size ?? 0) > 0) {
      throw new DamagedStateError(file, "its content is missing; only its write-ahead log exists");
    }
    return openToRead(path);
  });
}

/**
 * To read a database, SQLite makes two files next to it. If that is not possible (a read-only volume), the file's content is
 * read into memory, but only if it has no log: then no other process has it open, and the file is complete.
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
    // The caller's first query finds and reports any other fault.
  }
  return db;
}

/** `true` for a file without any content. SQLite treats it as a new database, whatever it held before. @throws StateError */
export function isEmptyFile(path: string): boolean {
  return withFileErrors(stateDatabase(path), () => statOf(path)?.size === 0);
}

/** `null` if nothing has that name. */
export function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/**
 * @param now milliseconds since the epoch
 * @returns whether the file was large and was checked, so that the time of the check must be noted
 */
function refuseDamaged(path: string, now: number): boolean {
  const file = stateDatabase(path);
  // A run that ended properly leaves no log. There is one if a run was killed, or if a process has the file open.
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

/** Whatever the umask, other users cannot write into a folder that this program made: they could replace the files in it. */
const folderMode = 0o775;

/** Makes the folder and those above it, one by one: Node's own `recursive` never returns below `/proc`, where none can be made. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, folderMode);
  } catch (error) {
    // Another process may have made it in between.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/**
 * Gives a file that root made to the user of the service, who could not open it otherwise. SQLite does the same for its own
 * files.
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
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    // Maybe since a moment ago, by another process. A link to nothing is no file.
    if (codeOf(error) === "EEXIST" && existsSync(path)) return false;
    throw error;
  }
  giveToOwnerOf(dirname(path), path);
  // SQLite applies no log to an empty file: one that was left without its database is deleted.
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
