-- Who released or rejected what was held, or took rejections back: a line for each decision, and the people it was about.

CREATE TABLE decision (
  id      INTEGER PRIMARY KEY,
  plan_id TEXT NOT NULL,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL, -- JSON
  reason  TEXT           -- as the actor gave it
) STRICT;
CREATE INDEX decision_at ON decision (at);

CREATE TABLE decided_person (
  object_id   TEXT NOT NULL,
  decision_id INTEGER NOT NULL REFERENCES decision (id) ON DELETE CASCADE,
  what        TEXT NOT NULL, -- released, rejected, undone
  PRIMARY KEY (object_id, decision_id, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX decided_person_decision ON decided_person (decision_id);

-- Null: rejected by an earlier version, or the log has let go of it.
ALTER TABLE rejected_change ADD COLUMN decision_id INTEGER REFERENCES decision (id) ON DELETE SET NULL;
CREATE INDEX rejected_decision ON rejected_change (decision_id);
