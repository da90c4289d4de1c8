-- JSON: sentences about what the cycle met and did not believe.
ALTER TABLE cycle ADD COLUMN notes TEXT;
