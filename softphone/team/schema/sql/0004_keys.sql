-- A challenge is sealed to it. Null: its policy was taken in by a program that did not tell it.
ALTER TABLE policy_keys ADD COLUMN public_key bytea CHECK (length(public_key) = 32);
