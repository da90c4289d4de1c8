-- Why the daemon does not take the job now, in sentences; NULL: it takes it. A stranger has the job for another tenant or Lattice
-- than a daemon that lives, and waits for that one to end: its configuration is not one of those in force.
ALTER TABLE worker_job ADD COLUMN aside text;
ALTER TABLE worker_job ADD COLUMN stranger boolean NOT NULL DEFAULT false;
