-- Accounts that are read again before the next plan, because what they hold is not certain. JSON: the paths that Lattice may
-- have emptied by itself; null for an account that need not be read.
ALTER TABLE target_user ADD COLUMN read_again TEXT;
CREATE INDEX target_user_read_again ON target_user (lattice_id) WHERE read_again IS NOT NULL;

-- Whose manager an account is.
CREATE INDEX target_user_manager
  ON target_user (json_extract(attributes, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"'))
  WHERE json_extract(attributes, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"') IS NOT NULL;
