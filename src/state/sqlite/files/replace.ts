import { existsSync, linkSync, realpathSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { LeaseHeldError } from "../../../domain/errors.ts";
import { heldBy } from "../../../domain/lease-held.ts";
import { leaseMethods } from "../lease.ts";
import { syncFolder } from "./backup.ts";
import { type Connection, statOf } from "./database.ts";
import { codeOf, damageIn, explain, stateDatabase, stateError } from "./errors.ts";

/** In whose name, from when (milliseconds since the epoch) and for how long the old database is held. */
export interface LeaseTerms {
  readonly owner: string;
  readonly now: number;
  readonly ttlMs: number;
}

/**
 * Sets the database `file` aside under a dated name, and puts `replacement` in its place where there is one. Nobody else
 * may have it open: a process that goes on writing to a file that was moved away would lose what it writes.
 * @returns the name that the old one has now; `null` where there was none, or an empty file
 * @throws LeaseHeldError where a run is under way, or another process has the database open; StateError
 */
export async function replaceDatabase(
  file: string,
  replacement: string | null,
  lease: LeaseTerms,
): Promise<string | null> {
  const old = statOf(file);
  const path = old === null ? file : realpathSync(file);
  const lost = old === null || (old.size === 0 && (statOf(`${path}-wal`)?.size ?? 0) === 0);
  const alone = old === null || old.size === 0 ? null : await takeAlone(path, lease);
  try {
    return explain(stateDatabase(path), () => {
      // A file that was truncated may have left a log: it is kept too.
      const kept = lost ? null : setAside(path, lease.now, replacement !== null);
      if (replacement !== null) renameSync(replacement, path);
      syncFolder(dirname(path));
      return kept;
    });
  } finally {
    alone?.close();
  }
}

/** Gives the file its dated name, and with `twice` lets it keep its own, which the next rename takes over in one step. */
function setAside(path: string, now: number, twice: boolean): string {
  const kept = freeName(`${path}.${new Date(now).toISOString().slice(0, 19).replaceAll(":", "-")}Z.replaced`);
  // Where the database was too damaged to be closed properly its log still belongs to it.
  for (const journal of ["-wal", "-journal"]) {
    if (existsSync(`${path}${journal}`)) renameSync(`${path}${journal}`, `${kept}${journal}`);
  }
  rmSync(`${path}-shm`, { force: true });
  if (!twice || !linked(path, kept)) renameSync(path, kept);
  return kept;
}

/** `false` where the file system knows no second name for a file. */
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
 * Holds the database so that nobody else reads or writes it, with everything in the one file; `null` where it is too damaged
 * for that.
 */
async function takeAlone(path: string, lease: LeaseTerms): Promise<Connection | null> {
  const db = explain(stateDatabase(path), () => new Database(path, { fileMustExist: true, timeout: 0 }));
  let release = async (): Promise<void> => {};
  try {
    release = await holdLease(db, lease);
    db.pragma("journal_mode = DELETE");
    db.exec("BEGIN EXCLUSIVE");
    // Somebody may have come between the two and opened it in the usual way.
    if (db.pragma("journal_mode", { simple: true }) !== "delete") throw inUse(path);
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
 * Takes the lease, which stays in the file that is set aside: a run that opened it a moment before must not begin.
 * @returns gives it back
 * @throws LeaseHeldError
 */
async function holdLease(db: Connection, { owner, now, ttlMs }: LeaseTerms): Promise<() => Promise<void>> {
  const nothing = async (): Promise<void> => {};
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'lease'").get() === undefined) return nothing;
    const { acquireLease, releaseLease } = leaseMethods(db);
    let answer = await acquireLease(owner, now, ttlMs);
    // From before the clock was set back: whether somebody is there is asked next.
    if (!answer.acquired && answer.holder.expiresAt - now > 2 * ttlMs) {
      answer = await acquireLease(owner, now, ttlMs, answer.holder);
    }
    if (answer.acquired) return () => releaseLease(owner);
    throw new LeaseHeldError(`${heldBy(answer.holder)}: wait for it to end, or use --wait SECONDS`);
  } catch (error) {
    // A lease that cannot be read holds nobody back; whether somebody has the file open is asked next.
    if (damageIn(error) !== null) return nothing;
    throw error;
  }
}

function inUse(path: string): LeaseHeldError {
  return new LeaseHeldError(
    `another process has the state database ${path} open: stop the daemon first, or use --wait SECONDS`,
  );
}
