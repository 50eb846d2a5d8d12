"""A key's successor, and its end: living wraps made anew for another key, and the wraps of a revoked key dropped.

Both go in batches, each whole or not at all, and go on where they were cut off. Neither touches a recording's file, and
neither opens it for listening.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, tuple_

from softphone.archive.archive import Archive
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.crypto import revocation, slots
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import Recipient, Wrap
from softphone.archive.schema.tables import meta, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

BATCH = 200
"""wraps a transaction: a writing engine waits for no more than that"""
RULE = "G11"
"""who can open what is kept, is limited and followed"""
_Rows = Sequence[tuple[Row[Any], bytes | None]]

Progress = Callable[[int, int], bool]
"""so many done, of so many; False: stop here"""


@dataclass(frozen=True, slots=True)
class Rotated:
    """Wraps. `unopened`: not what was sealed for the old key, and left as they are. `stopped`: not all were reached."""

    wrapped: int
    unopened: int
    dropped: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """`kept`: wraps that only this key opens; they are dropped once they have been rotated."""

    dropped: int
    kept: int
    stopped: bool


def rotate(archive: Archive, old: Recipient, new: Recipient, progress: Progress | None = None) -> Rotated:
    """`new` opens whatever `old` opens; a revoked `old` then no longer does.

    The private half of `old` must lie in the archive's store. Raises ArchiveError, KeyringError.
    """
    if old.role is not new.role:
        raise ArchiveError("error.keys.other_purpose", old=old.id, new=new.id)
    if old.key_id == new.key_id:
        raise ArchiveError("error.keys.same", id=old.id)
    private = archive.private_key(old.key_id)
    if private is None:
        archive.note_refusal("refused", RULE, archive.clock(), deed="rotate", of=old.key_id)
        raise ArchiveError("error.keys.no_private", id=old.id)
    with archive.catalog.reading() as connection:
        if new.key_id in revocation.revoked(connection):
            raise ArchiveError("error.keys.revoked", id=new.id)
        drops = old.key_id in revocation.revoked(connection)
        todo = _count(connection, _of(old), ~_also(_is(new)))
    told = {"from": old.key_id, "to": new.key_id, "role": old.role.value}
    if todo:
        archive.note(_entry("rotation_begun", archive, {**told, "segments": todo}))
    done = wrapped = dropped = unopened = 0
    after = ("", -1)
    while True:
        with archive.catalog.reading() as connection:
            rows = _next(archive, connection, after, _of(old), ~_also(_is(new)))
        if not rows:
            break
        after = (rows[-1][0].recording, rows[-1][0].segment)
        made = [_anew(row, sealed, private, new) for row, sealed in rows]
        with archive.catalog.writing() as tx:
            # Meanwhile a purpose may have ended: what has gone is not brought back.
            stand = {(row.recording, row.segment) for row in _standing(tx.connection, rows, old)}
            kept = [one for one in made if one is not None and (one.recording, one.segment) in stand]
            _drop(tx, [(one.recording, one.segment) for one in kept], new)
            tx.wraps.add(kept)
            if drops:
                dropped += _drop(tx, [(one.recording, one.segment) for one in kept], old)
            tx.log(_entry("rotated", archive, {**told, "segments": len(kept)}))
        wrapped += len(kept)
        unopened += sum(one is None for one in made)
        done += len(rows)
        if progress is not None and not progress(done, max(done, todo)):
            _finish(archive)
            return Rotated(wrapped, unopened, dropped, stopped=True)
    if todo:
        _finish(archive)
    return Rotated(wrapped, unopened, dropped, stopped=False)


def revoke(archive: Archive, key: Recipient, progress: Progress | None = None) -> Revoked:
    """Nothing is sealed for `key` any more, and it no longer opens what another key of its role opens too."""
    told = {"key": key.key_id, "role": key.role.value}
    with archive.catalog.writing() as tx:
        if revocation.revoke(tx.connection, key.key_id, archive.clock()):
            tx.log(_entry("key_revoked", archive, told))
    elsewhere = _also(_another.c.key_id.not_in(_revoked()))
    with archive.catalog.reading() as connection:
        todo = _count(connection, _of(key), elsewhere)
    dropped, after, stopped = 0, ("", -1), False
    while not stopped:
        # Among very many this takes a while: no engine waits for it.
        with archive.catalog.reading() as connection:
            rows = _next(archive, connection, after, _of(key), elsewhere)
        if not rows:
            break
        after = (rows[-1][0].recording, rows[-1][0].segment)
        with archive.catalog.writing() as tx:
            # Meanwhile another key may have gone, and then this one is needed.
            count = _drop(tx, [(row.recording, row.segment) for row, _ in rows], key, elsewhere)
            tx.log(_entry("key_dropped", archive, {**told, "segments": count}))
        dropped += count
        stopped = progress is not None and not progress(dropped, max(dropped, todo))
    _finish(archive)
    with archive.catalog.reading() as connection:
        return Revoked(dropped, _count(connection, _of(key)), stopped)


def living_wraps(archive: Archive) -> dict[tuple[str, str], int]:
    """How many wraps each key has, by key id and role; also for an unknown role, which `verify` reports."""
    with archive.catalog.reading() as connection:
        found = connection.execute(
            select(wraps.c.key_id, wraps.c.role, func.count().label("total")).group_by(wraps.c.key_id, wraps.c.role)
        )
        return {(str(row.key_id), str(row.role)): row.total for row in found}


def _anew(row: Row[Any], sealed: bytes | None, private: bytes, new: Recipient) -> Wrap | None:
    key = keys.unwrap(slots.wrap_of(row, sealed), private)
    return None if key is None else keys.wrap(key, new, row.recording, row.segment)


def _of(key: Recipient) -> ColumnElement[bool]:
    return (wraps.c.key_id == key.key_id) & (wraps.c.role == key.role.value)


_another = wraps.alias("another")


def _is(key: Recipient) -> ColumnElement[bool]:
    return _another.c.key_id == key.key_id


def _also(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Another key, `which`, opens the same for the same role."""
    return exists().where(
        _another.c.recording == wraps.c.recording,
        _another.c.segment == wraps.c.segment,
        _another.c.role == wraps.c.role,
        which,
    )


def _revoked() -> Any:
    return select(func.substr(meta.c.name, len(revocation.NAME) + 1)).where(meta.c.name.like(f"{revocation.NAME}%"))


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(wraps).where(*which)).scalar_one())


def _next(archive: Archive, connection: Connection, after: tuple[str, int], *which: ColumnElement[bool]) -> _Rows:
    place = tuple_(wraps.c.recording, wraps.c.segment)
    return archive.catalog.slots.sealed(connection, *which, place > after, limit=BATCH)


def _standing(connection: Connection, rows: _Rows, key: Recipient) -> Sequence[Any]:
    placed = _placed([(row.recording, row.segment) for row, _ in rows])
    return connection.execute(select(wraps.c.recording, wraps.c.segment).where(_of(key), placed)).all()


def _drop(tx: Transaction, places: Sequence[tuple[str, int]], key: Recipient, *which: ColumnElement[bool]) -> int:
    return len(tx.wraps.drop(_of(key), _placed(places), *which, replaced=True)) if places else 0


def _placed(places: Sequence[tuple[str, int]]) -> ColumnElement[bool]:
    return tuple_(wraps.c.recording, wraps.c.segment).in_(places)


def _finish(archive: Archive) -> None:
    archive.head(archive.clock())


def _entry(event: str, archive: Archive, params: dict[str, Any]) -> AuditEntry:
    return AuditEntry(event, RULE, archive.clock(), "", params=params)
