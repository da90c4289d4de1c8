-- Accounts that people have protected: they are never written. The account need not be known.
CREATE TABLE protected_account (
  lattice_id TEXT PRIMARY KEY,
  user_name  TEXT NOT NULL,    -- when it was protected
  actor      TEXT NOT NULL,    -- JSON: who protected it
  reason     TEXT NOT NULL,
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
