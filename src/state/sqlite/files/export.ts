import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { StateError } from "../../../domain/errors.ts";
import type { MovedContent, MovedRow, MovedTable, NewestIds } from "../../moved-tables.ts";
import {
  closeCopy,
  copyInto,
  createPrivately,
  openCopy,
  partialName,
  refuseOwnFiles,
  refuseTaken,
  syncFolder,
} from "./aside.ts";
import { type Connection, openUnchanged, refuseFindings } from "./database.ts";
import { exportFile, stateDatabase, stateError, withFileErrors } from "./errors.ts";
import { movedContentOf, movedRowWriter, noteNewestIds } from "./moved-rows.ts";
import { migrate, refuseUnknownSchema, schemaVersion } from "./schema.ts";
import { refuseChangedSchema } from "./schema-comparison.ts";

/** How a file is written. */
export interface ExportOptions {
  /** Replaces an existing file. */
  readonly force: boolean;
}

/** Writes rows of a job, and answers the ids that the job gave last. */
export type Fill = (put: (table: MovedTable, row: MovedRow) => void) => Promise<NewestIds>;

/**
 * Copies the database at `path` to `file`, as of one moment, brings the copy up to this version and checks it. The lease is not copied.
 * @throws UsageError if `file` exists (unless `force`), or belongs to the database; StateError
 */
export async function exportDatabase(
  path: string,
  file: string,
  options: ExportOptions,
): Promise<MovedContent> {
  const state = stateDatabase(path, "read");
  refuseOwnFiles(path, file);
  const db = openUnchanged(path, state);
  if (db === null) throw nothingToExport(`at ${path}`);
  try {
    withFileErrors(state, () => {
      refuseUnknownSchema(db, state);
      refuseFindings(db, state);
      refuseChangedSchema(db, state);
      if (schemaVersion(db) === 0) throw nothingToExport(`in ${path}, which is an empty file`);
    });
    return await written(file, options, async (temporary) => {
      copyInto(db, temporary);
      return changed(temporary, async (copy) => {
        migrate(copy, exportFile(file, "written"));
        copy.exec("DELETE FROM lease");
        return movedContentOf(copy);
      });
    });
  } finally {
    db.close();
  }
}

/**
 * Makes a state database at `file` of rows from elsewhere.
 * @throws UsageError if `file` exists (unless `force`); StateError; what `fill` throws
 */
export function exportRows(file: string, options: ExportOptions, fill: Fill): Promise<MovedContent> {
  return written(file, options, async (temporary) => {
    createPrivately(temporary);
    return changed(temporary, async (db) => {
      migrate(db, exportFile(file, "written"));
      // Nothing is lost with the file if the machine stops: it gets its name when it is complete and on the disk.
      db.pragma("synchronous = OFF");
      db.exec("BEGIN IMMEDIATE");
      const put = movedRowWriter(db);
      noteNewestIds(
        db,
        await fill((table, row) => {
          withFileErrors(exportFile(file, "written"), () => put(table, row));
        }),
      );
      db.exec("COMMIT");
      return movedContentOf(db);
    });
  });
}

/** @param where there is nothing, in a sentence */
export function nothingToExport(where: string): StateError {
  return new StateError(`there is no state ${where}, so there is nothing to export`);
}

/** Has the file made under another name, and then gives it its own. */
async function written(
  file: string,
  options: ExportOptions,
  make: (temporary: string) => Promise<MovedContent>,
): Promise<MovedContent> {
  const destination = exportFile(file, "written");
  withFileErrors(destination, () => refuseTaken(file, options));
  const temporary = partialName(file);
  try {
    const content = await make(temporary);
    renameSync(temporary, file);
    syncFolder(dirname(file));
    return content;
  } catch (error) {
    throw stateError(destination, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function changed<T>(temporary: string, change: (db: Connection) => Promise<T>): Promise<T> {
  const db = openCopy(temporary);
  try {
    const result = await change(db);
    refuseFindings(db, exportFile(temporary, "written"));
    return result;
  } finally {
    closeCopy(db, temporary);
  }
}
