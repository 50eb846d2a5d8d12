"""One commit at work within its transaction, and what an engine remembers from one to the next.

The module of its subject has each change (`changes.table`). Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import CallFacts, facts_of
from softphone.archive.changes.lookups import SamplePlaces
from softphone.archive.changes.tally import Tallied, counted, says_no, tally_call
from softphone.archive.crypto.wraps import Secrets, Wrap
from softphone.archive.files.vault import Vault
from softphone.archive.files.writing import Written
from softphone.archive.log.audit import HOLD
from softphone.archive.schema.readable import params_of
from softphone.archive.schema.tables import audit, recordings, segments
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.retention import local_day

HOLD_ONLY = Reason.HOLD_ONLY.value
"""the reason of a restriction if only a hold keeps the recording; any other is a case that custody decides (G23)"""
_CALLS_KEPT = 200
_HEARD_KEPT = 1_000
_CLOSED_KEPT = 1_000


class OvertakenError(Exception):
    """The catalog is no longer as the session believed; the argument is the recording concerned."""


class NoKeyError(Exception):
    """A purpose, or custody, has no recipient: nothing is sealed that nobody could open."""


@dataclass(slots=True)
class Memory:
    """What is remembered of calls and recordings from one commit to the next; except for the keys, the catalog has it all."""

    facts: dict[str, CallFacts] = field(default_factory=dict[str, CallFacts], repr=False)
    keys: dict[str, dict[int, bytes]] = field(default_factory=dict[str, dict[int, bytes]], repr=False)
    """a recording's data keys, a segment each, until they are to be forgotten"""
    aside: dict[str, list[Wrap]] = field(default_factory=dict[str, list[Wrap]], repr=False)
    """training wraps that a hold has taken away, for an undo of it: where the keys themselves are long forgotten"""
    heard: dict[str, frozenset[Tallied]] = field(default_factory=dict[str, frozenset[Tallied]])
    """what has become of the calls that ring, go on or were on lately, as far as they are in the sample"""
    written: dict[str, dict[int, Written]] = field(default_factory=dict[str, dict[int, Written]])
    """of recordings that are not closed yet: segments whose writer has ended, and what each has"""
    closed: dict[str, None] = field(default_factory=dict[str, None])
    """lately, or discarded; what their last writers say comes into the rows by itself, where there are any"""

    def register(self, facts: CallFacts) -> None:
        self.facts[facts.call] = facts
        _only(self.facts, _CALLS_KEPT)

    def forget_keys(self, recording: str) -> None:
        self.keys.pop(recording, None)
        self.aside.pop(recording, None)

    def keep(self, done: Execution) -> None:
        """Its transaction stands."""
        for (recording, segment), key in done.opened.items():
            self.keys.setdefault(recording, {})[segment] = key
        for recording in (*done.discarded, *done.taken_back):
            self.aside.pop(recording, None)
        for recording in done.discarded:
            self.keys.pop(recording, None)
        # Of one that is no more a writer may still have to end, and is asked after no row then.
        over = (*done.closed, *done.discarded)
        for recording in over:
            self.written.pop(recording, None)
        self.closed |= dict.fromkeys(over)
        self.aside |= done.aside
        self.heard |= done.heard
        _only(self.closed, _CLOSED_KEPT)
        _only(self.heard, _HEARD_KEPT)


def _only(held: dict[str, Any], most: int) -> None:
    """The newest of them. Another thread may have taken the oldest."""
    while len(held) > most:
        with suppress(KeyError, StopIteration):
            del held[next(iter(held))]


