-- How many there are of whom, kept as they come and go: to count them in every cycle would take longer than a cycle
-- in which nothing has changed. One row.

CREATE TABLE tally (
  source_users   INTEGER NOT NULL,
  skipped        INTEGER NOT NULL,
  linked         INTEGER NOT NULL,
  linked_active  INTEGER NOT NULL,
  linked_skipped INTEGER NOT NULL
) STRICT;
INSERT INTO tally SELECT
  (SELECT count(*) FROM source_user),
  (SELECT count(*) FROM source_user WHERE skip_code IS NOT NULL),
  (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL),
  (SELECT count(*) FROM target_user WHERE object_id IS NOT NULL AND active = 1),
  (SELECT count(*) FROM source_user JOIN target_user USING (object_id) WHERE skip_code IS NOT NULL);

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
