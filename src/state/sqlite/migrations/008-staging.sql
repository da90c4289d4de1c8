-- What is read of a scope is staged in the memory of the run that reads it.
DROP TABLE scope_staging;
