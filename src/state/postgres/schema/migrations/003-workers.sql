-- The daemons that share this database. A row is of one process, for all its jobs.
CREATE TABLE worker (
  id         text COLLATE "C" PRIMARY KEY,
  host       text NOT NULL,
  version    text NOT NULL,
  started_at bigint NOT NULL, -- by the server's clock, as all times here
  seen_at    bigint NOT NULL
);

-- The jobs of each daemon, as it is configured.
CREATE TABLE worker_job (
  job      int NOT NULL,
  worker   text COLLATE "C" NOT NULL REFERENCES worker ON DELETE CASCADE,
  digest   text NOT NULL,
  identity text NOT NULL, -- the tenant and the Lattice
  PRIMARY KEY (job, worker)
);
CREATE INDEX worker_job_worker ON worker_job (worker);

-- Since when each configuration of a job is known: the newest one that a living daemon has is in force.
CREATE TABLE job_config (
  job      int NOT NULL,
  digest   text COLLATE "C" NOT NULL,
  first_at bigint NOT NULL,
  PRIMARY KEY (job, digest)
);

-- When the schedule last started a cycle of the job, and how often it could not do its work since.
CREATE TABLE turn (
  job        int PRIMARY KEY,
  worker     text NOT NULL,
  started_at bigint NOT NULL,
  ended_at   bigint,         -- NULL: it has not ended
  again_at   bigint,         -- when it is tried again, sooner than the schedule would
  failures   int NOT NULL    -- in a row, of the kind that is tried again sooner
);

-- What daemons do and did, and what a person has asked for.
CREATE TABLE work (
  job         int NOT NULL,
  id          text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  trigger     text NOT NULL,
  request     json NOT NULL,
  decision    json,
  asked_at    bigint NOT NULL,
  worker      text,          -- NULL: no daemon has begun
  started_at  bigint,
  finished_at bigint,
  progress    json,
  result      json,
  error       text,
  plan        json,          -- of the last dry run
  PRIMARY KEY (job, id)
);
CREATE INDEX work_newest ON work (job, asked_at);
CREATE INDEX work_unfinished ON work (job) WHERE finished_at IS NULL;

-- Dashboard sessions that were signed out before they end by themselves.
CREATE TABLE signed_out (
  session    text COLLATE "C" PRIMARY KEY, -- a hash
  expires_at bigint NOT NULL
);
