-- JSON: what came of the operations of a finished cycle, so that a list of cycles need not count the log each time.
ALTER TABLE cycle ADD COLUMN outcomes TEXT;
UPDATE cycle SET outcomes = (
  SELECT json_group_array(json_object('action', action, 'outcome', status, 'count', number))
  FROM (SELECT action, status, count(*) AS number FROM operation WHERE cycle_id = cycle.id GROUP BY action, status))
WHERE finished_at IS NOT NULL;
