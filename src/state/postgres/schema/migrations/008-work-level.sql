-- The newest level of work that a daemon knows. It is not asked for newer work, because it would do that as if it were older.
ALTER TABLE worker ADD COLUMN work_level int NOT NULL DEFAULT 1;

-- What a command that has asked for the work needs for its report; removed as soon as it was read.
ALTER TABLE work ADD COLUMN report json;
