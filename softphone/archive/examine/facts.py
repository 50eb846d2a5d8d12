"""What the catalog says of some recordings, and whether exactly those who may can open them. For `verify`.

What is in a wrap shows by its key alone; that is not asked here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from softphone.archive.changes.sealing import recorded_for
from softphone.archive.crypto.slots import Slots, wrap_of
from softphone.archive.crypto.wraps import Wrap
from softphone.archive.examine.repair import Repair
from softphone.archive.log.written import SOUND, WHOLE
from softphone.archive.outbox.shipping import away
from softphone.archive.schema.readable import params_of, read_row
from softphone.archive.schema.tables import audit, holds, purposes, segments, wraps
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended

NOTES = frozenset(
    {
        *("broke_off", "torn", "condemned", "segment_empty", "object_begun", "slot_erased", "wrap_erased"),
        *("former_left", "restore_left"),
    }
)
"""what a crash, a segment that never began or a restore leaves by itself: told, and no fault"""
Reading = Callable[[], AbstractContextManager[Connection]]
"""gives a look at the catalog; none is kept open for long"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. Its sentence (`archive.finding.<code>`) says what it may mean."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict[str, "str | int"])

    @property
    def is_fault(self) -> bool:
        return self.code not in NOTES


@dataclass(frozen=True, slots=True)
class Facts:
    """Of some recordings, read at once."""

    segments: dict[str, dict[int, tuple[Purpose, ...]]] = field(
        default_factory=lambda: defaultdict[str, dict[int, tuple[Purpose, ...]]](dict)
    )
    chunks: dict[tuple[str, int], int | None] = field(default_factory=dict[tuple[str, int], "int | None"])
    sound: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict[tuple[str, int], set[str]](set))
    """a segment's digest, as the log has it"""
    wraps: dict[str, list[Wrap]] = field(default_factory=lambda: defaultdict[str, list[Wrap]](list))
    stands: dict[str, set[str]] = field(default_factory=lambda: defaultdict[str, set[str]](set))
    """the purposes that keep it, and that custody need not judge first"""
    held: set[str] = field(default_factory=set[str])
    unreadable: set[str] = field(default_factory=set[str])
    """a row holds what the program never writes"""
    away: set[str] = field(default_factory=set[str])
    """its copy here has gone to the house, or is going: nobody opens it here"""
    narrowed: set[str] = field(default_factory=set[str])
    """a start has told that keys of it were written over, and for which purpose nobody knows"""

    @classmethod
    def of(cls, connection: Connection, file: Slots, ids: Sequence[str]) -> Facts:
        facts = cls()
        standing = select(holds.c.recording).where(holds.c.recording.in_(ids), holds.c.lifted_at.is_(None))
        facts.held.update(connection.execute(standing).scalars())
        facts.away.update(away(connection, ids))
        for one in connection.execute(select(segments).where(segments.c.recording.in_(ids))):
            if (of := read_row(one, _segment, facts.unreadable)) is not None:
                facts.segments[one.recording][of[0]] = of[1]
                facts.chunks[one.recording, of[0]] = one.chunks
        for one, sealed in file.sealed(connection, wraps.c.recording.in_(ids)):
            if (wrap := read_row(one, partial(wrap_of, sealed=sealed), facts.unreadable)) is not None:
                facts.wraps[one.recording].append(wrap)
        keeps = (purposes.c.stands == Ended.KEEPS.value) & purposes.c.judge_by.is_(None)
        asked = select(purposes.c.recording, purposes.c.purpose).where(purposes.c.recording.in_(ids), keeps)
        for one in connection.execute(asked):
            facts.stands[one.recording].add(one.purpose)
        told = select(audit.c.recording, audit.c.event, audit.c.params).where(audit.c.recording.in_(ids))
        for one in connection.execute(told.where(audit.c.event.in_((WHOLE, Repair.NARROWED.value)))):
            if one.event == Repair.NARROWED:
                facts.narrowed.add(one.recording)
            for segment, value in read_row(one, _digests) or ():
                facts.sound[one.recording, segment].add(value)
        return facts


def _segment(row: Any) -> tuple[int, tuple[Purpose, ...]]:
    return int(row.segment), recorded_for(row.purposes)


def _digests(entry: Any) -> list[tuple[int, str]]:
    """Each segment's, as the entry has it."""
    parts = (one.partition(":") for one in str(params_of(entry).get(SOUND, "")).split())
    return [(int(segment), value) for segment, _, value in parts]


def who_opens(facts: Facts, row: Any) -> Iterator[Finding]:
    """Its purposes that stand, less what a hold or a case keeps out, and custody; nobody else."""
    of = row.recording
    if of in facts.unreadable:
        yield Finding("rows_unreadable", {"recording": of})
        return
    expected, found = facts.segments.get(of, {}), facts.wraps.get(of, [])
    open_to = set[str]() if row.restricted is not None else {*facts.stands.get(of, ())}
    if of in facts.held:
        open_to.discard(Purpose.TRAINING.value)
    for segment in sorted(expected.keys() | {one.segment for one in found}):
        has = {one.role for one in found if one.segment == segment}
        made_for = {purpose.value for purpose in expected.get(segment, ())}
        for role in KeyRole:
            may = (
                of not in facts.away
                and segment in expected
                and (role is KeyRole.CUSTODY or role.value in open_to & made_for)
            )
            if may != (role in has):
                where: dict[str, str | int] = {"recording": of, "segment": segment, "role": role.value}
                erased = of in facts.narrowed and role is not KeyRole.CUSTODY
                missing = "wrap_erased" if erased else "wrap_missing"
                yield Finding(missing if may else "wrap_too_many", where)
