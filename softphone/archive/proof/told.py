"""What the audit log says of the catalog and its recordings, read once for `verify`: where it contradicts itself, and what of the
rows, the holds and the sound it does not bear out (ADR 018, 022)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, cast

from sqlalchemy import Connection, select

from softphone.archive.proof.proofs import (
    DIGEST,
    GONE,
    HOLDS,
    LISTS,
    NO_SIGNER,
    SIGNER,
    SOUND,
    TALLIES,
    desks,
    of_month,
    state_of,
)
from softphone.archive.tables import audit, audit_begins, holds, recordings, sample_tallies

Found = tuple[str, dict[str, str | int]]
"""a finding's code and its parameters"""
Reading = Callable[[], AbstractContextManager[Connection]]
"""gives a look at the catalog; none is kept open for long"""
RESTORES = frozenset({"erased_again", "terms_taken_up"})
"""the entries of a restore, by which what had ended ends again; `archive_restored` follows them"""
SIGNER_EVENTS = frozenset({"policy_signer_chosen", "policy_signer_lifted"})
BATCH = 500
"""recordings compared at one look"""
_ENTRIES = 5_000
"""of the log, read at one look"""
_HALF = 16
"""bytes: to find other sound with the same takes as much as to find a key"""
_SEGMENTS = 100_000
"""no call has as many"""


def read_log(told: Told, reading: Reading, step: Callable[[], object] = lambda: None) -> Iterator[Found]:
    """All of it, and where it contradicts itself: a finding's code and its parameters. `step` is asked between two looks, and
    may raise."""
    while True:
        with reading() as connection:
            found, more = told.read_on(connection)
        yield from found
        step()
        if not more:
            break


def against_the_log(
    reading: Reading, step: Callable[[], object] = lambda: None, told: Told | None = None
) -> Iterator[Found]:
    """What the catalog's rows are that the log does not tell of. `told`: where it has been read."""
    if told is None:
        yield from read_log(told := Told(), reading, step)
    these = list(told.last)
    for first in range(0, len(these), BATCH):
        step()
        with reading() as connection:
            found = told.compare(connection, these[first : first + BATCH])
        yield from found
    after = ""
    while True:
        step()
        with reading() as connection:
            asked = select(recordings.c.recording).where(recordings.c.recording > after)
            some = connection.execute(asked.order_by(recordings.c.recording).limit(BATCH)).scalars().all()
            found = told.compare(connection, [])
            found += told.of_none(connection, some) if some else told.of_no_list(connection)
        yield from found
        if not some:
            break
        after = some[-1]


