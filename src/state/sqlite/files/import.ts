import { rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { LeaseHeldError, StateError, UsageError } from "../../../domain/errors.ts";
import { heldBy } from "../../../domain/lease-held.ts";
import { timeText } from "../../../domain/sentence.ts";
import type { Meta } from "../../../domain/state/meta.ts";
import type { MovedContent, MovedRow, MovedTable, NewestIds } from "../../moved-tables.ts";
import type { LeaseRow } from "../../records.ts";
import { isPlausible } from "../lease.ts";
import { closeCopy, copyInto, openCopy, partialName, refuseOwnFiles } from "./aside.ts";
import { takeForOutOfDate } from "./backup.ts";
import {
  type Connection,
  findingsOf,
  giveToOwnerOf,
  makeFolder,
  openUnchanged,
  refuseFindings,
  statOf,
} from "./database.ts";
import {
  codeOf,
  DamagedStateError,
  exportFile,
  stateDatabase,
  stateError,
  withFileErrors,
} from "./errors.ts";
import { strayRows } from "./inspect.ts";
import { countRows, movedContentOf, movedRows, newestIds } from "./moved-rows.ts";
import { isOutdated, migrate, refuseUnknownSchema, schemaVersion } from "./schema.ts";
import { refuseChangedSchema } from "./schema-comparison.ts";
import { scratchCopyOf } from "./scratch-copy.ts";

/** A state database that was checked, to be imported. It is not changed. */
export interface MovableFile {
  readonly content: MovedContent;
  /** The notes of the runs that wrote it, such as its tenant. */
  readonly notes: Partial<Meta>;
  /** The rows of a table, a batch at a time; from the beginning each time. They are of one moment. @throws StateError */
  rowsOf(table: MovedTable): Iterable<readonly MovedRow[]>;
  countOf(table: MovedTable): number;
  newestIds(): NewestIds;
  /** Copies it to a new file next to the database at `path`, without the lease. @returns the file @throws StateError */
  copyNextTo(path: string): string;
  close(): void;
}

/**
 * Opens a state database to import it, and checks all of it. One of an older version is read as a migrated copy.
 * @param now milliseconds since the epoch
 * @param how `outdated`: runs have gone on elsewhere since, so it is read as one that is out of date, like a backup
 * @throws UsageError if there is no such file; LeaseHeldError if a run is under way with it, or another process has it open; StateError if
 * it is damaged, of another program or of a newer version
 */
export function openToMove(
  file: string,
  now: number,
  how: { readonly outdated: boolean } = { outdated: false },
): MovableFile {
  const words = exportFile(file, "read");
  withFileErrors(words, () => refuseOpenElsewhere(file));
  const original = openUnchanged(file, words);
  if (original === null) throw new UsageError(`there is no file ${file}. Nothing was done`);
  const db = checked(original, file, now, how);
  return {
    content: movedContentOf(db),
    notes: Object.fromEntries(db.prepare<[], [string, string]>("SELECT key, value FROM meta").raw().all()),
    rowsOf: function* (table) {
      try {
        // From the first row on, all is of one moment.
        if (!db.inTransaction) db.exec("BEGIN");
        yield* movedRows(db, table);
      } catch (error) {
        throw stateError(words, error);
      }
    },
    countOf: (table) => countRows(db, table),
    newestIds: () => withFileErrors(words, () => newestIds(db)),
    copyNextTo: (path) => copyNextTo(db, path),
    close: () => {
      db.close();
    },
  };
}

/** @returns the database, or a migrated copy of it */
function checked(
  db: Connection,
  file: string,
  now: number,
  { outdated }: { readonly outdated: boolean },
): Connection {
  const words = exportFile(file, "read");
  try {
    return withFileErrors(words, () => {
      refuseUnknownSchema(db, words);
      if (schemaVersion(db) === 0)
        throw new StateError(`${words.name} contains no state. Nothing was changed`);
      const [finding] = [...findingsOf(db, "integrity_check", 1), ...strayRows(db)];
      if (finding !== undefined)
        throw new DamagedStateError(words, finding.replaceAll(/\s+/g, " ").slice(0, 200));
      refuseChangedSchema(db, words);
      refuseRunUnderWay(db, file, now);
      if (!outdated && !isOutdated(db)) return db;
      const copy = scratchCopyOf(db, file).db;
      if (outdated) takeForOutOfDate(copy);
      return copy;
    });
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Refuses a file that another process has open: it would go on with a company that goes on elsewhere as well. A process that was killed
 * leaves the same traces as one that runs, so the file is asked for alone.
 * @throws LeaseHeldError
 */
function refuseOpenElsewhere(file: string): void {
  if (statOf(file)?.isFile() !== true) return;
  let db: Connection | null = null;
  try {
    db = new Database(file, { fileMustExist: true, timeout: 0 });
    // With a write-ahead log, a process holds the file for as long as it has it open.
    db.pragma("locking_mode = EXCLUSIVE");
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch (error) {
    if (/^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))) {
      throw new LeaseHeldError(
        `another process has ${file} open: stop the daemon that uses it, and import again. Nothing was changed`,
      );
    }
    // A file that cannot be written is read as it is; a damaged one is found out next.
  } finally {
    db?.close();
  }
}

/** @throws LeaseHeldError */
function refuseRunUnderWay(db: Connection, file: string, now: number): void {
  const held = db
    .prepare<[], LeaseRow>("SELECT owner, acquired_at, expires_at FROM lease WHERE name = 'cycle'")
    .get();
  if (held === undefined || held.expires_at <= now || !isPlausible(held, now)) return;
  const { owner, acquired_at: acquiredAt, expires_at: expiresAt } = held;
  throw new LeaseHeldError(
    `${heldBy({ owner, acquiredAt })} of ${file}: wait for it to end, and stop what starts it, then import again. If that run has died, its lease expires at ${timeText(expiresAt)}. Nothing was changed`,
  );
}

function copyNextTo(db: Connection, path: string): string {
  return withFileErrors(stateDatabase(path), () => {
    makeFolder(dirname(path));
    const temporary = partialName(path);
    try {
      copyInto(db, temporary);
      giveToOwnerOf(statOf(path) === null ? dirname(path) : path, temporary);
      const copy = openCopy(temporary);
      try {
        migrate(copy, exportFile(temporary, "written"));
        copy.exec("DELETE FROM lease");
        refuseFindings(copy, exportFile(temporary, "written"));
      } finally {
        closeCopy(copy, temporary);
      }
      return temporary;
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/**
 * The content of the database at `path`, if it has one: `null` if there is none, or one without a person, an account, a cycle or a
 * decision. Changes nothing.
 * @param file that is not to be the database itself
 * @throws UsageError, StateError
 */
export function databaseContent(path: string, file: string): MovedContent | null {
  const state = stateDatabase(path, "read");
  refuseOwnFiles(path, file);
  const db = openUnchanged(path, state);
  if (db === null) return null;
  try {
    return withFileErrors(state, () => {
      refuseUnknownSchema(db, state);
      return schemaVersion(db) === 0 ? null : contentIn(db);
    });
  } finally {
    db.close();
  }
}

/** The content of a database that has a person, an account, a cycle or a decision; else `null`. */
export function contentIn(db: Connection): MovedContent | null {
  // Old versions have no decisions.
  const tables = ["source_user", "target_user", "cycle", "decision"].filter(
    (name) => db.prepare<[string]>("SELECT 1 FROM sqlite_schema WHERE name = ?").get(name) !== undefined,
  );
  const filled = tables.some((name) => db.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get() !== undefined);
  return filled ? movedContentOf(db) : null;
}
