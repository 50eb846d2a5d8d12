"""What a person does with keys: keeps a copy in escrow, replaces a key or ends it."""
