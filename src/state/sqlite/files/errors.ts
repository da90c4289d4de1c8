import { DomainError, StateError } from "../../../domain/errors.ts";
import { commandLine } from "../../../process/command-name.ts";

/** The file's content is damaged: it is not what was written there. */
export class DamagedStateError extends StateError {
  constructor({ name, waysOut }: FileInWords, finding: string, options?: ErrorOptions) {
    super(`${name} is damaged or not a database (${finding}): ${waysOut}`, options);
  }
}

/** The tables, indexes, triggers or views are not those of this program: a person or another program changed them. */
export class ChangedSchemaError extends StateError {
  constructor({ name, waysOut }: FileInWords, finding: string) {
    super(`${name} was modified outside this program (${finding}): ${waysOut}`);
  }
}

/** How messages name a file, and what they advise. */
export interface FileInWords {
  readonly name: string;
  /** How the file was to be used. */
  readonly access: "read" | "written";
  /** Advice if it is the wrong file. */
  readonly elsewhere: string;
  /** Advice if it is damaged. */
  readonly waysOut: string;
}

export function stateDatabase(path: string, access: FileInWords["access"] = "written"): FileInWords {
  return {
    name: `the state database ${path}`,
    access,
    elsewhere: "set state.path (ALS_STATE) to another file",
    waysOut: `restore a backup with ${commandLine("state restore FILE")}, or start with an empty database with ${commandLine("state rebuild")}; the next sync then finds the links again by matching`,
  };
}

export function backupFile(file: string, access: FileInWords["access"]): FileInWords {
  return {
    name: `the backup ${file}`,
    access,
    elsewhere: "choose another file",
    waysOut: "use another backup. Nothing was changed",
  };
}

/** A file to which a state is exported, or from which it is imported. */
export function exportFile(file: string, access: FileInWords["access"]): FileInWords {
  return {
    name: `the export ${file}`,
    access,
    elsewhere: "choose another file",
    waysOut: "use another export. Nothing was changed",
  };
}

/** Runs `action`. An error of the file system or of SQLite becomes a `StateError` whose message is a sentence. */
export function withFileErrors<T>(file: FileInWords, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw stateError(file, error);
  }
}

/** A `StateError` with a sentence, if the error is about the file or its content; any other error unchanged. */
export function stateError(file: FileInWords, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DomainError) return error;
  const finding = damageIn(error);
  if (finding !== null) return new DamagedStateError(file, finding, { cause: error });
  const code = codeOf(error);
  // Every statement compiles on a database that this program made.
  if (code === "SQLITE_ERROR" && /^no such (table|column)|^table \S+ has no column/.test(error.message)) {
    return new ChangedSchemaError(file, error.message);
  }
  const sentence = sentences.find(([codes]) => codes.test(code))?.[1](file, code);
  return sentence === undefined ? error : new StateError(sentence, { cause: error });
}

/** The damage of the content that an error tells of; `null` if it is not about damage. */
export function damageIn(error: unknown): string | null {
  const code = codeOf(error);
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return code;
  // This program writes JSON only; a text that is not JSON was damaged, or changed by another program.
  const malformed = code === "SQLITE_ERROR" && error instanceof Error && error.message === "malformed JSON";
  return malformed || error instanceof SyntaxError ? "a record differs from what was written" : null;
}

/** The code of a system error or of SQLite; empty if there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

const sentences: readonly (readonly [RegExp, (file: FileInWords, code: string) => string])[] = [
  [
    /^(ENOSPC|EDQUOT|EFBIG|SQLITE_FULL)/,
    ({ name }, code) =>
      `the disk of ${name} is full (${code}): free some space and run again. Incomplete writes were discarded`,
  ],
  [
    /^(ERR_DLOPEN_FAILED|MODULE_NOT_FOUND)/,
    (_file, code) =>
      `SQLite cannot be loaded on this machine (${code}; ${process.platform} ${process.arch}, Node ${process.versions.node}): SQLite is available for Linux, macOS and Windows on x64 and arm64. Reinstall the package with npm ci, or use the container image`,
  ],
  [
    /^SQLITE_IOERR_GETTEMPPATH/,
    ({ name }, code) =>
      `a temporary file for ${name} cannot be written (${code}): set TMPDIR to a folder with free space`,
  ],
  [
    /^SQLITE_NOMEM/,
    ({ name }, code) => `${name} does not fit into memory (${code}): give this process more memory`,
  ],
  [
    /^SQLITE_READONLY_DBMOVED/,
    ({ name }, code) => `${name} was replaced while this run had it open (${code}): start the run again`,
  ],
  [
    /^SQLITE_CONSTRAINT/,
    ({ name, waysOut }, code) =>
      `${name} refused a row that contradicts its other rows (${code}), and nothing of that commit was written: run again. If it happens again, the rows were modified outside this program: ${waysOut}`,
  ],
  [/^(ENOTDIR|EISDIR|EEXIST)/, notAFile],
  [
    /^(EACCES|EPERM|EROFS|ENOENT|SQLITE_CANTOPEN|SQLITE_READONLY)/,
    ({ name, access, elsewhere }, code) =>
      `${name} cannot be ${access} (${code}): give this user access to its folder, or ${elsewhere}`,
  ],
  [
    /^(EBUSY|SQLITE_BUSY)/,
    ({ name }, code) => `${name} is in use by another process (${code}): wait for it, or stop it`,
  ],
  [
    /^(SQLITE_IOERR|SQLITE_PROTOCOL|SQLITE_NOLFS|EIO|ELOOP|ENAMETOOLONG|EMFILE|ENFILE)/,
    ({ name }, code) =>
      `${name} cannot be read or written (${code}): check that its disk works, has free space and has no quota`,
  ],
];

export function notAFile({ name, elsewhere }: FileInWords, code: string): string {
  return `${name} is not a file (${code}): ${elsewhere}`;
}
