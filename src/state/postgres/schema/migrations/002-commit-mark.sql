-- The newest transaction of each connection slot of a process: written within it, so that whether it was committed can be read,
-- on whichever server answers.
CREATE TABLE commit_mark (
  job    int NOT NULL,
  writer text COLLATE "C" NOT NULL, -- the process, and its slot
  number bigint NOT NULL,           -- counts up for each writer
  at     bigint NOT NULL,           -- by the server's clock
  PRIMARY KEY (job, writer)
) WITH (fillfactor = 50);
