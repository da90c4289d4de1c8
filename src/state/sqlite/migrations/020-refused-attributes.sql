-- JSON: paths of the attributes that were refused while the rest of the person was sent; null where nothing was.
ALTER TABLE retry ADD COLUMN paths TEXT;
