-- Storage is believed where it proves what it says, and is asked whether it has what it was given.

-- By it the service and the sweep know their own stones again. Whoever has the bucket's key alone does not have it.
CREATE TABLE stone_key (
    alone boolean PRIMARY KEY DEFAULT true CHECK (alone),
    key bytea NOT NULL CHECK (length(key) = 32)
);
INSERT INTO stone_key (key) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Storage does not have its object: the desk that still has it sends it again.
ALTER TABLE recordings ADD COLUMN missing_at timestamptz;
