"""Who can open what, as the catalog has it, against who may: roles, keys, segments and what was revoked. For `verify`.

What is in a wrap shows by its key alone; that is not asked here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from softphone.archive.changes import recorded_for
from softphone.archive.finding.rows import UNREADABLE
from softphone.archive.keys import slots
from softphone.archive.keys.revocation import revoked
from softphone.archive.keys.wraps import Wrap
from softphone.archive.retention.clock import last_swept
from softphone.archive.tables import (
    audit,
    audit_begins,
    holds,
    purposes,
    segments,
    time_in,
    wraps,
)
from softphone.domain.purpose import KeyRole, Purpose, Reason
from softphone.domain.retention import Ended

Found = tuple[str, dict[str, str | int]]
"""a finding's code and its parameters"""


@dataclass(frozen=True, slots=True)
class Keys:
    """What has become of keys: those that were revoked, and each that was rotated, by its successor."""

    revoked: frozenset[str]
    successors: Mapping[str, str]

    @classmethod
    def of(cls, connection: Connection) -> Keys:
        told = select(audit.c.params).where(audit.c.event == "rotation_begun").order_by(audit.c.number)
        successors: dict[str, str] = {}
        for params in connection.execute(told).scalars():
            # An entry that was changed may hold anything: the chain tells of that.
            with suppress(*UNREADABLE):
                one = json.loads(params)
                successors[str(one["from"])] = str(one["to"])
        return cls(frozenset(revoked(connection)), successors)

    def today(self, wrap: Wrap) -> tuple[KeyRole, str] | None:
        """Whose it is by now: a rotation that was cut off has reached one segment, and not the next. None: nobody's."""
        key, seen = wrap.key_id, set[str]()
        while key in self.successors and key not in seen:
            seen.add(key)
            key = self.successors[key]
        return None if wrap.key_id in self.revoked or key in self.revoked else (wrap.role, key)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalog says of some recordings, read at once."""

    segments: dict[str, dict[int, tuple[Purpose, ...]]]
    chunks: dict[tuple[str, int], int | None]
    wraps: dict[str, list[Wrap]]
    stands: dict[str, dict[str, Ended]]
    reasons: dict[str, set[str]]
    """why its purposes ended"""
    held: frozenset[str]
    waiting: frozenset[tuple[str, str]]
    """recording and purpose: its day has come, and custody has yet to judge it"""
    lifted: dict[str, datetime | None]
    """when its last hold was lifted; None where that is no time"""
    swept: datetime | None
    keys: Keys
    unreadable: set[str] = field(default_factory=set[str])
    """of which a row holds what the program never writes"""
    no_role: dict[str, set[tuple[int, str]]] = field(default_factory=dict[str, "set[tuple[int, str]]"])
    """of its wraps, the segment and the role of those for one that there is none of"""

    @classmethod
    def of(cls, connection: Connection, ids: Sequence[str], keys: Keys) -> Facts:
        standing = select(holds.c.recording).where(holds.c.recording.in_(ids), holds.c.lifted_at.is_(None))
        lifted = select(holds.c.recording, func.max(holds.c.lifted_at).label("at")).where(holds.c.recording.in_(ids))
        waiting = select(purposes.c.recording, purposes.c.purpose).where(
            purposes.c.recording.in_(ids), purposes.c.judge_by.is_not(None)
        )
        facts = cls(
            segments=defaultdict(dict),
            chunks={},
            wraps=defaultdict(list),
            stands=defaultdict(dict),
            reasons=defaultdict(set),
            held=frozenset(connection.execute(standing).scalars()),
            waiting=frozenset((row.recording, row.purpose) for row in connection.execute(waiting)),
            lifted={
                row.recording: time_in(row.at)
                for row in connection.execute(lifted.group_by(holds.c.recording))
                if row.at is not None
            },
            swept=last_swept(connection),
            keys=keys,
        )
        for one in connection.execute(select(segments).where(segments.c.recording.in_(ids))):
            with facts._readable(one.recording):
                number = _number(one.segment)
                facts.segments[one.recording][number] = ()
                facts.chunks[one.recording, number] = one.chunks
                facts.segments[one.recording][number] = recorded_for(one.purposes)
        for one in connection.execute(slots.SEALED.where(wraps.c.recording.in_(ids))):
            with facts._readable(one.recording):
                segment = _number(one.segment)
                if one.role in [*KeyRole]:
                    facts.wraps[one.recording].append(slots.wrap_of(one))
                else:
                    facts.no_role.setdefault(one.recording, set()).add((segment, str(one.role)))
        for one in connection.execute(select(purposes).where(purposes.c.recording.in_(ids))):
            with facts._readable(one.recording):
                facts.stands[one.recording][one.purpose] = Ended(one.stands)
            facts.reasons[one.recording].add(one.reason)
        return facts

    @contextmanager
    def _readable(self, recording: str) -> Generator[None]:
        try:
            yield
        except UNREADABLE:
            self.unreadable.add(recording)


def _number(column: object) -> int:
    """Raises ValueError where somebody put in what is none."""
    if not isinstance(column, int):
        raise ValueError(column)
    return column


def holders(facts: Facts, row: Any, now: datetime) -> Iterator[Found]:
    """Who can open it is exactly who may: its purposes that stand, less what a hold or a case keeps out, and custody."""
    of = row.recording
    for segment, role in sorted(facts.no_role.get(of, ())):
        yield "wrap_of_no_role", {"recording": of, "segment": segment, "found": role}
    if of in facts.unreadable:
        yield "rows_unreadable", {"recording": of}
        return
    expected, found = facts.segments.get(of, {}), facts.wraps.get(of, [])
    stands, held = facts.stands.get(of, {}), of in facts.held
    for segment, purposes_of in sorted(expected.items()):
        has = {one.role for one in found if one.segment == segment}
        for role in KeyRole:
            where: dict[str, str | int] = {"recording": of, "segment": segment, "role": role.value}
            may = role is KeyRole.CUSTODY
            if not may:
                may = (
                    Purpose(role.value) in purposes_of
                    and stands.get(role.value) is Ended.KEEPS
                    and row.restricted is None
                    and (of, role.value) not in facts.waiting
                    and not (held and role is KeyRole.TRAINING)
                )
            if role in has and not may:
                yield "wrap_too_many", where
            elif may and role not in has:
                yield "wrap_missing", where
    for segment in sorted({one.segment for one in found} - expected.keys()):
        yield "wrap_of_no_segment", {"recording": of, "segment": segment}
    yield from _uneven(facts, of)
    # A case keeps nothing; what grounds took out of training counts until its own date, which the sweep sees to.
    grounds = Reason.GROUNDS_GIVEN.value in facts.reasons.get(of, ())
    if not grounds and not held and stands and Ended.KEEPS not in stands.values():
        yield ("kept_without_reason" if _was_swept(facts, of, now) else "kept_until_sweep"), {"recording": of}


def _uneven(facts: Facts, of: str) -> Iterator[Found]:
    """A call is sealed for the same people from its first segment to its last."""
    expected = facts.segments.get(of, {})
    here: dict[tuple[KeyRole, str], set[int]] = defaultdict(set)
    for one in facts.wraps.get(of, []):
        whose = facts.keys.today(one)
        if whose is not None and one.segment in expected:
            here[whose].add(one.segment)
    for (role, key), has in sorted(here.items()):
        if role is KeyRole.CUSTODY:
            should = {*expected}
        else:
            should = {segment for segment, purposes_of in expected.items() if Purpose(role.value) in purposes_of}
        for segment in sorted(should - has):
            if any(segment in others for (other, _), others in here.items() if other is role):
                yield "wrap_of_key_missing", {"recording": of, "segment": segment, "role": role.value, "key": key}


def _was_swept(facts: Facts, of: str, now: datetime) -> bool:
    """Whether a whole sweep has passed since its last hold went: a sweep of a day that has not come tells nothing."""
    lifted = facts.lifted.get(of)
    if lifted is None:
        return True
    return facts.swept is not None and lifted < facts.swept <= now


def revocations(connection: Connection) -> Iterator[Found]:
    """What the log says was revoked, is; and nothing else, as far as the log goes back."""
    told = select(audit.c.params).where(audit.c.event.in_(("key_revoked", "erased_again")))
    keys_told: set[str] = set()
    unnamed = False
    for params in connection.execute(told).scalars():
        # An entry that was changed may hold anything: the chain tells of that.
        with suppress(*UNREADABLE):
            one = json.loads(params)
            if "key" in one:
                keys_told.add(str(one["key"]))
            # An earlier version's restore did not say which.
            unnamed = unnamed or ("key" not in one and one.get("kind") == "revoked")
    gone = revoked(connection).keys()
    for key_id in sorted(keys_told - gone):
        yield "revocation_missing", {"key": key_id}
    if not unnamed and connection.execute(select(audit_begins.c.desk).limit(1)).first() is None:
        for key_id in sorted(gone - keys_told):
            yield "revocation_untold", {"key": key_id}
