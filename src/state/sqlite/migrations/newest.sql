-- Made by "npm run generate:schema" from the numbered files beside it: change the schema with a new one. A new database begins with this.

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
, outcomes TEXT, notes TEXT) STRICT;

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
, account_removed INTEGER NOT NULL DEFAULT 0, look_again_at INTEGER, always_in_scope INTEGER NOT NULL DEFAULT 0, external_id_key TEXT, unshown TEXT, skip_name TEXT) STRICT, WITHOUT ROWID;

CREATE INDEX source_user_pending ON source_user (object_id) WHERE pending = 1;

CREATE INDEX source_user_manager ON source_user (manager_id) WHERE manager_id IS NOT NULL;

CREATE INDEX source_user_name ON source_user (user_name_key) WHERE user_name_key IS NOT NULL;

CREATE TABLE scope_member (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE operation (
  id                INTEGER PRIMARY KEY,
  cycle_id          INTEGER NOT NULL REFERENCES cycle (id) ON DELETE CASCADE,
  object_id         TEXT NOT NULL,
  user_name         TEXT NOT NULL,
  lattice_id        TEXT,
  action            TEXT NOT NULL,
  reason            TEXT NOT NULL,
  evidence          TEXT, -- JSON
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
, drift TEXT, at INTEGER NOT NULL DEFAULT 0, doubtful TEXT, former_owner TEXT, weights TEXT, held_since INTEGER) STRICT;

CREATE INDEX operation_order ON operation (cycle_id, wave, id);

CREATE INDEX operation_person ON operation (object_id, cycle_id);

CREATE TABLE retry (
  object_id       TEXT PRIMARY KEY REFERENCES source_user (object_id) ON DELETE CASCADE,
  attempts        INTEGER NOT NULL,
  first_failed_at INTEGER NOT NULL,
  last_failed_at  INTEGER NOT NULL,
  next_try_at     INTEGER NOT NULL,
  code            TEXT NOT NULL,
  message         TEXT NOT NULL
, paths TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE intent (
  object_id    TEXT PRIMARY KEY,
  operation_id INTEGER NOT NULL,
  action       TEXT NOT NULL,
  user_name    TEXT NOT NULL,
  lattice_id   TEXT,
  started_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE released_change (
  object_id   TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  attribute   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  plan_id     TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  PRIMARY KEY (object_id, attribute)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  id        TEXT PRIMARY KEY,
  once      TEXT UNIQUE, -- what makes it the same event, where two processes can find it
  at        INTEGER NOT NULL,
  data      TEXT NOT NULL, -- JSON
  addressed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX event_unaddressed ON event (at) WHERE addressed = 0;

CREATE TABLE delivery (
  event_id      TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
  receiver      TEXT NOT NULL,
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_try_at   INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (receiver, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE failure_change (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  object_id TEXT NOT NULL,
  change    TEXT NOT NULL CHECK (change IN ('began', 'recovered')),
  since     INTEGER NOT NULL,
  code      TEXT NOT NULL,
  message   TEXT NOT NULL
) STRICT;

CREATE INDEX operation_at ON operation (at, action, status);

CREATE INDEX operation_kind ON operation (action, status);

CREATE TABLE filter_group_member (
  object_id  TEXT NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (object_id, group_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE filter_group_staging (
  object_id  TEXT NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (object_id, group_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE leaving_event (
  object_id TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  event     TEXT NOT NULL,
  since     INTEGER NOT NULL,
  PRIMARY KEY (object_id, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (
  source_users   INTEGER NOT NULL,
  skipped        INTEGER NOT NULL,
  linked         INTEGER NOT NULL,
  linked_active  INTEGER NOT NULL,
  linked_skipped INTEGER NOT NULL
, linked_unknown INTEGER NOT NULL DEFAULT 0, linked_unknown_active INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE logged_name (
  user_name TEXT NOT NULL COLLATE NOCASE,
  object_id TEXT NOT NULL,
  PRIMARY KEY (user_name, object_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER logged_name_came AFTER INSERT ON operation BEGIN
  INSERT OR IGNORE INTO logged_name VALUES (NEW.user_name, NEW.object_id);
END;

CREATE TRIGGER logged_name_went AFTER DELETE ON operation BEGIN
  DELETE FROM logged_name WHERE user_name = OLD.user_name AND object_id = OLD.object_id
    AND NOT EXISTS (SELECT 1 FROM operation WHERE object_id = OLD.object_id AND user_name = OLD.user_name COLLATE NOCASE);
END;

CREATE INDEX source_user_external_id ON source_user (external_id_key) WHERE external_id_key IS NOT NULL;

CREATE TABLE lost_link (
  lattice_id    TEXT PRIMARY KEY,
  object_id     TEXT NOT NULL,
  external_id   TEXT,
  user_name     TEXT NOT NULL,
  missing_since INTEGER NOT NULL,
  dissolved_at  INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX lost_link_person ON lost_link (object_id);

CREATE INDEX lost_link_external_id ON lost_link (external_id) WHERE external_id IS NOT NULL;

CREATE INDEX lost_link_dissolved ON lost_link (dissolved_at);

CREATE INDEX operation_weighed ON operation (finished_at, weights) WHERE status = 'done' AND weights IS NOT NULL;

CREATE TABLE rejected_change (
  object_id   TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  attribute   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  evidence    TEXT, -- of a deactivation: the kind
  plan_id     TEXT NOT NULL,
  rejected_at INTEGER NOT NULL, decision_id INTEGER REFERENCES decision (id) ON DELETE SET NULL,
  PRIMARY KEY (object_id, attribute, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX operation_held ON operation (object_id) WHERE status = 'held';

CREATE TABLE decision (
  id      INTEGER PRIMARY KEY,
  plan_id TEXT NOT NULL,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL, -- JSON
  reason  TEXT           -- as the actor gave it
) STRICT;

CREATE INDEX decision_at ON decision (at);

CREATE TABLE decided_person (
  object_id   TEXT NOT NULL,
  decision_id INTEGER NOT NULL REFERENCES decision (id) ON DELETE CASCADE,
  what        TEXT NOT NULL, -- released, rejected, undone
  PRIMARY KEY (object_id, decision_id, what)
) STRICT, WITHOUT ROWID;

CREATE INDEX decided_person_decision ON decided_person (decision_id);

CREATE INDEX rejected_decision ON rejected_change (decision_id);

CREATE TABLE operation_changes (
  id      INTEGER PRIMARY KEY REFERENCES operation (id) ON DELETE CASCADE,
  changes TEXT NOT NULL
) STRICT;

CREATE TABLE "target_user" (
  id            INTEGER PRIMARY KEY,
  lattice_id    TEXT NOT NULL UNIQUE,
  object_id     TEXT UNIQUE,
  user_name     TEXT NOT NULL,
  user_name_key TEXT NOT NULL,
  external_id   TEXT,
  active        INTEGER NOT NULL,
  active_known  INTEGER NOT NULL,
  manager       TEXT,          -- Lattice id of the manager: the only reference that Lattice knows
  attributes    TEXT NOT NULL, -- JSON by SCIM path
  acknowledged  TEXT NOT NULL, -- JSON
  drifted       TEXT NOT NULL, -- JSON by SCIM path: the value confirmed last, where Lattice was found with another
  read_in       INTEGER NOT NULL,
  read_again    TEXT,          -- JSON: paths; NULL for an account that need not be read
  missing_since INTEGER        -- when it was first not found; NULL while it is there
) STRICT;

CREATE INDEX target_user_name ON target_user (user_name_key);

CREATE INDEX target_user_external_id ON target_user (external_id) WHERE external_id IS NOT NULL;

CREATE INDEX target_user_manager ON target_user (manager) WHERE manager IS NOT NULL;

CREATE INDEX target_user_read_again ON target_user (lattice_id) WHERE read_again IS NOT NULL;

CREATE INDEX target_user_missing ON target_user (lattice_id) WHERE missing_since IS NOT NULL;

CREATE INDEX target_user_acknowledged ON target_user (lattice_id) WHERE acknowledged <> '{}' AND object_id IS NOT NULL;

CREATE TRIGGER tally_source_came AFTER INSERT ON source_user BEGIN
  UPDATE tally SET source_users = source_users + 1,
    skipped = skipped + (NEW.skip_code IS NOT NULL),
    linked_skipped = linked_skipped + (NEW.skip_code IS NOT NULL
      AND EXISTS (SELECT 1 FROM target_user WHERE object_id = NEW.object_id));
END;

CREATE TRIGGER tally_source_went AFTER DELETE ON source_user BEGIN
  UPDATE tally SET source_users = source_users - 1,
    skipped = skipped - (OLD.skip_code IS NOT NULL),
    linked_skipped = linked_skipped - (OLD.skip_code IS NOT NULL
      AND EXISTS (SELECT 1 FROM target_user WHERE object_id = OLD.object_id));
END;

CREATE TRIGGER tally_source_decided AFTER UPDATE OF skip_code ON source_user
WHEN (OLD.skip_code IS NULL) <> (NEW.skip_code IS NULL) BEGIN
  UPDATE tally SET skipped = skipped + iif(NEW.skip_code IS NULL, -1, 1),
    linked_skipped = linked_skipped + iif(NEW.skip_code IS NULL, -1, 1)
      * EXISTS (SELECT 1 FROM target_user WHERE object_id = NEW.object_id);
END;

CREATE TRIGGER tally_target_came AFTER INSERT ON target_user WHEN NEW.object_id IS NOT NULL BEGIN
  UPDATE tally SET linked = linked + 1, linked_active = linked_active + (NEW.active = 1),
    linked_skipped = linked_skipped
      + EXISTS (SELECT 1 FROM source_user WHERE object_id = NEW.object_id AND skip_code IS NOT NULL);
END;

CREATE TRIGGER tally_target_went AFTER DELETE ON target_user WHEN OLD.object_id IS NOT NULL BEGIN
  UPDATE tally SET linked = linked - 1, linked_active = linked_active - (OLD.active = 1),
    linked_skipped = linked_skipped
      - EXISTS (SELECT 1 FROM source_user WHERE object_id = OLD.object_id AND skip_code IS NOT NULL);
END;

CREATE TRIGGER tally_target_moved AFTER UPDATE OF object_id, active ON target_user
WHEN OLD.object_id IS NOT NEW.object_id OR OLD.active <> NEW.active BEGIN
  UPDATE tally SET linked = linked + (NEW.object_id IS NOT NULL) - (OLD.object_id IS NOT NULL),
    linked_active = linked_active + (NEW.object_id IS NOT NULL AND NEW.active = 1)
      - (OLD.object_id IS NOT NULL AND OLD.active = 1),
    linked_skipped = linked_skipped
      + EXISTS (SELECT 1 FROM source_user WHERE object_id = NEW.object_id AND skip_code IS NOT NULL)
      - EXISTS (SELECT 1 FROM source_user WHERE object_id = OLD.object_id AND skip_code IS NOT NULL);
END;

CREATE INDEX source_user_reference_pending ON source_user (object_id) WHERE reference_pending <> 0;

CREATE TABLE protected_account (
  lattice_id TEXT PRIMARY KEY,
  user_name  TEXT NOT NULL,    -- when it was protected
  actor      TEXT NOT NULL,    -- JSON: who protected it
  reason     TEXT NOT NULL,
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE link_decision (
  object_id  TEXT NOT NULL,
  lattice_id TEXT NOT NULL,
  what       TEXT NOT NULL,    -- linked, unlinked
  user_name  TEXT NOT NULL,    -- the account's, when it was decided
  actor      TEXT NOT NULL,    -- JSON: who decided
  reason     TEXT NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (object_id, lattice_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE nobodys_account (
  lattice_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE INDEX target_user_unlinked ON target_user (lattice_id) WHERE object_id IS NULL;

CREATE TRIGGER tally_person_known AFTER INSERT ON source_user
WHEN EXISTS (SELECT 1 FROM target_user WHERE object_id = NEW.object_id) BEGIN
  UPDATE tally SET linked_unknown = linked_unknown - 1,
    linked_unknown_active = linked_unknown_active
      - (SELECT active = 1 FROM target_user WHERE object_id = NEW.object_id);
END;

CREATE TRIGGER tally_person_forgotten AFTER DELETE ON source_user
WHEN EXISTS (SELECT 1 FROM target_user WHERE object_id = OLD.object_id) BEGIN
  UPDATE tally SET linked_unknown = linked_unknown + 1,
    linked_unknown_active = linked_unknown_active
      + (SELECT active = 1 FROM target_user WHERE object_id = OLD.object_id);
END;

CREATE TRIGGER tally_unknown_came AFTER INSERT ON target_user
WHEN NEW.object_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source_user WHERE object_id = NEW.object_id) BEGIN
  UPDATE tally SET linked_unknown = linked_unknown + 1,
    linked_unknown_active = linked_unknown_active + (NEW.active = 1);
END;

CREATE TRIGGER tally_unknown_went AFTER DELETE ON target_user
WHEN OLD.object_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source_user WHERE object_id = OLD.object_id) BEGIN
  UPDATE tally SET linked_unknown = linked_unknown - 1,
    linked_unknown_active = linked_unknown_active - (OLD.active = 1);
END;

CREATE TRIGGER tally_unknown_moved AFTER UPDATE OF object_id, active ON target_user
WHEN OLD.object_id IS NOT NEW.object_id OR OLD.active <> NEW.active BEGIN
  UPDATE tally SET linked_unknown = linked_unknown - 1,
    linked_unknown_active = linked_unknown_active - (OLD.active = 1)
  WHERE OLD.object_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source_user WHERE object_id = OLD.object_id);
  UPDATE tally SET linked_unknown = linked_unknown + 1,
    linked_unknown_active = linked_unknown_active + (NEW.active = 1)
  WHERE NEW.object_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source_user WHERE object_id = NEW.object_id);
END;

CREATE INDEX source_user_look_again ON source_user (object_id) WHERE look_again_at IS NOT NULL;

CREATE TRIGGER skip_name_added AFTER INSERT ON source_user WHEN NEW.skip_code IS NOT NULL BEGIN
  UPDATE source_user SET skip_name = json_extract(attributes, '$.userPrincipalName') WHERE object_id = NEW.object_id;
END;

CREATE TRIGGER skip_name_changed AFTER UPDATE OF skip_code, attributes ON source_user WHEN NEW.skip_code IS NOT NULL BEGIN
  UPDATE source_user SET skip_name = json_extract(attributes, '$.userPrincipalName') WHERE object_id = NEW.object_id;
END;

CREATE INDEX source_user_skipped ON source_user (object_id, skip_code, skip_reason, skip_name) WHERE skip_code IS NOT NULL;

INSERT INTO tally (source_users, skipped, linked, linked_active, linked_skipped, linked_unknown, linked_unknown_active) VALUES (0, 0, 0, 0, 0, 0, 0);

PRAGMA user_version = 30;
