import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { StateError, UsageError } from "../../../domain/errors.ts";
import { beforeRestore } from "../../../domain/state/change.ts";
import type { Meta } from "../../../domain/state/meta.ts";
import {
  closeCopy,
  copyInto,
  openCopy,
  partialName,
  refuseOwnFiles,
  refuseTaken,
  syncFolder,
} from "./aside.ts";
import {
  type Connection,
  giveToOwnerOf,
  makeFolder,
  openUnchanged,
  refuseFindings,
  statOf,
} from "./database.ts";
import { backupFile, stateDatabase, withFileErrors } from "./errors.ts";
import { type Content, contentOf } from "./inspect.ts";
import { migrate, refuseUnknownSchema, schemaVersion } from "./schema.ts";
import { refuseChangedSchema } from "./schema-comparison.ts";

/**
 * Copies the database to `file`. Other processes may write to it at the same time: the copy is the state of one moment. It
 * is written under a temporary name, checked, and then renamed. Only its owner can read it.
 * @throws UsageError if `file` exists (unless `force`), or belongs to the database; StateError
 */
export function backUp(path: string, file: string, how: { readonly force: boolean }): Content {
  const state = stateDatabase(path, "read");
  const destination = backupFile(file, "written");
  refuseOwnFiles(path, file);
  refuseTaken(file, how);
  const db = openUnchanged(path, state);
  if (db === null) {
    throw new StateError(`there is no state database at ${path}, so there is nothing to back up`);
  }
  try {
    withFileErrors(state, () => {
      refuseUnknownSchema(db, state);
      refuseFindings(db, state);
      refuseChangedSchema(db, state);
      if (schemaVersion(db) === 0)
        throw new StateError(`${state.name} is empty, so there is nothing to back up`);
    });
    return withFileErrors(destination, () =>
      writtenAside(file, (temporary) => {
        copyInto(db, temporary);
        const content = withDatabase(temporary, contentOf);
        renameSync(temporary, file);
        syncFolder(dirname(file));
        return content;
      }),
    );
  } finally {
    db.close();
  }
}

/** A checked copy of a backup, next to the database that it is to replace. */
export interface PreparedRestore {
  readonly temporary: string;
  readonly content: Content;
}

/**
 * Copies a backup to a file next to the database at `path`, checks the copy, migrates it to this version and marks it as out
 * of date: the next cycle reads Entra and Lattice in full and plans everybody. The backup is not changed.
 * @throws UsageError if there is no such file, StateError if it is damaged or not a state database
 */
export function prepareRestore(path: string, file: string): PreparedRestore {
  const backup = backupFile(file, "read");
  refuseOwnFiles(path, file);
  const db = openUnchanged(file, backup);
  if (db === null) throw new UsageError(`there is no file ${file}. Nothing was done`);
  try {
    withFileErrors(backup, () => {
      if (schemaVersion(db) === 0)
        throw new StateError(`${backup.name} contains no state. Nothing was changed`);
      refuseUnknownSchema(db, backup);
      refuseFindings(db, backup);
      refuseChangedSchema(db, backup);
    });
    const state = stateDatabase(path);
    return withFileErrors(state, () => {
      makeFolder(dirname(path));
      const temporary = partialName(path);
      try {
        copyInto(db, temporary);
        giveToOwnerOf(statOf(path) === null ? dirname(path) : path, temporary);
        const content = withDatabase(temporary, (copy) => {
          migrate(copy, backup);
          takeForOutOfDate(copy);
          refuseFindings(copy, backup);
          return contentOf(copy);
        });
        return { temporary, content };
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    });
  } finally {
    db.close();
  }
}

/** Removes the copy that `prepareRestore` made, if it was not put in place. */
export function discard({ temporary }: PreparedRestore): void {
  rmSync(temporary, { force: true });
}

/** Notes that would save reading, or end a wait. `docs/running.md` removes the same after a `pg_restore`. */
export const outOfDateNotes = [
  "watermark",
  "watermarkAt",
  "aheadOfWatermark",
  "targetListedAt",
  "targetReachedAt",
  "reconciledAt",
  "comparison",
  "listingFault",
  "quarantine",
] as const satisfies readonly (keyof Meta)[];

/**
 * Removes what may have changed since the backup: everything that would save reading, every release (a change passes the
 * guard only with a new one), and the evidence that a value which differs now was edited by hand.
 */
export function takeForOutOfDate(db: Connection): void {
  db.transaction(() => {
    const forget = db.prepare<[string]>("DELETE FROM meta WHERE key = ?");
    for (const key of outOfDateNotes) forget.run(key);
    db.exec(`
      DELETE FROM lease;
      DELETE FROM released_change;
      UPDATE target_user SET read_in = ${beforeRestore}, missing_since = NULL;
    `);
  }).immediate();
}

/** Runs `action` with an unused path next to `file`, and removes that file afterwards if it is still there. */
function writtenAside<T>(file: string, action: (temporary: string) => T): T {
  const temporary = partialName(file);
  try {
    return action(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Changes a file that no other process uses. The changes are on the disk when this returns. */
function withDatabase<T>(temporary: string, action: (db: Connection) => T): T {
  const db = openCopy(temporary);
  try {
    const result = action(db);
    refuseFindings(db, backupFile(temporary, "written"));
    return result;
  } finally {
    closeCopy(db, temporary);
  }
}
