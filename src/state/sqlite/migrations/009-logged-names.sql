-- Who had which user name in the provisioning log: one row for a person and a name, instead of an index entry for each
-- operation, which made planning a whole company write as many pages as it has people.

CREATE TABLE logged_name (
  user_name TEXT NOT NULL COLLATE NOCASE,
  object_id TEXT NOT NULL,
  PRIMARY KEY (user_name, object_id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO logged_name SELECT DISTINCT user_name, object_id FROM operation;

CREATE TRIGGER logged_name_came AFTER INSERT ON operation BEGIN
  INSERT OR IGNORE INTO logged_name VALUES (NEW.user_name, NEW.object_id);
END;
CREATE TRIGGER logged_name_went AFTER DELETE ON operation BEGIN
  DELETE FROM logged_name WHERE user_name = OLD.user_name AND object_id = OLD.object_id
    AND NOT EXISTS (SELECT 1 FROM operation WHERE object_id = OLD.object_id AND user_name = OLD.user_name COLLATE NOCASE);
END;
DROP INDEX operation_user_name;
