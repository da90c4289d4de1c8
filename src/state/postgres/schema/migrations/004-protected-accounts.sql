-- Accounts that people have protected: they are never written. The account need not be known.
CREATE TABLE protected_account (
  job        int NOT NULL,
  lattice_id text COLLATE "C" NOT NULL,
  user_name  text NOT NULL,    -- when it was protected
  actor      json NOT NULL,    -- who protected it
  reason     text NOT NULL,
  at         bigint NOT NULL,
  PRIMARY KEY (job, lattice_id)
);
