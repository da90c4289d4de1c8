-- What people have decided about users and accounts: linked, or never linked again by matching. Neither need be known.
CREATE TABLE link_decision (
  job        int NOT NULL,
  object_id  text COLLATE "C" NOT NULL,
  lattice_id text COLLATE "C" NOT NULL,
  what       text COLLATE "C" NOT NULL, -- linked, unlinked
  user_name  text NOT NULL,             -- the account's, when it was decided
  actor      json NOT NULL,             -- who decided
  reason     text NOT NULL,
  at         bigint NOT NULL,
  PRIMARY KEY (job, object_id, lattice_id)
);
