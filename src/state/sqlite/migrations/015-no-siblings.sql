-- An account is read before an attribute with several values is written, so nothing is kept of its other values.
ALTER TABLE target_user DROP COLUMN siblings;
