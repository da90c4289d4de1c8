-- An account that could not be found, and links that were dissolved because of it.

ALTER TABLE target_user ADD COLUMN missing_since INTEGER; -- when it was first not found; NULL while it is there
CREATE INDEX target_user_missing ON target_user (lattice_id) WHERE missing_since IS NOT NULL;

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
