ALTER TABLE reviews ADD COLUMN vouched text CHECK (length(vouched) = 44);
