-- JSON: selected properties of which no answer of the directory has shown anything, so that their absence says nothing.
ALTER TABLE source_user ADD COLUMN unshown TEXT;
