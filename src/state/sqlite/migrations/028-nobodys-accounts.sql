-- Active accounts that are nobody's, as the last cycle left them: one that is not among them yet is reported.
CREATE TABLE nobodys_account (
  lattice_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE INDEX target_user_unlinked ON target_user (lattice_id) WHERE object_id IS NULL;
