-- Each table has the job first in its key: the rows of one job are found, moved and removed by it. Ids count per job.
-- Times are milliseconds since the epoch. Keys by which rows are ordered or paged compare byte by byte (COLLATE "C").
-- JSON is kept as it was written (json, not jsonb).

CREATE TABLE job (
  id             int PRIMARY KEY,
  name           text COLLATE "C" NOT NULL UNIQUE,
  -- The newest id of each kind: the writer of the job takes the next ones within its transaction.
  last_cycle     bigint NOT NULL DEFAULT 0,
  last_operation bigint NOT NULL DEFAULT 0,
  last_decision  bigint NOT NULL DEFAULT 0,
  last_event     bigint NOT NULL DEFAULT 0,
  last_failure   bigint NOT NULL DEFAULT 0
);

CREATE TABLE meta (
  job   int NOT NULL,
  key   text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (job, key)
);

-- The lease of each job: its owner may write. A row stays when the lease is released: its term grows with every run that takes the lease.
CREATE TABLE lease (
  job         int PRIMARY KEY,
  owner       text,            -- NULL: free
  term        bigint NOT NULL,
  acquired_at bigint NOT NULL,
  expires_at  bigint NOT NULL
);

CREATE TABLE cycle (
  job         int NOT NULL,
  id          bigint NOT NULL,
  plan_id     text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  started_at  bigint NOT NULL,
  finished_at bigint,
  outcome     text,
  error       text,
  summary     json,
  guard       json,
  notes       json,
  outcomes    json, -- NULL: counted from the log
  PRIMARY KEY (job, id),
  UNIQUE (job, plan_id)
);

-- The directory as last read, and where each person stands.
CREATE TABLE source_user (
  job                 int NOT NULL,
  object_id           text COLLATE "C" NOT NULL,
  attributes          json NOT NULL,             -- keys in order
  user_principal_name text COLLATE "C",          -- of the attributes
  enabled             boolean NOT NULL,          -- of the attributes; true if they do not say
  manager_id          text COLLATE "C",
  presence            text NOT NULL CHECK (presence IN ('present', 'softDeleted', 'deleted')),
  unshown             json,
  user_name_key       text COLLATE "C",          -- mapped userName in lower case
  external_id_key     text COLLATE "C",
  always_in_scope     boolean NOT NULL,
  read_in             bigint NOT NULL,           -- cycle whose read last had the person
  pending             boolean NOT NULL DEFAULT true,
  reference_pending   smallint NOT NULL DEFAULT 0, -- 1: waits for the manager's account; 2: that was found in this cycle
  account_removed     boolean NOT NULL DEFAULT false,
  skip_code           text,
  skip_reason         text,
  look_again_at       bigint,
  PRIMARY KEY (job, object_id)
) WITH (fillfactor = 85);
CREATE INDEX source_user_pending ON source_user (job, object_id) WHERE pending;
CREATE INDEX source_user_reference_pending ON source_user (job, object_id) WHERE reference_pending <> 0;
CREATE INDEX source_user_skipped ON source_user (job, object_id) WHERE skip_code IS NOT NULL;
CREATE INDEX source_user_look_again ON source_user (job, object_id) WHERE look_again_at IS NOT NULL;
CREATE INDEX source_user_manager ON source_user (job, manager_id) WHERE manager_id IS NOT NULL;
CREATE INDEX source_user_name ON source_user (job, user_name_key) WHERE user_name_key IS NOT NULL;
CREATE INDEX source_user_external_id ON source_user (job, external_id_key) WHERE external_id_key IS NOT NULL;
CREATE INDEX source_user_principal ON source_user (job, lower(user_principal_name));

CREATE TABLE scope_member (
  job       int NOT NULL,
  object_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (job, object_id)
);

CREATE TABLE filter_group_member (
  job        int NOT NULL,
  object_id  text COLLATE "C" NOT NULL,
  group_name text COLLATE "C" NOT NULL,
  PRIMARY KEY (job, object_id, group_name)
);

