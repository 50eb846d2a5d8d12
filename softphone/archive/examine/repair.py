"""Sets right what a crash left, before anything new is recorded. A half-written chunk is cut off. A recording that broke off is
marked so and gets its end. A file that no row names is kept aside. Nothing that somebody could open is deleted, and what may be
another version's file is left as it is.

Only for whoever writes alone: a recording that is still running would look as if it had broken off.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import Steady
from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.catalog.database import Catalog
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.ending import discard
from softphone.archive.changes.sealing import is_held
from softphone.archive.files import container
from softphone.archive.files.container import FRAME, RATE, UNKNOWN
from softphone.archive.files.reader import UNREADABLE, read_structure, unknown
from softphone.archive.files.vault import Vault
from softphone.archive.files.writing import CHUNK_PACKETS, Written
from softphone.archive.finding.rows import unlisted
from softphone.archive.log import written
from softphone.archive.retention.listed import finish_listed
from softphone.archive.schema.tables import condemned, recordings, segments, time_in, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole

_ONE_CHUNK = 64 * 1024
"""bytes; a second of two voices is a tenth of it"""
_CHUNK = timedelta(seconds=CHUNK_PACKETS * FRAME / RATE)
"""the sound in a full one"""
_BEHIND = timedelta(minutes=10)
"""how long before a crash a call may have ended whose last sound was still being written: ten times what the recorder allows"""
_LONGEST = timedelta(days=2)
"""no call lasts longer"""
ORPHAN_GONE = "orphan_deleted"
_ROWS = select(recordings.c.recording, recordings.c.call, recordings.c.opened_at, recordings.c.closed_at)


class Repair(StrEnum):
    BROKE_OFF = "recording_broke_off"
    """never closed, or its last sound was half written: it ends where it was last written to, and what was sealed stands"""
    SET_ASIDE = "object_set_aside"
    NARROWED = "narrowing_finished"
    """its keys were written over, and the power failed, or the disk was full, before the log told of it"""
    BROUGHT_BACK = "object_brought_back"
    """the catalog knows it again: one of an older day had been put in its place"""


@dataclass(frozen=True, slots=True)
class Repaired:
    """`cut`: bytes of a chunk that was never whole."""

    what: Repair
    recording: str
    cut: int = 0


def repair(archive: Archive, now: datetime, steady: Steady | None = None) -> list[Repaired]:
    """For the one engine that is about to record, before the ledger starts. Raises ArchiveError, as `take_to_write` too."""
    archive.lock.take_to_write()
    # Seen at every start, so that a sweep after a long time can tell an absence from a jump.
    archive.see(now, steady)
    archive.room.keep()
    finish_listed(archive, now)
    done = _set_right(archive.catalog, archive.vault, now)
    with suppress(ArchiveError):
        # Of what was being discarded, the file goes too.
        remove_condemned(archive.catalog, archive.vault)
    return done


def _set_right(catalog: Catalog, vault: Vault, now: datetime) -> list[Repaired]:
    """Each with its entry in the audit log. Done again, it finds nothing to do."""
    done: list[Repaired] = []
    with catalog.reading() as connection:
        of = recordings.c.recording
        found = [connection.execute(_ROWS.where(of == one)).first() for one in vault.aside()]
    for row in found:
        if row is not None and vault.bring_back(row.recording):
            item = Repaired(Repair.BROUGHT_BACK, row.recording)
            with catalog.writing() as tx:
                tx.log(_entry(item, row.call, now))
            done.append(item)
    done += _narrowed(catalog, now)
    for row in _unfinished(catalog):
        if unknown(vault.path(row.recording)):
            continue
        with catalog.reading() as connection:
            open_ends = written.uncounted(connection, row.recording)
        seen = _look(vault, row.recording, now, open_ends)
        if seen.later:
            continue
        ends = row.closed_at is not None and not seen.cut and not seen.broke_off
        if ends and not seen.written:
            continue
        item = None if ends else Repaired(Repair.BROKE_OFF, row.recording, seen.cut)
        with catalog.writing() as tx:
            tx.log(*_count(tx.connection, row, seen, now))
            if item is not None:
                ended = None if row.closed_at is not None else _heard_until(tx.connection, row, seen)
                _set(tx, row, broke_off_at=seen.ended, closed_at=ended)
                tx.log(_entry(item, row.call, now))
            # The mark is not on the disk yet: cut off here, the next start finds that the end is missing.
            if seen.cut:
                vault.cut(row.recording, seen.whole)
        if item is not None:
            done.append(item)
    with catalog.reading() as connection:
        gone = set(connection.execute(select(condemned.c.recording)).scalars())
        strays = [one for one in unlisted(connection, vault.recordings()) if one not in gone]
    for recording in strays:
        if unknown(vault.path(recording)):
            continue
        item = Repaired(Repair.SET_ASIDE, recording)
        with catalog.writing() as tx:
            # A file comes before its row is committed: here nobody is between the two.
            tx.log(_entry(item, "", now))
            vault.set_aside(recording)
        done.append(item)
    return done


def let_orphan_go(archive: Archive, recording: str, now: datetime, **stated: str) -> None:
    """The file of one that was set aside and that the catalog does not know, told in the log first. Who may, is asked by
    whoever calls. Raises ArchiveError."""
    if recording not in archive.vault.aside():
        raise ArchiveError("error.archive.no_orphan", id=recording)
    decided = archive.decided_on()
    with archive.catalog.writing() as tx:
        if call_of(tx.connection, recording) is not None:
            raise ArchiveError("error.archive.no_orphan", id=recording)
        tx.log(decided(AuditEntry(ORPHAN_GONE, "G10", now, "", recording, dict(stated))))
        tx.execute(delete(condemned).where(condemned.c.recording == recording))
        tx.insert(condemned, recording=recording, at=now.isoformat())
    remove_condemned(archive.catalog, archive.vault)


def _narrowed(catalog: Catalog, now: datetime) -> list[Repaired]:
    items: list[Repaired] = []
    with catalog.writing() as tx:
        roles = defaultdict[str, set[str]](set)
        for row in tx.wraps.emptied():
            roles[str(row.recording)].add(str(row.role))
        for row in tx.execute(_ROWS.where(recordings.c.recording.in_(roles))).all() if roles else ():
            of = row.recording
            items.append(Repaired(Repair.NARROWED, of))
            tx.log(_entry(items[-1], row.call, now))
            # Of other segments they may be there yet.
            tx.wraps.drop(wraps.c.recording == of, wraps.c.role.in_(roles[of]))
            left = tx.execute(select(wraps.c.role).where(wraps.c.recording == of)).scalars().all()
            # It was being erased, as custody's keys or all of them tell; a hold would keep nothing where none is left.
            if (KeyRole.CUSTODY in roles[of] or not left) and not is_held(tx.connection, of):
                discard(tx, of, now)
    return items


def _unfinished(catalog: Catalog) -> list[Any]:
    """What never ended, and what ended so lately that its last sound may be missing: found without a look at all the rest."""
    open_still = _ROWS.where(recordings.c.closed_at.is_(None), recordings.c.broke_off_at.is_(None))
    with catalog.reading() as connection:
        found = list(connection.execute(open_still.order_by(recordings.c.recording)))
        # By the recordings' own times: what somebody else has done since, as to listen, is in the log too.
        if newest := time_in(connection.execute(select(func.max(recordings.c.opened_at))).scalar()):
            begun = recordings.c.opened_at >= (newest - _LONGEST - _BEHIND).isoformat()
            latest = time_in(connection.execute(select(func.max(recordings.c.closed_at)).where(begun)).scalar())
            lately = max(newest, latest or newest) - _BEHIND
            ended = (recordings.c.closed_at >= lately.isoformat()) & recordings.c.broke_off_at.is_(None)
            closed = connection.execute(_ROWS.where(begun, ended).order_by(recordings.c.recording)).all()
            # Of one that is counted the last sound was on the disk.
            found += [row for row in closed if written.uncounted(connection, row.recording)]
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """Of one file: when it was last written to, how many bytes of a torn end are to go, what is whole then, and its chunks."""

    ended: datetime
    cut: int = 0
    whole: int = 0
    header: bytes = b""
    written: Mapping[int, Written] = field(default_factory=dict[int, Written])
    lengths: Mapping[int, timedelta] = field(default_factory=dict[int, timedelta])
    """at least so much sound there is of each segment"""
    readable: bool = False
    later: bool = False
    """it is there and cannot be read now: its disk may answer again, or a newer version know it"""
    broke_off: bool = False
    """a segment that nobody counted has chunks, and none of them is its last"""


def _look(vault: Vault, recording: str, now: datetime, open_ends: Sequence[int]) -> _Seen:
    """`open_ends`: segments that nobody has counted. Where one that is counted has no end, a full disk ended it, and the writer
    told of it then. More than one chunk's torn end is no crash's work, and is left for `verify`, as all other damage."""
    path = vault.path(recording)
    try:
        ended = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)
        structure = read_structure(path)
        # What is counted is to be there also when the power fails now.
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except FileNotFoundError:
        return _Seen(now)
    except OSError:
        return _Seen(now, later=True)
    except ArchiveError as error:
        return _Seen(now, later=error.code in {UNREADABLE, *UNKNOWN})
    torn = [damage for damage in structure.damages if damage.torn and damage.length < _ONE_CHUNK]
    by_segment = written.counted(structure)
    final = {chunk.segment for chunk in structure.chunks if chunk.final}
    cut = sum(damage.length for damage in torn)
    # How full the chunk is with which a segment was ended, no one can say without a key: it counts for nothing.
    full = {one: it.chunks - (one in final or one not in open_ends) for one, it in by_segment.items()}
    return _Seen(
        ended,
        cut,
        torn[-1].offset if torn else 0,
        structure.raw_header,
        by_segment,
        {one: count * _CHUNK for one, count in full.items()},
        readable=True,
        broke_off=bool({*open_ends} & by_segment.keys() - final),
    )


def _heard_until(connection: Connection, row: Any, seen: _Seen) -> datetime | None:
    """The last moment up to which it certainly goes: by the clock, as where a recording was closed. None: the file or the rows
    cannot be read."""
    opened = select(segments.c.segment, segments.c.opened_at).where(segments.c.recording == row.recording)
    begun = {one.segment: time_in(one.opened_at) for one in connection.execute(opened)}
    ends = [at + seen.lengths[one] for one, at in begun.items() if at is not None and one in seen.lengths]
    start = time_in(row.opened_at)
    return max([start, *ends]) if start is not None and seen.readable else None


def _set(tx: Transaction, row: Any, **times: datetime | None) -> None:
    told = {name: at.isoformat() for name, at in times.items() if at is not None}
    if told:
        tx.execute(update(recordings).where(recordings.c.recording == row.recording).values(told))


def _count(connection: Connection, row: Any, seen: _Seen, now: datetime) -> list[AuditEntry]:
    if not seen.readable:
        return []
    nothing = Written(0, container.digest(seen.header, ()))
    told = {one: seen.written.get(one, nothing) for one in written.uncounted(connection, row.recording)}
    return written.count(connection, row.recording, row.call, told, now)


def _entry(item: Repaired, call: str, now: datetime) -> AuditEntry:
    return AuditEntry(item.what.value, "G10", now, call, item.recording, {"cut": item.cut} if item.cut else {})
