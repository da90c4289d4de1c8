-- Active accounts that are nobody's, as the last cycle left them: one that is not among them yet is reported.
CREATE TABLE nobodys_account (
  job        int NOT NULL,
  lattice_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (job, lattice_id)
);
CREATE INDEX target_user_unlinked ON target_user (job, lattice_id) WHERE object_id IS NULL;
