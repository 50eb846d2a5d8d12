"""Whose signature a policy must have to be used on this archive. It stands in the catalog, for every desk and every command.

If nobody is named here, anybody who can write a policy can name its teams, periods and recipients (ADR 020).
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from softphone.archive.schema.tables import meta

NAME = "policy-signer"


def choose(connection: Connection, key: str) -> None:
    """A public key (Ed25519, 32 bytes in base64); empty: any policy counts again. The transaction's next entry seals it."""
    connection.execute(delete(meta).where(meta.c.name == NAME))
    if key:
        connection.execute(insert(meta).values(name=NAME, value=key))


def chosen(connection: Connection) -> str:
    """Empty: nobody. `verify` reports an invalid key; no signature fits it."""
    return str(connection.execute(select(meta.c.value).where(meta.c.name == NAME)).scalar() or "")
