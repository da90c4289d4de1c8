-- Both pictures, the provisioning log, retries, intents and the lease.
-- Times are milliseconds since the Unix epoch; columns of JSON are marked.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
  name        TEXT PRIMARY KEY,
  owner       TEXT NOT NULL,
  acquired_at INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cycle (
  id          INTEGER PRIMARY KEY,
  plan_id     TEXT NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  outcome     TEXT,
  error       TEXT,
  summary     TEXT, -- JSON
  guard       TEXT  -- JSON
) STRICT;

-- The source picture: the directory as last read.
CREATE TABLE source_user (
  object_id         TEXT PRIMARY KEY,
  attributes        TEXT NOT NULL, -- JSON, keys in order
  manager_id        TEXT,
  presence          TEXT NOT NULL CHECK (presence IN ('present', 'softDeleted', 'deleted')),
  user_name_key     TEXT,             -- mapped userName in lower case
  read_in           INTEGER NOT NULL, -- cycle whose read last had the person
  pending           INTEGER NOT NULL DEFAULT 1,
  reference_pending INTEGER NOT NULL DEFAULT 0,
  skip_code         TEXT,
  skip_reason       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX source_user_pending ON source_user (object_id) WHERE pending = 1;
CREATE INDEX source_user_reference_pending ON source_user (object_id) WHERE reference_pending = 1;
CREATE INDEX source_user_skipped ON source_user (object_id) WHERE skip_code IS NOT NULL;
CREATE INDEX source_user_manager ON source_user (manager_id) WHERE manager_id IS NOT NULL;
CREATE INDEX source_user_name ON source_user (user_name_key) WHERE user_name_key IS NOT NULL;

CREATE TABLE scope_member (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE scope_staging (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

-- The target picture: Lattice as last confirmed. object_id is the link, at most one account for one person.
CREATE TABLE target_user (
  lattice_id    TEXT PRIMARY KEY,
  object_id     TEXT UNIQUE,
  user_name     TEXT NOT NULL,
  user_name_key TEXT NOT NULL,
  external_id   TEXT,
  active        INTEGER NOT NULL,
  attributes    TEXT NOT NULL, -- JSON by SCIM path
  siblings      TEXT NOT NULL, -- JSON
  acknowledged  TEXT NOT NULL, -- JSON
  read_in       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX target_user_name ON target_user (user_name_key);
CREATE INDEX target_user_external_id ON target_user (external_id) WHERE external_id IS NOT NULL;

-- The provisioning log: a plan is written here first, then each operation with what came of it.
CREATE TABLE operation (
  id                INTEGER PRIMARY KEY,
  cycle_id          INTEGER NOT NULL REFERENCES cycle (id) ON DELETE CASCADE,
  object_id         TEXT NOT NULL,
  user_name         TEXT NOT NULL,
  lattice_id        TEXT,
  action            TEXT NOT NULL,
  reason            TEXT NOT NULL,
  evidence          TEXT, -- JSON
  changes           TEXT NOT NULL, -- JSON
  adopts            INTEGER NOT NULL,
  manager_object_id TEXT, -- whom a reference among the changes points to
  wave              INTEGER NOT NULL DEFAULT 0,
  status            TEXT NOT NULL DEFAULT 'planned',
  http_status       INTEGER,
  request_id        TEXT,
  error             TEXT,
  attempt           INTEGER NOT NULL DEFAULT 1,
  started_at        INTEGER,
  finished_at       INTEGER
) STRICT;
CREATE INDEX operation_order ON operation (cycle_id, wave, id);
-- For the guard's window.
CREATE INDEX operation_finished ON operation (finished_at) WHERE status = 'done' AND action <> 'create';
CREATE INDEX operation_person ON operation (object_id, cycle_id);

CREATE TABLE retry (
  object_id       TEXT PRIMARY KEY REFERENCES source_user (object_id) ON DELETE CASCADE,
  attempts        INTEGER NOT NULL,
  first_failed_at INTEGER NOT NULL,
  last_failed_at  INTEGER NOT NULL,
  next_try_at     INTEGER NOT NULL,
  code            TEXT NOT NULL,
  message         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A write that was begun and is not confirmed: looked up before it is tried again.
CREATE TABLE intent (
  object_id    TEXT PRIMARY KEY,
  operation_id INTEGER NOT NULL,
  action       TEXT NOT NULL,
  user_name    TEXT NOT NULL,
  lattice_id   TEXT,
  started_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
