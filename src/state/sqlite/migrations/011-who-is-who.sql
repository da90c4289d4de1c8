-- Why the account that an operation links may be another person's, in words; and whose account it was until then.
ALTER TABLE operation ADD COLUMN doubtful TEXT;
ALTER TABLE operation ADD COLUMN former_owner TEXT;

-- The mapped externalId, where people can share one: it is not the object id.
ALTER TABLE source_user ADD COLUMN external_id_key TEXT;
CREATE INDEX source_user_external_id ON source_user (external_id_key) WHERE external_id_key IS NOT NULL;
