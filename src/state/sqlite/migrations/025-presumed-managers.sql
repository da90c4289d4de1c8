-- People whose plan presumes which account will be their manager's (3) are found by the index too.
DROP INDEX source_user_reference_pending;
CREATE INDEX source_user_reference_pending ON source_user (object_id) WHERE reference_pending <> 0;
