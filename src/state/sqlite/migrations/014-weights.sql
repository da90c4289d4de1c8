-- What the guard counts of an operation is kept with it: one rule in the engine, and none here.

-- JSON: kinds with their details; NULL where nothing counts.
ALTER TABLE operation ADD COLUMN weights TEXT;
-- What was done before in the terms of that time: what the engine counted as deactivations, renames and clears.
UPDATE operation SET weights = (
  SELECT nullif(json_group_array(json(weight)), '[]') FROM (
    SELECT json_object('kind', 'deactivate', 'detail', json_extract(evidence, '$.kind')) AS weight
    WHERE action = 'deactivate' AND NOT EXISTS (SELECT 1 FROM json_each(changes) c
      WHERE json_extract(c.value, '$.attribute') = 'active' AND json_extract(c.value, '$.released'))
    UNION ALL
    SELECT iif(json_extract(c.value, '$.after') IS NULL,
      json_object('kind', 'clear', 'detail', json_extract(c.value, '$.attribute')), json_object('kind', 'rename'))
    FROM json_each(changes) c
    WHERE json_extract(c.value, '$.before') IS NOT NULL AND json_extract(c.value, '$.released') IS NULL
      AND (json_extract(c.value, '$.after') IS NULL OR json_extract(c.value, '$.attribute') = 'userName')))
WHERE status IN ('done', 'sending', 'failed') AND action <> 'create'
  AND at >= (SELECT max(at) FROM operation) - 8 * 24 * 3600 * 1000;
-- For the guard's window.
DROP INDEX operation_finished;
CREATE INDEX operation_weighed ON operation (finished_at, weights) WHERE status = 'done' AND weights IS NOT NULL;

-- A database in which somebody is linked by a cycle that came to its end has its first run behind it.
INSERT INTO meta (key, value)
SELECT 'establishedAt', max(finished_at) FROM cycle
WHERE kind <> 'on-demand' AND outcome IN ('done', 'held', 'someFailed') AND (SELECT linked FROM tally) > 0
HAVING max(finished_at) IS NOT NULL;
