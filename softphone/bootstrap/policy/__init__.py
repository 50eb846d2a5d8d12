"""The policy's commands, told to a person: check, explain, schema, decide, sign and new, each in a module of its own."""
