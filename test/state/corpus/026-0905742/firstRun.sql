PRAGMA foreign_keys = OFF;
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
  name        TEXT PRIMARY KEY,
  owner       TEXT NOT NULL,
  acquired_at INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE cycle (
  id          INTEGER PRIMARY KEY,
  plan_id     TEXT NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  outcome     TEXT,
  error       TEXT,
  summary     TEXT, -- JSON
  guard       TEXT  -- JSON
, outcomes TEXT, notes TEXT) STRICT;
CREATE TABLE source_user (
  object_id         TEXT PRIMARY KEY,
  attributes        TEXT NOT NULL, -- JSON, keys in order
  manager_id        TEXT,
  presence          TEXT NOT NULL CHECK (presence IN ('present', 'softDeleted', 'deleted')),
  user_name_key     TEXT,             -- mapped userName in lower case
  read_in           INTEGER NOT NULL, -- cycle whose read last had the person
  pending           INTEGER NOT NULL DEFAULT 1,
  reference_pending INTEGER NOT NULL DEFAULT 0,
  skip_code         TEXT,
  skip_reason       TEXT
, account_removed INTEGER NOT NULL DEFAULT 0, look_again_at INTEGER, always_in_scope INTEGER NOT NULL DEFAULT 0, external_id_key TEXT, unshown TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE scope_member (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE operation (
  id                INTEGER PRIMARY KEY,
  cycle_id          INTEGER NOT NULL REFERENCES cycle (id) ON DELETE CASCADE,
  object_id         TEXT NOT NULL,
  user_name         TEXT NOT NULL,
  lattice_id        TEXT,
  action            TEXT NOT NULL,
  reason            TEXT NOT NULL,
  evidence          TEXT, -- JSON
  adopts            INTEGER NOT NULL,
  manager_object_id TEXT, -- whom a reference among the changes points to
  wave              INTEGER NOT NULL DEFAULT 0,
  status            TEXT NOT NULL DEFAULT 'planned',
  http_status       INTEGER,
  request_id        TEXT,
  error             TEXT,
  attempt           INTEGER NOT NULL DEFAULT 1,
  started_at        INTEGER,
  finished_at       INTEGER
, drift TEXT, at INTEGER NOT NULL DEFAULT 0, doubtful TEXT, former_owner TEXT, weights TEXT, held_since INTEGER) STRICT;
CREATE TABLE retry (
  object_id       TEXT PRIMARY KEY REFERENCES source_user (object_id) ON DELETE CASCADE,
  attempts        INTEGER NOT NULL,
  first_failed_at INTEGER NOT NULL,
  last_failed_at  INTEGER NOT NULL,
  next_try_at     INTEGER NOT NULL,
  code            TEXT NOT NULL,
  message         TEXT NOT NULL
, paths TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE intent (
  object_id    TEXT PRIMARY KEY,
  operation_id INTEGER NOT NULL,
  action       TEXT NOT NULL,
  user_name    TEXT NOT NULL,
  lattice_id   TEXT,
  started_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE released_change (
  object_id   TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  attribute   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  plan_id     TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  PRIMARY KEY (object_id, attribute)
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
  id        TEXT PRIMARY KEY,
  once      TEXT UNIQUE, -- what makes it the same event, where two processes can find it
  at        INTEGER NOT NULL,
  data      TEXT NOT NULL, -- JSON
  addressed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE delivery (
  event_id      TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
  receiver      TEXT NOT NULL,
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_try_at   INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (receiver, event_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE failure_change (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  object_id TEXT NOT NULL,
  change    TEXT NOT NULL CHECK (change IN ('began', 'recovered')),
  since     INTEGER NOT NULL,
  code      TEXT NOT NULL,
  message   TEXT NOT NULL
) STRICT;
CREATE TABLE filter_group_member (
  object_id  TEXT NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (object_id, group_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE filter_group_staging (
  object_id  TEXT NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (object_id, group_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE leaving_event (
  object_id TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  event     TEXT NOT NULL,
  since     INTEGER NOT NULL,
  PRIMARY KEY (object_id, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE tally (
  source_users   INTEGER NOT NULL,
  skipped        INTEGER NOT NULL,
  linked         INTEGER NOT NULL,
  linked_active  INTEGER NOT NULL,
  linked_skipped INTEGER NOT NULL
) STRICT;
CREATE TABLE logged_name (
  user_name TEXT NOT NULL COLLATE NOCASE,
  object_id TEXT NOT NULL,
  PRIMARY KEY (user_name, object_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE lost_link (
  lattice_id    TEXT PRIMARY KEY,
  object_id     TEXT NOT NULL,
  external_id   TEXT,
  user_name     TEXT NOT NULL,
  missing_since INTEGER NOT NULL,
  dissolved_at  INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rejected_change (
  object_id   TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  attribute   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  evidence    TEXT, -- of a deactivation: the kind
  plan_id     TEXT NOT NULL,
  rejected_at INTEGER NOT NULL, decision_id INTEGER REFERENCES decision (id) ON DELETE SET NULL,
  PRIMARY KEY (object_id, attribute, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE TABLE decision (
  id      INTEGER PRIMARY KEY,
  plan_id TEXT NOT NULL,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL, -- JSON
  reason  TEXT           -- as the actor gave it
) STRICT;
CREATE TABLE decided_person (
  object_id   TEXT NOT NULL,
  decision_id INTEGER NOT NULL REFERENCES decision (id) ON DELETE CASCADE,
  what        TEXT NOT NULL, -- released, rejected, undone
  PRIMARY KEY (object_id, decision_id, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE operation_changes (
  id      INTEGER PRIMARY KEY REFERENCES operation (id) ON DELETE CASCADE,
  changes TEXT NOT NULL
) STRICT;
CREATE TABLE "target_user" (
  id            INTEGER PRIMARY KEY,
  lattice_id    TEXT NOT NULL UNIQUE,
  object_id     TEXT UNIQUE,
  user_name     TEXT NOT NULL,
  user_name_key TEXT NOT NULL,
  external_id   TEXT,
  active        INTEGER NOT NULL,
  active_known  INTEGER NOT NULL,
  manager       TEXT,          -- Lattice id of the manager: the only reference that Lattice knows
  attributes    TEXT NOT NULL, -- JSON by SCIM path
  acknowledged  TEXT NOT NULL, -- JSON
  drifted       TEXT NOT NULL, -- JSON by SCIM path: the value confirmed last, where Lattice was found with another
  read_in       INTEGER NOT NULL,
  read_again    TEXT,          -- JSON: paths; NULL for an account that need not be read
  missing_since INTEGER        -- when it was first not found; NULL while it is there
) STRICT;
CREATE TABLE protected_account (
  lattice_id TEXT PRIMARY KEY,
  user_name  TEXT NOT NULL,    -- when it was protected
  actor      TEXT NOT NULL,    -- JSON: who protected it
  reason     TEXT NOT NULL,
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('acceptedScope', '{"digest":"scope-1","parts":[{"id":"direct","name":"the direct assignments","members":13}]}');
INSERT INTO meta VALUES ('aheadOfWatermark', '');
INSERT INTO meta VALUES ('knownTarget', '{"url":"https://lattice.example.com/scim/v2","salt":"8ef98fd8-5d1c-42e8-95cf-80b3a653b6d0","key":"the-key"}');
INSERT INTO meta VALUES ('listingFault', '');
INSERT INTO meta VALUES ('mappingDigest', '723eb11e410db9000c68202ec877cf99bb88e6deadf34bc7be0c5a075c8c40c9');
INSERT INTO meta VALUES ('notShown', '');
INSERT INTO meta VALUES ('reconciledAt', '1795423500000');
INSERT INTO meta VALUES ('targetListedAt', '1795423500000');
INSERT INTO meta VALUES ('tenantId', 'tenant-1');
INSERT INTO meta VALUES ('unreadPeople', '');
INSERT INTO meta VALUES ('watermark', '13');
INSERT INTO meta VALUES ('watermarkAt', '1795423500000');
INSERT INTO lease VALUES ('cycle', 'sync.example.com/4711/made-up/', 1795420800000, 1795420860000);
INSERT INTO cycle VALUES (1, 'af727034-071e-4173-b193-deabc8526400', 'initial', 1795423500000, null, null, null, '{"create":13,"update":0,"deactivate":0,"reactivate":0,"link":0,"unchanged":0,"skipped":0,"outOfScope":0}', '{"held":false,"reasons":[],"notes":["13 creates: Lattice sends each person an invitation by e-mail if auto-invite is on."]}', null, null);
INSERT INTO source_user VALUES ('anna', '{"accountEnabled":true,"displayName":"Anna Brook","id":"anna","jobTitle":"Clerk","userPrincipalName":"anna@example.com"}', 'mara', 'present', 'anna@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('bela', '{"accountEnabled":true,"displayName":"Bela Ford","id":"bela","jobTitle":"Clerk","userPrincipalName":"bela@example.com"}', 'mara', 'present', 'bela@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('dora', '{"accountEnabled":true,"displayName":"Dora Field","id":"dora","jobTitle":"Clerk","userPrincipalName":"dora@example.com"}', 'mara', 'present', 'dora@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('ines', '{"accountEnabled":true,"displayName":"Ines Lake","id":"ines","jobTitle":"Clerk","userPrincipalName":"ines@example.com"}', 'mara', 'present', 'ines@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('karl', '{"accountEnabled":true,"displayName":"Karl Stone","id":"karl","jobTitle":"Clerk","userPrincipalName":"karl@example.com"}', 'mara', 'present', 'karl@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('kurt', '{"accountEnabled":true,"displayName":"Kurt Wood","id":"kurt","jobTitle":"Driver","userPrincipalName":"kurt@example.com"}', 'mara', 'present', 'kurt@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('lars', '{"accountEnabled":true,"displayName":"Lars Mill","id":"lars","jobTitle":"Baker","userPrincipalName":"lars@example.com"}', 'mara', 'present', 'lars@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('mara', '{"accountEnabled":true,"displayName":"Mara Hill","id":"mara","jobTitle":"Director","userPrincipalName":"mara@example.com"}', null, 'present', 'mara@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('nina', '{"accountEnabled":true,"displayName":"Nina Marsh","id":"nina","jobTitle":"Nurse","userPrincipalName":"nina@example.com"}', 'mara', 'present', 'nina@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('otto', '{"accountEnabled":true,"displayName":"Otto Ridge","id":"otto","jobTitle":"Clerk","userPrincipalName":"otto@example.com"}', 'mara', 'present', 'otto@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('paul', '{"accountEnabled":true,"displayName":"Paul Dale","id":"paul","jobTitle":"Clerk","userPrincipalName":"paul@example.com"}', 'mara', 'present', 'paul@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('rita', '{"accountEnabled":true,"displayName":"Rita Glen","id":"rita","jobTitle":"Clerk","userPrincipalName":"rita@example.com"}', 'mara', 'present', 'rita@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO source_user VALUES ('udo', '{"accountEnabled":true,"displayName":"Udo Heath","id":"udo","jobTitle":"Clerk","userPrincipalName":"udo@example.com"}', 'mara', 'present', 'udo@example.com', 1, 1, 0, null, null, 0, null, 0, null, null);
INSERT INTO scope_member VALUES ('anna');
INSERT INTO scope_member VALUES ('bela');
INSERT INTO scope_member VALUES ('dora');
INSERT INTO scope_member VALUES ('ines');
INSERT INTO scope_member VALUES ('karl');
INSERT INTO scope_member VALUES ('kurt');
INSERT INTO scope_member VALUES ('lars');
INSERT INTO scope_member VALUES ('mara');
INSERT INTO scope_member VALUES ('nina');
INSERT INTO scope_member VALUES ('otto');
INSERT INTO scope_member VALUES ('paul');
INSERT INTO scope_member VALUES ('rita');
INSERT INTO scope_member VALUES ('udo');
INSERT INTO operation VALUES (1, 1, 'anna', 'anna@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (2, 1, 'bela', 'bela@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (3, 1, 'dora', 'dora@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (4, 1, 'ines', 'ines@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (5, 1, 'karl', 'karl@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (6, 1, 'kurt', 'kurt@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (7, 1, 'lars', 'lars@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (8, 1, 'mara', 'mara@example.com', null, 'create', 'new in scope', null, 0, null, 2, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (9, 1, 'nina', 'nina@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (10, 1, 'otto', 'otto@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (11, 1, 'paul', 'paul@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (12, 1, 'rita', 'rita@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO operation VALUES (13, 1, 'udo', 'udo@example.com', null, 'create', 'new in scope', null, 0, 'mara', 3, 'sending', null, null, null, 1, 1795423500000, null, null, 1795423500000, null, null, null, null);
INSERT INTO intent VALUES ('anna', 1, 'create', 'anna@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('bela', 2, 'create', 'bela@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('dora', 3, 'create', 'dora@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('ines', 4, 'create', 'ines@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('karl', 5, 'create', 'karl@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('kurt', 6, 'create', 'kurt@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('lars', 7, 'create', 'lars@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('mara', 8, 'create', 'mara@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('nina', 9, 'create', 'nina@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('otto', 10, 'create', 'otto@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('paul', 11, 'create', 'paul@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('rita', 12, 'create', 'rita@example.com', null, 1795423500000);
INSERT INTO intent VALUES ('udo', 13, 'create', 'udo@example.com', null, 1795423500000);
INSERT INTO tally VALUES (13, 0, 0, 0, 0);
INSERT INTO logged_name VALUES ('anna@example.com', 'anna');
INSERT INTO logged_name VALUES ('bela@example.com', 'bela');
INSERT INTO logged_name VALUES ('dora@example.com', 'dora');
INSERT INTO logged_name VALUES ('ines@example.com', 'ines');
INSERT INTO logged_name VALUES ('karl@example.com', 'karl');
INSERT INTO logged_name VALUES ('kurt@example.com', 'kurt');
INSERT INTO logged_name VALUES ('lars@example.com', 'lars');
INSERT INTO logged_name VALUES ('mara@example.com', 'mara');
INSERT INTO logged_name VALUES ('nina@example.com', 'nina');
INSERT INTO logged_name VALUES ('otto@example.com', 'otto');
INSERT INTO logged_name VALUES ('paul@example.com', 'paul');
INSERT INTO logged_name VALUES ('rita@example.com', 'rita');
INSERT INTO logged_name VALUES ('udo@example.com', 'udo');
INSERT INTO operation_changes VALUES (1, '[{"attribute":"userName","before":null,"after":"anna@example.com"},{"attribute":"externalId","before":null,"after":"anna"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Anna Brook"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (2, '[{"attribute":"userName","before":null,"after":"bela@example.com"},{"attribute":"externalId","before":null,"after":"bela"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Bela Ford"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (3, '[{"attribute":"userName","before":null,"after":"dora@example.com"},{"attribute":"externalId","before":null,"after":"dora"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Dora Field"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (4, '[{"attribute":"userName","before":null,"after":"ines@example.com"},{"attribute":"externalId","before":null,"after":"ines"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Ines Lake"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (5, '[{"attribute":"userName","before":null,"after":"karl@example.com"},{"attribute":"externalId","before":null,"after":"karl"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Karl Stone"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (6, '[{"attribute":"userName","before":null,"after":"kurt@example.com"},{"attribute":"externalId","before":null,"after":"kurt"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Kurt Wood"},{"attribute":"title","before":null,"after":"Driver"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (7, '[{"attribute":"userName","before":null,"after":"lars@example.com"},{"attribute":"externalId","before":null,"after":"lars"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Lars Mill"},{"attribute":"title","before":null,"after":"Baker"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (8, '[{"attribute":"userName","before":null,"after":"mara@example.com"},{"attribute":"externalId","before":null,"after":"mara"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Mara Hill"},{"attribute":"title","before":null,"after":"Director"}]');
INSERT INTO operation_changes VALUES (9, '[{"attribute":"userName","before":null,"after":"nina@example.com"},{"attribute":"externalId","before":null,"after":"nina"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Nina Marsh"},{"attribute":"title","before":null,"after":"Nurse"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (10, '[{"attribute":"userName","before":null,"after":"otto@example.com"},{"attribute":"externalId","before":null,"after":"otto"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Otto Ridge"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (11, '[{"attribute":"userName","before":null,"after":"paul@example.com"},{"attribute":"externalId","before":null,"after":"paul"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Paul Dale"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (12, '[{"attribute":"userName","before":null,"after":"rita@example.com"},{"attribute":"externalId","before":null,"after":"rita"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Rita Glen"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
INSERT INTO operation_changes VALUES (13, '[{"attribute":"userName","before":null,"after":"udo@example.com"},{"attribute":"externalId","before":null,"after":"udo"},{"attribute":"active","before":null,"after":true},{"attribute":"displayName","before":null,"after":"Udo Heath"},{"attribute":"title","before":null,"after":"Clerk"},{"attribute":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","before":null,"after":"mara@example.com","reference":{"beforeId":null,"afterObjectId":"mara"}}]');
DELETE FROM sqlite_sequence;
CREATE INDEX source_user_pending ON source_user (object_id) WHERE pending = 1;
CREATE INDEX source_user_skipped ON source_user (object_id) WHERE skip_code IS NOT NULL;
CREATE INDEX source_user_manager ON source_user (manager_id) WHERE manager_id IS NOT NULL;
CREATE INDEX source_user_name ON source_user (user_name_key) WHERE user_name_key IS NOT NULL;
CREATE INDEX operation_order ON operation (cycle_id, wave, id);
CREATE INDEX operation_person ON operation (object_id, cycle_id);
CREATE INDEX event_unaddressed ON event (at) WHERE addressed = 0;
CREATE INDEX operation_at ON operation (at, action, status);
CREATE INDEX operation_kind ON operation (action, status);
CREATE INDEX source_user_look_again ON source_user (look_again_at) WHERE look_again_at IS NOT NULL;
CREATE TRIGGER logged_name_came AFTER INSERT ON operation BEGIN
  INSERT OR IGNORE INTO logged_name VALUES (NEW.user_name, NEW.object_id);
END;
CREATE TRIGGER logged_name_went AFTER DELETE ON operation BEGIN
  DELETE FROM logged_name WHERE user_name = OLD.user_name AND object_id = OLD.object_id
    AND NOT EXISTS (SELECT 1 FROM operation WHERE object_id = OLD.object_id AND user_name = OLD.user_name COLLATE NOCASE);
END;
CREATE INDEX source_user_external_id ON source_user (external_id_key) WHERE external_id_key IS NOT NULL;
CREATE INDEX lost_link_person ON lost_link (object_id);
CREATE INDEX lost_link_external_id ON lost_link (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX lost_link_dissolved ON lost_link (dissolved_at);
CREATE INDEX operation_weighed ON operation (finished_at, weights) WHERE status = 'done' AND weights IS NOT NULL;
CREATE INDEX operation_held ON operation (object_id) WHERE status = 'held';
CREATE INDEX decision_at ON decision (at);
CREATE INDEX decided_person_decision ON decided_person (decision_id);
CREATE INDEX rejected_decision ON rejected_change (decision_id);
CREATE INDEX target_user_name ON target_user (user_name_key);
CREATE INDEX target_user_external_id ON target_user (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX target_user_manager ON target_user (manager) WHERE manager IS NOT NULL;
CREATE INDEX target_user_read_again ON target_user (lattice_id) WHERE read_again IS NOT NULL;
CREATE INDEX target_user_missing ON target_user (lattice_id) WHERE missing_since IS NOT NULL;
CREATE INDEX target_user_acknowledged ON target_user (lattice_id) WHERE acknowledged <> '{}' AND object_id IS NOT NULL;
CREATE TRIGGER tally_source_came AFTER INSERT ON source_user BEGIN
  UPDATE tally SET source_users = source_users + 1,
    skipped = skipped + (NEW.skip_code IS NOT NULL),
    linked_skipped = linked_skipped + (NEW.skip_code IS NOT NULL
      AND EXISTS (SELECT 1 FROM target_user WHERE object_id = NEW.object_id));
END;
CREATE TRIGGER tally_source_went AFTER DELETE ON source_user BEGIN
  UPDATE tally SET source_users = source_users - 1,
    skipped = skipped - (OLD.skip_code IS NOT NULL),
    linked_skipped = linked_skipped - (OLD.skip_code IS NOT NULL
      AND EXISTS (SELECT 1 FROM target_user WHERE object_id = OLD.object_id));
END;
CREATE TRIGGER tally_source_decided AFTER UPDATE OF skip_code ON source_user
WHEN (OLD.skip_code IS NULL) <> (NEW.skip_code IS NULL) BEGIN
  UPDATE tally SET skipped = skipped + iif(NEW.skip_code IS NULL, -1, 1),
    linked_skipped = linked_skipped + iif(NEW.skip_code IS NULL, -1, 1)
      * EXISTS (SELECT 1 FROM target_user WHERE object_id = NEW.object_id);
END;
CREATE TRIGGER tally_target_came AFTER INSERT ON target_user WHEN NEW.object_id IS NOT NULL BEGIN
  UPDATE tally SET linked = linked + 1, linked_active = linked_active + (NEW.active = 1),
    linked_skipped = linked_skipped
      + EXISTS (SELECT 1 FROM source_user WHERE object_id = NEW.object_id AND skip_code IS NOT NULL);
END;
CREATE TRIGGER tally_target_went AFTER DELETE ON target_user WHEN OLD.object_id IS NOT NULL BEGIN
  UPDATE tally SET linked = linked - 1, linked_active = linked_active - (OLD.active = 1),
    linked_skipped = linked_skipped
      - EXISTS (SELECT 1 FROM source_user WHERE object_id = OLD.object_id AND skip_code IS NOT NULL);
END;
CREATE TRIGGER tally_target_moved AFTER UPDATE OF object_id, active ON target_user
WHEN OLD.object_id IS NOT NEW.object_id OR OLD.active <> NEW.active BEGIN
  UPDATE tally SET linked = linked + (NEW.object_id IS NOT NULL) - (OLD.object_id IS NOT NULL),
    linked_active = linked_active + (NEW.object_id IS NOT NULL AND NEW.active = 1)
      - (OLD.object_id IS NOT NULL AND OLD.active = 1),
    linked_skipped = linked_skipped
      + EXISTS (SELECT 1 FROM source_user WHERE object_id = NEW.object_id AND skip_code IS NOT NULL)
      - EXISTS (SELECT 1 FROM source_user WHERE object_id = OLD.object_id AND skip_code IS NOT NULL);
END;
CREATE INDEX source_user_reference_pending ON source_user (object_id) WHERE reference_pending <> 0;
PRAGMA user_version = 26;
