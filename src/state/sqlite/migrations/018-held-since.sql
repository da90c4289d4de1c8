-- What is held is one row: it moves on with each plan that holds it again, and keeps since when.

-- Cycle since which exactly this is held; NULL: since that of the row.
ALTER TABLE operation ADD COLUMN held_since INTEGER;
CREATE INDEX operation_held ON operation (object_id) WHERE status = 'held';
-- Copies of earlier plans go, but for the newest.
DELETE FROM operation WHERE status = 'held' AND EXISTS (SELECT 1 FROM operation newer INDEXED BY operation_held
  WHERE newer.object_id = operation.object_id AND newer.status = 'held' AND newer.cycle_id > operation.cycle_id
    AND newer.changes = operation.changes);
-- What is older than the plan that is held now is held no longer.
UPDATE operation SET status = 'cancelled'
WHERE status = 'held'
  AND cycle_id < coalesce((SELECT id FROM cycle WHERE plan_id = (SELECT value FROM meta WHERE key = 'heldPlan')), 9e15);
-- Values of what was held come under `state.logValues` with the next cycle.
UPDATE meta SET value = 'keep' WHERE key = 'logValues' AND EXISTS (SELECT 1 FROM operation WHERE status = 'cancelled');
