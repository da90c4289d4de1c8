-- Accounts that keep a value in a form of their own are counted for the status.

CREATE INDEX target_user_acknowledged ON target_user (lattice_id) WHERE acknowledged <> '{}' AND object_id IS NOT NULL;
