"""Where the sealed keys of the wraps lie: in rows of one size that never move, so that what is erased is in no page.

SQLite zeroes a deleted row where it lies then, but not the copies that stay behind where it has moved rows between pages. No
slot is ever moved or removed: the table grows at its end alone, and a slot whose wrap goes is zeroed in place, by the catalog's
own trigger, and used again. What a wrap opens is `wraps`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, literal_column, or_, select, update

from softphone.archive.keys.wraps import Wrap
from softphone.archive.tables import slots, wraps
from softphone.domain.purpose import KeyRole

BYTES = 80
"""of a slot, for good: what HPKE makes of a data key, 32 bytes of X25519, 32 of the key and a tag of 16"""
SEALED: Select[*tuple[Any, ...]] = select(wraps, slots.c.sealed).join(slots, slots.c.slot == wraps.c.slot)
"""wraps with what is sealed in them; each row is a `wrap_of`"""

Found = tuple[str, dict[str, str | int]]


def wrap_of(row: Row[*tuple[Any, ...]]) -> Wrap:
    return Wrap(row.recording, row.segment, KeyRole(row.role), row.key_id, row.suite, row.sealed)


def add(connection: Connection, desk: str, made: Sequence[Wrap]) -> None:
    """All at once: a wrap by itself takes longer to write than to make. None of them stands yet; of two for one key and one
    segment the later counts."""
    made = list({(one.recording, one.segment, one.role, one.key_id): one for one in made}.values())
    if not made:
        return
    rows = [
        {
            "recording": one.recording,
            "segment": one.segment,
            "role": one.role.value,
            "key_id": one.key_id,
            "suite": one.suite,
            "desk": desk,
            "slot": slot,
        }
        for one, slot in zip(made, _filled(connection, [one.sealed for one in made]), strict=True)
    ]
    connection.execute(insert(wraps), rows)


def _filled(connection: Connection, sealed: Sequence[bytes]) -> list[int]:
    """Free slots first, then new ones at the end. One that is said to be free while a wrap names it is left for `verify`."""
    named = select(wraps.c.slot).where(wraps.c.slot == slots.c.slot).exists()
    # The number stands in the statement: only then is the index of free slots looked into.
    asked = select(slots.c.slot).where(slots.c.free == literal_column("1"), ~named).order_by(slots.c.slot)
    free = list(connection.execute(asked.limit(len(sealed))).scalars())
    if free:
        filled = update(slots).where(slots.c.slot == bindparam("this")).values(free=0, sealed=bindparam("bytes"))
        pairs = zip(free, sealed, strict=False)
        connection.execute(filled, [{"this": slot, "bytes": one} for slot, one in pairs])
    last = connection.execute(select(func.max(slots.c.slot))).scalar() or 0
    new = list(range(last + 1, last + 1 + len(sealed) - len(free)))
    if new:
        pairs = zip(new, sealed[len(free) :], strict=True)
        connection.execute(insert(slots), [{"slot": slot, "free": 0, "sealed": one} for slot, one in pairs])
    return [*free, *new]


def faults(connection: Connection) -> Iterator[Found]:
    """Where wraps and slots do not fit, as only a change past the program leaves them: a finding's code and its parameters."""
    # Each by one look through both tables: the indexes may have been taken away.
    shared = select(wraps.c.slot).group_by(wraps.c.slot).having(func.count() > 1).scalar_subquery()
    for row in connection.execute(select(wraps).where(wraps.c.slot.in_(shared))):
        yield "slot_shared", _wrap(row)
    lost = select(wraps).outerjoin(slots, slots.c.slot == wraps.c.slot)
    for row in connection.execute(lost.where(or_(slots.c.slot.is_(None), slots.c.free != 0))):
        yield "slot_lost", _wrap(row)
    empty = func.zeroblob(BYTES)
    for code, which in (
        ("slot_not_erased", (slots.c.free != 0) & (slots.c.sealed != empty)),
        ("slot_unnamed", (slots.c.free == 0) & slots.c.slot.not_in(select(wraps.c.slot))),
        ("slot_size", or_(func.typeof(slots.c.sealed) != "blob", func.length(slots.c.sealed) != BYTES)),
    ):
        for slot in connection.execute(select(slots.c.slot).where(which)).scalars():
            yield code, {"slot": slot}


def copied(connection: Connection) -> Iterator[Found]:
    """No two wraps are ever alike: one that stands twice was put there from the other's place."""
    filled = select(slots.c.sealed).where(slots.c.free == 0)
    twice = filled.group_by(slots.c.sealed).having(func.count() > 1).scalar_subquery()
    for row in connection.execute(SEALED.where(slots.c.sealed.in_(twice))):
        yield "wrap_copied", _wrap(row)


def _wrap(row: Row[*tuple[Any, ...]]) -> dict[str, str | int]:
    return {"recording": row.recording, "segment": row.segment, "role": row.role}
