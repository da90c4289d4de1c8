import { existsSync, linkSync, realpathSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { LeaseHeldError } from "../../../domain/errors.ts";
import { heldBy } from "../../../domain/lease-held.ts";
import { leaseMethods } from "../lease.ts";
import { syncFolder } from "./aside.ts";
import { type Connection, statOf } from "./database.ts";
import { codeOf, damageIn, stateDatabase, stateError, withFileErrors } from "./errors.ts";

/** The lease under which the old database is held: its owner, its start (milliseconds since the epoch) and its length. */
export interface LeaseTerms {
  readonly owner: string;
  readonly now: number;
  readonly ttlMs: number;
}

/**
 * Sets the database `file` aside under a dated name, and puts `replacement` in its place if there is one. No other process
 * may have it open: what a process goes on writing to a file that was moved away would be lost.
 * @param allowed called with the old database once no other process has it; throws if it may not be replaced
 * @returns the new name of the old database; `null` if there was none, or an empty file
 * @throws LeaseHeldError if a run is under way, or another process has the database open; StateError
 */
export async function replaceDatabase(
  file: string,
  replacement: string | null,
  lease: LeaseTerms,
  allowed: (db: Connection) => void = () => {},
): Promise<string | null> {
  const old = statOf(file);
  const path = old === null ? file : realpathSync(file);
  const lost = old === null || (old.size === 0 && (statOf(`${path}-wal`)?.size ?? 0) === 0);
  const alone = old === null || old.size === 0 ? null : await takeAlone(path, lease, allowed);
  try {
    return withFileErrors(stateDatabase(path), () => {
      // A file that was truncated to nothing may still have a log: then both are kept.
      const kept = lost ? null : setAside(path, lease.now, replacement !== null);
      if (replacement !== null) renameSync(replacement, path);
      syncFolder(dirname(path));
      return kept;
    });
  } finally {
    alone?.close();
  }
}

/** Gives the file its dated name. With `twice` it also keeps its own, so that the next rename replaces it in one step. */
function setAside(path: string, now: number, twice: boolean): string {
  const kept = freeName(`${path}.${new Date(now).toISOString().slice(0, 19).replaceAll(":", "-")}Z.replaced`);
  // If the database was too damaged to be closed properly, its log still belongs to it.
  for (const journal of ["-wal", "-journal"]) {
    if (existsSync(`${path}${journal}`)) renameSync(`${path}${journal}`, `${kept}${journal}`);
  }
  rmSync(`${path}-shm`, { force: true });
  if (!twice || !linked(path, kept)) renameSync(path, kept);
  return kept;
}

/** `false` if the file system cannot give a file a second name. */
function linked(path: string, kept: string): boolean {
  try {
    linkSync(path, kept);
    return true;
  } catch {
    return false;
  }
}

function freeName(name: string): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!existsSync(candidate)) return candidate;
  }
}

/**
 * Locks the database, so that no other process reads or writes it, and moves its log into the one file; `null` if the
 * database is too damaged for that.
 */
async function takeAlone(
  path: string,
  lease: LeaseTerms,
  allowed: (db: Connection) => void,
): Promise<Connection | null> {
  const db = withFileErrors(
    stateDatabase(path),
    () => new Database(path, { fileMustExist: true, timeout: 0 }),
  );
  let release = async (): Promise<void> => {};
  try {
    release = await holdLease(db, lease);
    db.pragma("journal_mode = DELETE");
    db.exec("BEGIN EXCLUSIVE");
    // Another process may have opened it, and restored the log, between the two statements.
    if (db.pragma("journal_mode", { simple: true }) !== "delete") throw inUse(path);
    allowed(db);
    return db;
  } catch (error) {
    if (damageIn(error) !== null) {
      db.close();
      return null;
    }
    if (db.inTransaction) db.exec("ROLLBACK");
    await release();
    db.close();
    throw /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error)) ? inUse(path) : stateError(stateDatabase(path), error);
  }
}

/**
 * Takes the lease. It stays in the file that is set aside: a run that opened that file a moment before must not begin.
 * @returns a function that releases the lease
 * @throws LeaseHeldError
 */
async function holdLease(db: Connection, { owner, now, ttlMs }: LeaseTerms): Promise<() => Promise<void>> {
  const nothing = async (): Promise<void> => {};
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'lease'").get() === undefined) return nothing;
    const { acquireLease, releaseLease } = leaseMethods(db);
    let answer = await acquireLease(owner, now, ttlMs);
    // This lease dates from before the clock was set back. The lock shows whether a process has the file open.
    if (!answer.acquired && answer.holder.expiresAt - now > 2 * ttlMs) {
      answer = await acquireLease(owner, now, ttlMs, answer.holder);
    }
    if (answer.acquired) return () => releaseLease(owner);
    throw new LeaseHeldError(`${heldBy(answer.holder)}: wait for it to end, or use --wait SECONDS`);
  } catch (error) {
    // Go on without a lease that cannot be read: the lock shows whether a process has the file open.
    if (damageIn(error) !== null) return nothing;
    throw error;
  }
}

function inUse(path: string): LeaseHeldError {
  return new LeaseHeldError(
    `another process has the state database ${path} open: stop the daemon first, or use --wait SECONDS`,
  );
}