-- Lattice as last read and confirmed.
CREATE TABLE target_user (
  job           int NOT NULL,
  lattice_id    text COLLATE "C" NOT NULL,
  object_id     text COLLATE "C",
  user_name     text NOT NULL,
  user_name_key text COLLATE "C" NOT NULL,
  external_id   text COLLATE "C",
  active        boolean NOT NULL,
  active_known  boolean NOT NULL,
  manager       text COLLATE "C",  -- of the attributes: Lattice id of the manager, the only reference that Lattice knows
  attributes    json NOT NULL,     -- by SCIM path
  acknowledged  json,              -- NULL: nothing
  drifted       json,              -- NULL: nothing
  read_in       bigint NOT NULL,
  read_again    json,              -- paths; NULL for an account that need not be read again
  missing_since bigint,
  PRIMARY KEY (job, lattice_id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX target_user_person ON target_user (job, object_id) INCLUDE (active) WHERE object_id IS NOT NULL;
CREATE INDEX target_user_name ON target_user (job, user_name_key);
CREATE INDEX target_user_external_id ON target_user (job, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX target_user_manager ON target_user (job, manager) WHERE manager IS NOT NULL;
CREATE INDEX target_user_read_again ON target_user (job, lattice_id) WHERE read_again IS NOT NULL;
CREATE INDEX target_user_missing ON target_user (job, lattice_id) WHERE missing_since IS NOT NULL;
CREATE INDEX target_user_acknowledged ON target_user (job, lattice_id)
  WHERE acknowledged IS NOT NULL AND object_id IS NOT NULL;

CREATE TABLE lost_link (
  job           int NOT NULL,
  lattice_id    text COLLATE "C" NOT NULL,
  object_id     text COLLATE "C" NOT NULL,
  external_id   text COLLATE "C",
  user_name     text NOT NULL,
  missing_since bigint NOT NULL,
  dissolved_at  bigint NOT NULL,
  reason        text NOT NULL,
  PRIMARY KEY (job, lattice_id)
);
CREATE INDEX lost_link_person ON lost_link (job, object_id);
CREATE INDEX lost_link_external_id ON lost_link (job, external_id) WHERE external_id IS NOT NULL;

-- The provisioning log: the plan of each cycle, and what came of it.
CREATE TABLE operation (
  job               int NOT NULL,
  id                bigint NOT NULL,
  cycle_id          bigint NOT NULL,
  object_id         text COLLATE "C" NOT NULL,
  user_name         text NOT NULL,
  lattice_id        text COLLATE "C",
  action            text COLLATE "C" NOT NULL,
  reason            text NOT NULL,
  evidence          json,
  changes           json NOT NULL,
  weights           text COLLATE "C",  -- JSON; NULL for an operation that weighs nothing
  adopts            boolean NOT NULL,
  manager_object_id text COLLATE "C",  -- whom a reference among the changes points to
  drift             text,
  doubtful          text,
  former_owner      text,
  wave              int NOT NULL,
  status            text COLLATE "C" NOT NULL,
  held_since        bigint,            -- cycle since which exactly this is held
  attempt           int NOT NULL,
  at                bigint NOT NULL,
  started_at        bigint,
  finished_at       bigint,
  http_status       int,
  request_id        text,
  error             text,
  PRIMARY KEY (job, id),
  FOREIGN KEY (job, cycle_id) REFERENCES cycle ON DELETE CASCADE
);
CREATE INDEX operation_order ON operation (job, cycle_id, wave, id);
CREATE INDEX operation_person ON operation (job, object_id, cycle_id);
CREATE INDEX operation_kind ON operation (job, action, status, id);
CREATE INDEX operation_unanswered ON operation (job, status, cycle_id)
  WHERE http_status IS NULL AND status IN ('planned', 'reported', 'cancelled');
CREATE INDEX operation_at ON operation (job, at);
CREATE INDEX operation_held ON operation (job, object_id) WHERE status = 'held';
CREATE INDEX operation_weighed ON operation (job, finished_at) WHERE status = 'done' AND weights IS NOT NULL;
CREATE INDEX operation_name ON operation (job, lower(user_name COLLATE "C"));

-- Writes that were begun and not confirmed. Kept even if the operation was removed from the log.
CREATE TABLE intent (
  job          int NOT NULL,
  object_id    text COLLATE "C" NOT NULL,
  operation_id bigint NOT NULL,
  action       text NOT NULL,
  user_name    text NOT NULL,
  lattice_id   text COLLATE "C",
  started_at   bigint NOT NULL,
  PRIMARY KEY (job, object_id)
);

-- People who failed, and when they are tried again.
CREATE TABLE retry (
  job             int NOT NULL,
  object_id       text COLLATE "C" NOT NULL,
  attempts        int NOT NULL,
  first_failed_at bigint NOT NULL,
  last_failed_at  bigint NOT NULL,
  next_try_at     bigint NOT NULL,
  code            text NOT NULL,
  message         text NOT NULL,
  paths           json,
  PRIMARY KEY (job, object_id),
  FOREIGN KEY (job, object_id) REFERENCES source_user ON DELETE CASCADE
);

CREATE TABLE leaving_event (
  job       int NOT NULL,
  object_id text COLLATE "C" NOT NULL,
  event     text COLLATE "C" NOT NULL,
  since     bigint NOT NULL,
  PRIMARY KEY (job, object_id, event),
  FOREIGN KEY (job, object_id) REFERENCES source_user ON DELETE CASCADE
);

-- What people decided about held plans.
CREATE TABLE decision (
  job     int NOT NULL,
  id      bigint NOT NULL,
  plan_id text COLLATE "C" NOT NULL,
  at      bigint NOT NULL,
  actor   json NOT NULL,
  reason  text,
  PRIMARY KEY (job, id)
);
CREATE INDEX decision_at ON decision (job, at);

CREATE TABLE decided_person (
  job         int NOT NULL,
  object_id   text COLLATE "C" NOT NULL,
  decision_id bigint NOT NULL,
  what        text COLLATE "C" NOT NULL, -- released, rejected, undone
  PRIMARY KEY (job, object_id, decision_id, what),
  FOREIGN KEY (job, decision_id) REFERENCES decision ON DELETE CASCADE
);
CREATE INDEX decided_person_decision ON decided_person (job, decision_id);

CREATE TABLE released_change (
  job         int NOT NULL,
  object_id   text COLLATE "C" NOT NULL,
  attribute   text COLLATE "C" NOT NULL,
  fingerprint text NOT NULL,
  plan_id     text COLLATE "C" NOT NULL,
  released_at bigint NOT NULL,
  PRIMARY KEY (job, object_id, attribute),
  FOREIGN KEY (job, object_id) REFERENCES source_user ON DELETE CASCADE
);

CREATE TABLE rejected_change (
  job         int NOT NULL,
  object_id   text COLLATE "C" NOT NULL,
  attribute   text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  evidence    text, -- of a deactivation: the kind
  plan_id     text COLLATE "C" NOT NULL,
  rejected_at bigint NOT NULL,
  decision_id bigint, -- a decision stays as long as a rejection of it
  PRIMARY KEY (job, object_id, attribute, fingerprint),
  FOREIGN KEY (job, object_id) REFERENCES source_user ON DELETE CASCADE
);

-- Events, and their deliveries until each receiver has got them.
CREATE TABLE event (
  job       int NOT NULL,
  seq       bigint NOT NULL, -- the order in which they were kept
  id        text COLLATE "C" NOT NULL,
  once      text COLLATE "C", -- what makes it the same event, where two processes can find it
  at        bigint NOT NULL,
  kind      text NOT NULL,   -- of the data
  data      json NOT NULL,
  addressed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (job, seq),
  UNIQUE (job, id)
);
CREATE UNIQUE INDEX event_once ON event (job, once) WHERE once IS NOT NULL;
CREATE INDEX event_unaddressed ON event (job, at, seq) WHERE NOT addressed;

CREATE TABLE delivery (
  job           int NOT NULL,
  receiver      text COLLATE "C" NOT NULL,
  event_seq     bigint NOT NULL,
  attempts      int NOT NULL DEFAULT 0,
  next_try_at   bigint NOT NULL DEFAULT 0,
  claimed_until bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (job, receiver, event_seq),
  FOREIGN KEY (job, event_seq) REFERENCES event ON DELETE CASCADE
);
CREATE INDEX delivery_event ON delivery (job, event_seq);

-- People who began to fail, or fail no longer, until the digest of failures has reported it.
CREATE TABLE failure_change (
  job       int NOT NULL,
  id        bigint NOT NULL,
  object_id text COLLATE "C" NOT NULL,
  change    text NOT NULL CHECK (change IN ('began', 'recovered')),
  since     bigint NOT NULL,
  code      text NOT NULL,
  message   text NOT NULL,
  PRIMARY KEY (job, id)
);
