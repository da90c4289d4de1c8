-- What a plan rests on beside the two pictures: time, groups that scoping filters name, and since when somebody is gone.

-- When time alone may change what is due for the person.
ALTER TABLE source_user ADD COLUMN look_again_at INTEGER;
CREATE INDEX source_user_look_again ON source_user (look_again_at) WHERE look_again_at IS NOT NULL;
-- Named by the configuration: in scope whatever else is.
ALTER TABLE source_user ADD COLUMN always_in_scope INTEGER NOT NULL DEFAULT 0;

-- Members of the groups that scoping filters name, by the name as it is written there.
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

-- deleted, outOfScope, disabled: when it was first seen of somebody who has an account; no row once it is undone.
CREATE TABLE leaving_event (
  object_id TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  event     TEXT NOT NULL,
  since     INTEGER NOT NULL,
  PRIMARY KEY (object_id, event)
) STRICT, WITHOUT ROWID;
