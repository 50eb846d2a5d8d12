"""The call that `make run` plays: a customer's phone in a process of its own, a director at the desk, and the story told."""
