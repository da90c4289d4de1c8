-- Whether it was ever seen, or confirmed by a write, that the account is active or not. An account of which it was not
-- counts as active: it may be.
ALTER TABLE target_user ADD COLUMN active_known INTEGER NOT NULL DEFAULT 1;
