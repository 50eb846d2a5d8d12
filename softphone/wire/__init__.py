"""The messages between engine and desk: frozen types, one JSON object a line, versioned.

`snapshot` has what the engine's state is made of, `from_engine` and `to_engine` the messages each way, `codec` the lines.
Nothing here decides or draws. Times are UTC, lengths seconds, ids UUIDv7 as text; no message carries a secret but
`Attach`, whose throw-away secret comes from a file that only the user can read. `docs/wire.md` shows it by hand.
"""
