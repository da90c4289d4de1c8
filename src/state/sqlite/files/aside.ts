import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { UsageError } from "../../../domain/errors.ts";
import { type Connection, statOf } from "./database.ts";
import { avoidTemporaryFiles } from "./scratch-copy.ts";

// Database files that are made under another name, next to the place where they will be: a process that sees a file under its own name sees a
// complete one.

/**
 * Refuses a name at which no new file can be put.
 * @throws UsageError
 */
export function refuseTaken(file: string, how: { readonly force: boolean }): void {
  const taken = statOf(file);
  if (taken !== null && !taken.isFile()) {
    throw new UsageError(`${file} is not a file: choose another name. Nothing was done`);
  }
  if (taken !== null && !how.force) {
    throw new UsageError(
      `${file} already exists: choose another name, or overwrite it with --force. Nothing was done`,
    );
  }
  for (const journal of [`${file}-wal`, `${file}-journal`]) {
    // SQLite would treat this file as a part of the new one.
    if (statOf(journal) !== null) {
      throw new UsageError(`${file} is a database in use (${journal} is its journal): choose another name`);
    }
  }
}

/** Refuses a file that is the database at `path` itself, or one of its journals. @throws UsageError */
export function refuseOwnFiles(path: string, file: string): void {
  const own = [path, `${path}-wal`, `${path}-shm`, `${path}-journal`];
  const same = own.some((one) => realName(one) === realName(file) || sameFile(one, file));
  if (same) throw new UsageError(`${file} is part of the state database itself: choose another file`);
}

function sameFile(one: string, other: string): boolean {
  const [left, right] = [statOf(one), statOf(other)];
  return left !== null && right !== null && left.ino === right.ino && left.dev === right.dev;
}

/** The path with links resolved; if the file does not exist yet, those of its folder. */
function realName(file: string): string {
  const folder = dirname(file);
  return join(statOf(folder) === null ? folder : realpathSync(folder), basename(file));
}

/** An unused path next to `file`. */
export function partialName(file: string): string {
  return `${file}.${randomUUID()}.partial`;
}

/** Creates an empty file with its mode before it is filled, so that no other user can read it at any time. */
export function createPrivately(temporary: string): void {
  closeSync(openSync(temporary, "wx", 0o600));
}

/** Copies a database to a new file, as of one moment. */
export function copyInto(db: Connection, temporary: string): void {
  createPrivately(temporary);
  db.prepare("VACUUM INTO ?").run(temporary);
}

/** Opens a file that no other process uses. `closeCopy` closes it. */
export function openCopy(temporary: string): Connection {
  const db = new Database(temporary, { fileMustExist: true });
  db.pragma("journal_mode = MEMORY");
  db.pragma("foreign_keys = ON");
  avoidTemporaryFiles(db);
  return db;
}

/** Closes a file that `openCopy` opened. Its changes are on the disk when this returns. */
export function closeCopy(db: Connection, temporary: string): void {
  db.close();
  const handle = openSync(temporary, "r+");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a new name in the folder survive a power cut. */
export function syncFolder(folder: string): void {
  // Windows cannot open folders.
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