class Told:
    """What the log tells of each recording, as far as it has been read: the state that it was left in last, the digest of each
    of its segments, and which holds stand. `restored`: of each desk, its last entry that says it was restored."""

    def __init__(self, restored: Mapping[str, int] | None = None) -> None:
        self.last: dict[str, str] = {}
        self.since: dict[str, int] = {}
        """of each desk, the first entry that says more than states: from then on decisions are proved"""
        self.lifted: dict[str, int] = {}
        """holds, each with the entry that says so; not what a restore ended again"""
        self.empty: set[tuple[str, int]] = set()
        """entries of a signer, by desk and number, at which nothing was here: custody has no key that could prove it"""
        self.signers: list[tuple[str, int, str]] = []
        """by desk, number and event: entries that change the signer, and are neither a choice nor a restore's"""
        self._restored = restored or {}
        self._sound: dict[str, bytes] = {}
        """of each recording its segments' digests, one behind the other, half of each: there may be a million"""
        self._holds: dict[str, set[str]] = {}
        self._faulty: set[str] = set()
        self._at: dict[str, int] = {}
        """a desk's entry that was read last"""

    def read_on(self, connection: Connection) -> tuple[list[Found], bool]:
        """A batch of each desk's entries, and whether there may be more."""
        found: list[Found] = []
        more = False
        for desk in desks(connection):
            here = (audit.c.desk == desk) & (audit.c.number > self._at.get(desk, 0)) & audit.c.state.is_not(None)
            columns = (audit.c.desk, audit.c.number, audit.c.event, audit.c.state)
            rows = connection.execute(select(*columns).where(here).order_by(audit.c.number).limit(_ENTRIES)).all()
            for row in rows:
                self._at[desk] = row.number
                for of, was, now, besides in _read(row.state):
                    found += self._entry(row, of, was, now, besides)
            more = more or len(rows) == _ENTRIES
        return found, more

    def _entry(self, row: Any, of: str, was: str, now: str, besides: Mapping[str, Any]) -> Iterator[Found]:
        before = self._before(of)
        if before is not None and of not in self._faulty:
            if not _same(before, was):
                self._faulty.add(of)
                yield _differs(of, row.number, before, was)
            elif before == GONE and now != GONE and not _is_list(of):
                self._faulty.add(of)
                yield "recording_back", {"recording": of, "number": row.number}
        self.last[of] = now
        if of == SIGNER:
            if not self._is_anything_here():
                self.empty.add((row.desk, row.number))
            if was != now and row.event not in SIGNER_EVENTS and not self._by_restore(row):
                self.signers.append((row.desk, row.number, row.event))
        if besides:
            self.since.setdefault(row.desk, row.number)
        yield from self._held(of, row, besides, gone=now == GONE)
        yield from self._sounds(of, row, besides, gone=now == GONE)

    def _by_restore(self, row: Any) -> bool:
        return row.event in RESTORES and row.number < self._restored.get(row.desk, 0)

    def _is_anything_here(self) -> bool:
        return any(state != GONE and not _is_list(of) for of, state in self.last.items())

    def _held(self, of: str, row: Any, told: Mapping[str, Any], *, gone: bool) -> Iterator[Found]:
        """Whether it went while a hold stood on it. A restore ends again what had ended, whatever the backup has of it."""
        standing = self._holds.setdefault(of, set()) if HOLDS in told else self._holds.get(of, set())
        for hold, stands in _items(told.get(HOLDS)):
            (standing.add if stands is True else standing.discard)(hold)
            if stands is True:
                self.lifted.pop(hold, None)
            elif not self._by_restore(row):
                self.lifted[hold] = row.number
        if gone:
            self._holds.pop(of, None)
            if standing:
                yield (
                    "held_ended_again" if self._by_restore(row) else "held_gone",
                    {"recording": of, "number": row.number},
                )

    def _sounds(self, of: str, row: Any, told: Mapping[str, Any], *, gone: bool) -> Iterator[Found]:
        """A segment ends once: a second digest would be of other sound."""
        for segment, digest in _items(told.get(SOUND)):
            with suppress(ValueError, TypeError):
                number, one = int(segment), bytes.fromhex(digest)[:_HALF]
                if self.sound(of, number) not in (None, one):
                    yield "sound_told_twice", {"recording": of, "segment": number, "number": row.number}
                elif 0 <= number < _SEGMENTS and len(one) == _HALF:
                    before = self._sound.get(of, b"").ljust((number + 1) * _HALF, b"\0")
                    self._sound[of] = before[: number * _HALF] + one + before[(number + 1) * _HALF :]
        if gone:
            self._sound.pop(of, None)

    def sound(self, of: str, segment: int) -> bytes | None:
        """The first half of a segment's digest; None: the log has none."""
        one = self._sound.get(of, b"")[segment * _HALF : (segment + 1) * _HALF]
        return one if one.strip(b"\0") else None

    def other_sound(self, of: str, there: Mapping[int, str], nothing: str) -> list[int]:
        """The segments whose sound has another digest than the log says. `nothing`: that of one in which there is none."""
        told = {number: self.sound(of, number) for number in range(len(self._sound.get(of, b"")) // _HALF)}
        return [
            number
            for number, one in told.items()
            if one is not None and bytes.fromhex(there.get(number, nothing))[:_HALF] != one
        ]

    def _before(self, of: str) -> str | None:
        """As what is told of was before, as far as that is known: a month that no entry names began with no tallies, where the
        log tells of them from its beginning."""
        return self.last.get(of, self.last.get(TALLIES) if of.startswith(of_month("")) else None)

    def compare(self, connection: Connection, these: Sequence[str]) -> list[Found]:
        """These as they are and as the log left them: what has been written meanwhile, it tells of too."""
        found, more = self.read_on(connection)
        while more:
            again, more = self.read_on(connection)
            found += again
        alive = select(recordings.c.recording).where(recordings.c.recording.in_(these))
        living = set(connection.execute(alive).scalars()) if these else set[str]()
        for recording in these:
            state = self.last[recording]
            if recording in self._faulty:
                continue
            if _is_list(recording):
                if (now := state_of(connection, recording)) != state:
                    found.append(_differs(recording, 0, state, now))
            elif recording not in living:
                if state != GONE:
                    found.append(("recording_lost", {"recording": recording}))
            elif state == GONE:
                found.append(("recording_untold", {"recording": recording}))
            elif not _same(state, now := state_of(connection, recording)):
                found.append(_differs(recording, 0, state, now))
        return found + self._not_held(connection, [one for one in these if one in living and one in self._holds])

    def _not_held(self, connection: Connection, these: Sequence[str]) -> list[Found]:
        """Holds that stand by the log, on what is here, and not by the catalog."""
        standing = select(holds.c.hold).where(holds.c.recording.in_(these), holds.c.lifted_at.is_(None))
        there = set(connection.execute(standing).scalars()) if these else set[str]()
        return [
            ("hold_missing", {"recording": of, "hold": hold})
            for of in these
            for hold in sorted(self._holds[of] - there)
        ]

    def of_none(self, connection: Connection, these: Sequence[str]) -> list[Found]:
        """Of these, those that no entry names at all. Of what is older than the log's first part nothing can be told."""
        if connection.execute(select(audit_begins.c.desk).limit(1)).first() is not None:
            return []
        unseen = [one for one in these if one not in self.last]
        asked = select(audit.c.recording).where(audit.c.recording.in_(unseen)).distinct()
        named = set(connection.execute(asked).scalars()) if unseen else set[str]()
        return [("recording_untold", {"recording": one}) for one in unseen if one not in named]

    def of_no_list(self, connection: Connection) -> list[Found]:
        """Tallies of months that no entry names, where the log tells of them from its beginning; and a signer of policies that
        none does: before there was one, no entry tells that there is none."""
        months = connection.execute(select(sample_tallies.c.month).distinct()).scalars() if TALLIES in self.last else ()
        unseen = [of_month(one) for one in months if of_month(one) not in self.last]
        if SIGNER not in self.last and state_of(connection, SIGNER) != NO_SIGNER:
            unseen.append(SIGNER)
        return [_differs(one, 0, "", "") for one in unseen]


def _is_list(of: str) -> bool:
    return of.partition(" ")[0] in LISTS


def _same(one: str, other: str) -> bool:
    """What an earlier version told of a recording is the beginning of what is told today: it says nothing of its wraps."""
    if GONE in (one, other):
        return one == other
    return one.startswith(other) or other.startswith(one)


def _differs(of: str, number: int, told: str, found: str) -> Found:
    name, _, part = of.partition(" ")
    if name in LISTS:
        return f"{name}_changed", {"number": number, **({"month": part} if name == TALLIES else {})}
    rows_too = told[:DIGEST] != found[:DIGEST]
    return "rows_changed" if rows_too else "wraps_changed", {"recording": of, "number": number}


def _read(state: str) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """What was told of each, before and since, and what else. An entry that was changed may hold anything: the chain tells of
    that."""
    try:
        told: dict[str, Any] = json.loads(state)
        # One string for an id, wherever it is kept.
        return [(sys.intern(of), str(was), str(now), dict(*more)) for of, (was, now, *more) in told.items()]
    except (ValueError, TypeError, AttributeError):
        return []


def _items(told: object) -> list[tuple[str, Any]]:
    return [*cast("dict[str, Any]", told).items()] if isinstance(told, dict) else []
