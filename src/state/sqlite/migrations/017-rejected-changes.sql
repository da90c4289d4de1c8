-- A rejection names changes, as a release does. It ends when the change is no longer planned as it was.

CREATE TABLE rejected_change (
  object_id   TEXT NOT NULL REFERENCES source_user (object_id) ON DELETE CASCADE,
  attribute   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  evidence    TEXT, -- of a deactivation: the kind
  plan_id     TEXT NOT NULL,
  rejected_at INTEGER NOT NULL,
  PRIMARY KEY (object_id, attribute, fingerprint)
) STRICT, WITHOUT ROWID;

-- What was rejected of whole people becomes what their plan held of them.
INSERT OR IGNORE INTO rejected_change
SELECT r.object_id, json_extract(c.value, '$.attribute'),
  json_array(o.lattice_id, json_extract(c.value, '$.attribute'),
    json(coalesce(c.value -> '$.reference.beforeId', c.value -> '$.before')),
    json(coalesce(c.value -> '$.reference.afterObjectId', c.value -> '$.after')),
    iif(json_extract(c.value, '$.attribute') = 'active', json_extract(o.evidence, '$.kind'), NULL))
  || iif(json_extract(c.value, '$.attribute') = 'active' AND json_extract(o.evidence, '$.kind') = 'filteredOut',
    ' ' || json_extract(o.evidence, '$.detail'), ''),
  iif(json_extract(c.value, '$.attribute') = 'active', json_extract(o.evidence, '$.kind'), NULL), r.plan_id, r.rejected_at
FROM rejection r JOIN cycle ON cycle.plan_id = r.plan_id
  JOIN operation o ON o.cycle_id = cycle.id AND o.object_id = r.object_id AND o.status = 'held', json_each(o.changes) c;
-- Where the log no longer has it: a deactivation, whatever was seen.
INSERT OR IGNORE INTO rejected_change
SELECT object_id, 'active', '*', NULL, plan_id, rejected_at FROM rejection
WHERE object_id NOT IN (SELECT object_id FROM rejected_change);
DROP TABLE rejection;
