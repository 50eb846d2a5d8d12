-- By which ids a desk has told of it: one that is told again is the same.
ALTER TABLE case_recordings ADD COLUMN heard uuid[] NOT NULL DEFAULT '{}';
