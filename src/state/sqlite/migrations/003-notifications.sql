-- Changes of state that people are told of, and who still has to be told.

CREATE TABLE event (
  id        TEXT PRIMARY KEY,
  once      TEXT UNIQUE, -- what makes it the same event, where two processes can find it
  at        INTEGER NOT NULL,
  data      TEXT NOT NULL, -- JSON
  addressed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX event_unaddressed ON event (at) WHERE addressed = 0;

-- Removed as soon as the receiver has it, or it was given up.
CREATE TABLE delivery (
  event_id      TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
  receiver      TEXT NOT NULL,
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_try_at   INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (receiver, event_id)
) STRICT, WITHOUT ROWID;

-- People who began to fail or fail no more, until the next digest.
CREATE TABLE failure_change (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  object_id TEXT NOT NULL,
  change    TEXT NOT NULL CHECK (change IN ('began', 'recovered')),
  since     INTEGER NOT NULL,
  code      TEXT NOT NULL,
  message   TEXT NOT NULL
) STRICT;

-- Here and not in the statements, so that no way in or out of the retry schedule is forgotten.
CREATE TRIGGER retry_began AFTER INSERT ON retry BEGIN
  INSERT INTO failure_change (object_id, change, since, code, message)
  VALUES (NEW.object_id, 'began', NEW.first_failed_at, NEW.code, NEW.message);
END;
CREATE TRIGGER retry_ended AFTER DELETE ON retry BEGIN
  INSERT INTO failure_change (object_id, change, since, code, message)
  VALUES (OLD.object_id, 'recovered', OLD.first_failed_at, OLD.code, OLD.message);
END;
