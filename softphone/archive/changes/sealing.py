"""For whom a recording's segments are sealed: the roles with wraps are exactly the purposes that may open it, and custody.

Opening one asks nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, select, update

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.execution import Execution, NoKeyError
from softphone.archive.crypto import slots
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.revocation import revoked, standing
from softphone.archive.crypto.wraps import Recipient, Wrap
from softphone.archive.outbox.shipping import away
from softphone.archive.schema.tables import holds, purposes, recordings, segments, wraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended


def seal(tx: Transaction, wrapped: Sequence[Wrap]) -> None:
    """Instead of what stands for the same key and segment."""
    for one in wrapped:
        here = (wraps.c.recording == one.recording) & (wraps.c.segment == one.segment)
        tx.wraps.drop(here, wraps.c.role == one.role.value, wraps.c.key_id == one.key_id, replaced=True)
    tx.wraps.add(wrapped)


def drop_wraps(tx: Transaction, recording: str, *roles: KeyRole, comes_back: bool = False) -> None:
    """`comes_back`: custody has decided that they may. So they go only once that stands, and no moment before."""
    these = wraps.c.role.in_([role.value for role in roles])
    tx.wraps.drop(wraps.c.recording == recording, these, replaced=comes_back)


def list_to_judge(tx: Transaction, recording: str, purpose: Purpose, until: date) -> None:
    """From its day on only custody can open it, until custody has kept it."""
    drop_wraps(tx, recording, KeyRole(purpose.value), comes_back=True)
    this = (purposes.c.recording == recording) & (purposes.c.purpose == purpose.value)
    tx.execute(update(purposes).where(this).values(judge_by=until.isoformat()))


def is_held(connection: Connection, recording: str) -> bool:
    asked = select(holds.c.hold).where(holds.c.recording == recording, holds.c.lifted_at.is_(None)).limit(1)
    return connection.execute(asked).first() is not None


def restricted_by(connection: Connection, recording: str) -> str | None:
    return connection.execute(select(recordings.c.restricted).where(recordings.c.recording == recording)).scalar()


def wrappable(connection: Connection, recording: str, wanted: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
    """Those of `wanted` that may have wraps now: a held recording not for training; a restricted, ended or waiting one for
    nobody, and none whose copy here has gone to the house."""
    if restricted_by(connection, recording) is not None or away(connection, [recording]):
        return ()
    # What a sweep has ended while the call goes on, no later part of it brings back.
    over = (purposes.c.stands != Ended.KEEPS.value) | purposes.c.judge_by.is_not(None)
    asked = select(purposes.c.purpose).where(purposes.c.recording == recording, over)
    ended = set(connection.execute(asked).scalars())
    may = tuple(one for one in wanted if one.value not in ended)
    return tuple(one for one in may if not (one is Purpose.TRAINING and is_held(connection, recording)))


def opens_to(connection: Connection, recording: str, purpose: Purpose) -> list[int]:
    """The segments that were recorded for it, where it may open them now (`wrappable`)."""
    if not wrappable(connection, recording, (purpose,)):
        return []
    rows = connection.execute(select(segments).where(segments.c.recording == recording))
    return [row.segment for row in rows if purpose in recorded_for(row.purposes)]


def wrap_again(
    tx: Transaction, recording: str, purpose: Purpose, data_keys: Mapping[int, bytes], recipients: Sequence[Recipient]
) -> None:
    """As far as it may be opened for it now (`opens_to`). `data_keys` by segment. Raises ArchiveError where none of `recipients`
    has a key for it that still stands, or a data key is lacking."""
    opened = opens_to(tx.connection, recording, purpose)
    line = tx.execute(select(recordings.c.line).where(recordings.c.recording == recording)).scalar()
    stand = standing(tx.connection, recipients)
    those = [one for one in stand if one.role.value == purpose.value and one.of_line(line)]
    if opened and (not those or not data_keys.keys() >= set(opened)):
        raise ArchiveError("error.archive.no_key_of_purpose", id=recording)
    for segment in opened:
        seal(tx, [keys.wrap(data_keys[segment], one, recording, segment) for one in those])


def wrap_from_memory(done: Execution, recording: str, purpose: Purpose, numbers: Sequence[int]) -> None:
    """By the data keys that a call's engine still holds, or by wraps that a hold has put aside. Raises NoKeyError."""
    tx, role = done.tx, KeyRole(purpose.value)
    held = dict(done.memory.keys.get(recording, {}))
    held |= {segment: key for (of, segment), key in done.opened.items() if of == recording}
    call = call_of(tx.connection, recording)
    recipients = standing(tx.connection, done.facts_of(call).recipients) if call else []
    gone = revoked(tx.connection)
    for number in numbers:
        if number in held:
            back = wrapped_for(recipients, held[number], recording, number, [role])
        else:
            aside = done.memory.aside.get(recording, ())
            back = [one for one in aside if (one.role, one.segment) == (role, number) and one.key_id not in gone]
        if not back:
            raise NoKeyError(f"{purpose.value} {number}")
        seal(tx, back)


def wrapped_for(
    recipients: Sequence[Recipient], key: bytes, recording: str, segment: int, roles: Sequence[KeyRole]
) -> list[Wrap]:
    """A wrap for each of these roles' recipients. Raises NoKeyError for a role that has none."""
    made: list[Wrap] = []
    for role in roles:
        those = [recipient for recipient in recipients if recipient.role is role]
        if not those:
            raise NoKeyError(role.value)
        made += [keys.wrap(key, recipient, recording, segment) for recipient in those]
    return made


def wraps_of(tx: Transaction, recording: str, role: KeyRole) -> list[Wrap]:
    """Those that can be read."""
    here = (wraps.c.recording == recording) & (wraps.c.role == role.value)
    return [slots.wrap_of(row, one) for row, one in tx.wraps.sealed(here) if one is not None]


def recorded_for(text: str) -> tuple[Purpose, ...]:
    return tuple(Purpose(part) for part in text.split(",") if part)


def joined(which: tuple[Purpose, ...]) -> str:
    return ",".join(purpose.value for purpose in which)
