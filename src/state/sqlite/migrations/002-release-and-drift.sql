-- What a person decided about held work, and what was done by hand in Lattice.

CREATE TABLE released_change (
  object_id   TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  attribute   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  plan_id     TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  PRIMARY KEY (object_id, attribute)
) STRICT, WITHOUT ROWID;

-- Left alone until the source says something new.
CREATE TABLE rejection (
  object_id   TEXT PRIMARY KEY REFERENCES source_user (object_id) ON DELETE CASCADE,
  plan_id     TEXT NOT NULL,
  rejected_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- JSON by SCIM path: the value confirmed last, where Lattice was found with another that nobody sent.
ALTER TABLE target_user ADD COLUMN drifted TEXT NOT NULL DEFAULT '{}';
-- The linked account was found to be gone, and no other has been linked since.
ALTER TABLE source_user ADD COLUMN account_removed INTEGER NOT NULL DEFAULT 0;
-- edited, removed: what was done by hand that the operation undoes.
ALTER TABLE operation ADD COLUMN drift TEXT;
