"""Which private keys of a store open something that is sealed here, in what role, and the data keys that they open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from softphone.archive.catalog.database import Catalog
from softphone.archive.crypto import slots
from softphone.archive.crypto.wraps import Wrap, unwrap
from softphone.archive.schema.tables import wraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole

_TRIED = 20
"""wraps, where the first is damaged"""


def opening(catalog: Catalog, private_key: Callable[[str], bytes | None]) -> list[tuple[str, KeyRole]]:
    """Key ids with the role that something is sealed for, in the roles' order; `private_key` gives the private half of one,
    where it is held.

    Raises ArchiveError, KeyringError.
    """
    with catalog.reading() as connection:
        pairs = wrapped_for(connection)
    # A keyring may keep one waiting: never within a transaction.
    privates = {key_id: private_key(key_id) for key_id, _ in pairs}
    with catalog.reading() as connection:
        return [
            (key_id, role)
            for key_id, role in sorted(pairs, key=lambda pair: [*KeyRole].index(pair[1]))
            if (private := privates[key_id]) is not None and _opens(catalog, connection, key_id, role, private)
        ]


def wrapped_for(connection: Connection) -> list[tuple[str, KeyRole]]:
    """Every key that something is sealed for, with its role: from one to the next by their index, however many there are."""
    found: list[tuple[str, KeyRole]] = []
    key = ""
    while True:
        # Of two columns SQLite would seek by the first alone, and walk through all of a key's rows.
        following = select(func.min(wraps.c.key_id)).where(wraps.c.key_id > key)
        if (key := connection.execute(following).scalar()) is None:
            return found
        for role in KeyRole:
            of_role = select(wraps.c.key_id).where(wraps.c.key_id == key, wraps.c.role == role.value).limit(1)
            if connection.execute(of_role).first() is not None:
                found.append((key, role))


def _opens(catalog: Catalog, connection: Connection, key_id: str, role: KeyRole, private: bytes) -> bool:
    """The first does, but where somebody changed it."""
    which = (wraps.c.key_id == key_id) & (wraps.c.role == role.value)
    for row, one in catalog.slots.sealed(connection, which, limit=_TRIED):
        # Of what the program never writes, `verify` tells.
        with suppress(ArchiveError, TypeError):
            if unwrap(slots.wrap_of(row, one), private) is not None:
                return True
    return False


@dataclass(frozen=True, slots=True)
class DataKeys:
    """By segment, for the first role that opens anything. `role` None: none does; `changed`: a wrap is not what was sealed."""

    role: KeyRole | None
    keys: dict[int, bytes]
    changed: bool = False


def data_keys(
    sealed: Sequence[Wrap], wanted: Sequence[KeyRole], private_key: Callable[[str], bytes | None]
) -> DataKeys:
    """Of one recording's wraps, those that a held private key opens. Each private half is asked for once. Raises KeyringError."""
    privates: dict[str, bytes | None] = {}
    changed = False
    for role in wanted:
        opened: dict[int, bytes] = {}
        for one in sealed:
            if one.role is not role or one.segment in opened:
                continue
            if one.key_id not in privates:
                privates[one.key_id] = private_key(one.key_id)
            private = privates[one.key_id]
            if private is None:
                continue
            key = unwrap(one, private)
            if key is None:
                changed = True
            else:
                opened[one.segment] = key
        if opened:
            return DataKeys(role, opened)
    return DataKeys(None, {}, changed)
