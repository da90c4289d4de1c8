import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { errorText, StateError } from "../domain/errors.ts";

export type SandboxDatabase = Database.Database;

const schemaVersion = 1;

/** In KiB, negative as SQLite wants it. */
const usualCache = -8_000;
const largeCache = -32_000;

/**
 * `person.properties` is a JSON object by Graph name: `null` is a cleared value, an absent name one that was never set.
 * `account.attributes` is a JSON object by SCIM name of everything without a column of its own.
 */
const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE person (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  upn_key TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  manager_id TEXT,
  properties TEXT NOT NULL
);
CREATE UNIQUE INDEX person_upn ON person (upn_key) WHERE deleted = 0;
CREATE INDEX person_deleted ON person (seq) WHERE deleted = 1;
CREATE INDEX person_manager ON person (manager_id) WHERE manager_id IS NOT NULL;

CREATE TABLE change (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  person_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'manager', 'softDeleted', 'restored', 'purged')),
  properties TEXT NOT NULL DEFAULT '',
  previous_manager_id TEXT
);
CREATE INDEX change_person ON change (person_id, sequence);

CREATE TABLE directory_group (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL);
CREATE INDEX directory_group_name ON directory_group (display_name);

CREATE TABLE member (
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'group')),
  PRIMARY KEY (group_id, member_id)
) WITHOUT ROWID;
CREATE INDEX member_of ON member (member_id, group_id);

CREATE TABLE application (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL
);
CREATE TABLE assignment (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  application_id TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  principal_type TEXT NOT NULL CHECK (principal_type IN ('User', 'Group')),
  UNIQUE (application_id, principal_id)
);
CREATE INDEX assignment_principal ON assignment (principal_id);

CREATE TABLE account (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  user_name TEXT NOT NULL,
  user_name_key TEXT NOT NULL UNIQUE,
  external_id TEXT UNIQUE,
  active INTEGER NOT NULL,
  manager_id TEXT,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  attributes TEXT NOT NULL
);
CREATE INDEX account_manager ON account (manager_id) WHERE manager_id IS NOT NULL;

-- Every page of a listing states the total; counting a million rows for each page would make listing quadratic.
CREATE TABLE account_total (total INTEGER NOT NULL);
INSERT INTO account_total VALUES (0);
CREATE TRIGGER account_added AFTER INSERT ON account BEGIN UPDATE account_total SET total = total + 1; END;
CREATE TRIGGER account_removed AFTER DELETE ON account BEGIN UPDATE account_total SET total = total - 1; END;
`;

/** Later than the first version of the format, and added to a file that lacks it. */
const memberChanges = `
CREATE TABLE IF NOT EXISTS member_change (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  removed INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS member_change_group ON member_change (group_id, sequence);
CREATE TRIGGER IF NOT EXISTS member_added AFTER INSERT ON member BEGIN
  INSERT INTO member_change (group_id, member_id, removed) VALUES (new.group_id, new.member_id, 0); END;
CREATE TRIGGER IF NOT EXISTS member_removed AFTER DELETE ON member BEGIN
  INSERT INTO member_change (group_id, member_id, removed) VALUES (old.group_id, old.member_id, 1); END;
`;

/**
 * Opens the sandbox's database, making the file (mode 0600) and its folder if they are missing. `:memory:` is allowed.
 * @throws StateError if the file cannot be used, or was made by a newer version
 */
export function openSandboxDatabase(file: string): SandboxDatabase {
  let database: SandboxDatabase | undefined;
  try {
    if (file !== ":memory:") createPrivately(file);
    database = new Database(file, { timeout: 5_000 });
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.pragma(`cache_size = ${usualCache}`);
    prepareSchema(database, file);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StateError) throw error;
    const reason = errorText(error);
    throw new StateError(
      `The sandbox's database ${file} cannot be used (${reason}): check that its folder is writable, or delete the file to start with a new company.`,
      { cause: error },
    );
  }
}

/** A stored value of this sandbox, such as its day or its port. */
export function readMeta(database: SandboxDatabase, key: string): string | undefined {
  return database.prepare<[string], string>("SELECT value FROM meta WHERE key = ?").pluck().get(key);
}

export function writeMeta(database: SandboxDatabase, key: string, value: string): void {
  database
    .prepare<[string, string]>(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .run(key, value);
}

/** Does many writes with a cache that holds the indexes, and frees the memory afterwards. */
export function withLargeCache(database: SandboxDatabase, write: () => void): void {
  database.pragma(`cache_size = ${largeCache}`);
  try {
    write();
  } finally {
    database.pragma(`cache_size = ${usualCache}`);
    database.pragma("shrink_memory");
  }
}

function createPrivately(file: string): void {
  // Whatever the umask: the database of a real company may be next to it.
  mkdirSync(dirname(file), { recursive: true, mode: 0o775 });
  // SQLite gives the -wal and -shm files the mode of the main file.
  closeSync(openSync(file, "a", 0o600));
}

function prepareSchema(database: SandboxDatabase, file: string): void {
  const prepare = database.transaction(() => {
    const version = database.pragma("user_version", { simple: true });
    if (version === schemaVersion) {
      database.exec(memberChanges);
      return;
    }
    if (version !== 0) {
      throw new StateError(
        `The sandbox's database ${file} has format ${String(version)}, but this version supports format ${schemaVersion}: use the newer version, or delete the file to start with a new company.`,
      );
    }
    database.exec(schema);
    database.exec(memberChanges);
    database.pragma(`user_version = ${schemaVersion}`);
  });
  prepare.immediate();
}
