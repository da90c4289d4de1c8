-- The provisioning log as an operator asks for it.

-- When it ended, else when it began, else when its cycle began.
ALTER TABLE operation ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE operation SET at = coalesce(finished_at, started_at, (SELECT started_at FROM cycle WHERE id = cycle_id));

CREATE INDEX operation_at ON operation (at, action, status);
CREATE INDEX operation_kind ON operation (action, status);
CREATE INDEX operation_user_name ON operation (user_name COLLATE NOCASE);