class Execution:
    """One commit. Its attributes say what it makes and takes; `memory` is only read until the transaction stands."""

    def __init__(self, tx: Transaction, memory: Memory, vault: Vault, secrets: Secrets, places: SamplePlaces) -> None:
        self.tx = tx
        self.memory = memory
        self.vault = vault
        self.secrets = secrets
        self.places = places
        self.opened: dict[tuple[str, int], bytes] = {}
        """data keys of segments that begin"""
        self.created: list[str] = []
        self.closed: list[str] = []
        self.discarded: list[str] = []
        self.taken_back: list[str] = []
        """recordings for which training is never wrapped again"""
        self.aside: dict[str, list[Wrap]] = {}
        self.heard: dict[str, frozenset[Tallied]] = {}
        self.dropped = False
        """wraps or rows of which no page may keep anything"""
        self.also_logged: list[AuditEntry] = []
        """entries that the session does not write itself"""
        self.held: dict[str, str] = {}
        """recordings that were to be discarded, and that a hold keeps, and their calls"""
        self.placed: list[tuple[str, str]] = []
        self.lifted: list[tuple[str, str]] = []
        """holds, each behind its recording"""
        self.unlifted: list[str] = []
        """of each hold that was to be lifted, and that custody has confirmed, its recording"""

    def facts_of(self, call: str) -> CallFacts:
        facts = self.memory.facts.get(call) or facts_of(self.tx.connection, self.secrets, call)
        if facts is None:
            raise ArchiveError("error.archive.unknown_call")
        return facts

    def hear(self, what: Tallied, call: str) -> None:
        """Counted once a call, and only if the commit is written: until then it is known here alone."""
        before = self.heard.get(call, self.memory.heard.get(call))
        if before is None:
            before = self._heard_before(call)
        self.heard[call] = after = before | {what}
        facts = self.memory.facts.get(call) or facts_of(self.tx.connection, self.secrets, call)
        if facts is None:
            # Nothing is kept of it any more, from this commit on.
            with self.tx.before() as earlier:
                facts = facts_of(earlier, self.secrets, call)
        if facts is None:
            return
        for one in counted(after) - counted(before):
            tally_call(self.tx, facts, one, local_day(facts.started_at, facts.time_zone))

    def _heard_before(self, call: str) -> frozenset[Tallied]:
        """For a call that nobody here remembers: it was drawn if its training was recorded, and counted if the log says so."""
        with self.tx.before() as before:
            of_call = select(segments.c.purposes).join(recordings, recordings.c.recording == segments.c.recording)
            made = before.execute(of_call.where(recordings.c.call == call)).scalars()
            heard = set[Tallied]()
            if any(Purpose.TRAINING.value in one.split(",") for one in made):
                heard = {Tallied.DRAWN, Tallied.RECORDED}
            for row in before.execute(select(audit.c.event, audit.c.params).where(audit.c.call == call)):
                if says_no(row.event, params_of(row)):
                    heard.add(Tallied.DECLINED)
        return frozenset(heard)

    def as_done(self, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
        """The log says what was done, even if that is less than was asked."""
        unlifted, ids = [*self.unlifted], {"hold_placed": [*self.placed], "hold_lifted": [*self.lifted]}
        told: list[AuditEntry] = []
        for entry in entries:
            if entry.event == "recording_discarded" and entry.recording in self.held:
                told.append(replace(entry, event="restricted", rule="G10", params={"why": HOLD_ONLY}))
            elif entry.event == "hold_lifted" and entry.recording in unlifted:
                unlifted.remove(entry.recording)
            elif one := next((it for it in ids.get(entry.event, ()) if it[0] == entry.recording), None):
                ids[entry.event].remove(one)
                told.append(replace(entry, params={**entry.params, HOLD: one[1]}))
            else:
                told.append(entry)
        named = {entry.recording for entry in told if entry.event == "restricted"}
        told += [
            held_alone(recording, call, datetime.now(UTC))
            for recording, call in self.held.items()
            if recording not in named
        ]
        return told


def held_alone(recording: str, call: str, at: datetime) -> AuditEntry:
    """A hold is all that keeps it from now on."""
    return AuditEntry("restricted", "G10", at, call, recording, {"why": HOLD_ONLY})
