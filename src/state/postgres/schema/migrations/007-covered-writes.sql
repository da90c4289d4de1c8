-- When a person was last written is read from the index alone: the rows of the log are wide, and each is on a page of its own.
DROP INDEX operation_person;
CREATE INDEX operation_person ON operation (job, object_id, cycle_id) INCLUDE (status, finished_at);
