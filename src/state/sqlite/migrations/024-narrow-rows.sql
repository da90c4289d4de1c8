-- Fewer pages for each account that is made: every page that a commit touches is written whole.

-- JSON. What an operation changes is written once, and most of what is written of it afterwards is not this: without it
-- a row of the log is a fifth as long.
CREATE TABLE operation_changes (
  id      INTEGER PRIMARY KEY REFERENCES operation (id) ON DELETE CASCADE,
  changes TEXT NOT NULL
) STRICT;
INSERT INTO operation_changes SELECT id, changes FROM operation;
ALTER TABLE operation DROP COLUMN changes;

-- Accounts by number: Lattice's ids are random, and in their order each new account is on a page of its own.
DROP TRIGGER tally_source_came;
DROP TRIGGER tally_source_went;
DROP TRIGGER tally_source_decided;
CREATE TABLE account (
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
-- In the order in which people are planned.
INSERT INTO account (lattice_id, object_id, user_name, user_name_key, external_id, active, active_known, manager, attributes,
    acknowledged, drifted, read_in, read_again, missing_since)
  SELECT lattice_id, object_id, user_name, user_name_key, external_id, active, active_known,
    iif(json_type(attributes, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"') = 'text', json_extract(attributes, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"'), NULL),
    attributes,
    acknowledged, drifted, read_in, read_again, missing_since
  FROM target_user ORDER BY object_id;
DROP TABLE target_user;
ALTER TABLE account RENAME TO target_user;
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
