-- The newest work that a daemon knows. It is not asked for newer work, which it would take for older one.
ALTER TABLE worker ADD COLUMN work_level int NOT NULL DEFAULT 1;

-- What a command that has asked for the work needs for its report; removed as soon as it was read.
ALTER TABLE work ADD COLUMN report json;
