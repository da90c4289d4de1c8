-- What people have decided about users and accounts: linked, or never linked again by matching. Neither need be known.
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
