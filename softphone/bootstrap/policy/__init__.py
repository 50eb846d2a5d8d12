"""The policy's commands, in words for a person: check, explain, schema, decide, sign and new, each in a module of its own."""
