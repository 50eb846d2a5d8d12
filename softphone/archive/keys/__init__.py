"""What a person does with keys: admits somebody, keeps a copy in escrow, replaces a key or ends it."""
