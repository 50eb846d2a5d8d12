"""One commit within its transaction: what each change does to the rows and the vault, and what is to be done beside it once it
stands.

It makes data keys and wraps them; it decides nothing. Every change may be made twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from softphone.archive.catalog.changes import FOR_A_HOLD, HOLD_ONLY, CallFacts, CatalogWriter, recorded_for
from softphone.archive.catalog.lookups import SamplePlaces
from softphone.archive.catalog.tally import Tallied, counted, declines, says_no, tally_call
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.revocation import revoked, standing
from softphone.archive.crypto.wraps import Recipient, Wrap
from softphone.archive.files.vault import Vault, Written
from softphone.archive.log import audit, written
from softphone.archive.log.audit import HOLD
from softphone.archive.schema.tables import recordings, segments
from softphone.domain.changes import (
    UNDONE,
    AddWraps,
    AuditEntry,
    Change,
    ChangeHold,
    CloseRecording,
    Commit,
    Discard,
    DropWraps,
    EndCallBack,
    LiftHold,
    ListCallBack,
    OpenRecording,
    OpenSegment,
    PlaceHold,
    RememberLanguage,
    RememberRefusal,
    Restrict,
    UseDraw,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended, local_day

Before = Callable[[], AbstractContextManager[Connection]]
"""gives a look at the catalog as it was when the transaction began"""
_CALLS_KEPT = 200
_HEARD_KEPT = 1_000
_CLOSED_KEPT = 1_000


class OvertakenError(Exception):
    """The catalog is no longer as the session took it to be: its argument is the recording concerned."""


class NoKeyError(Exception):
    """A purpose, or custody, has no recipient: nothing is sealed that nobody can open."""


@dataclass(slots=True)
class Memory:
    """What is remembered of calls and recordings from one commit to the next; but for the keys, the catalog has it all."""

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
    """Of one commit. What it makes and takes is told in its attributes; `memory` is read alone, until the transaction stands."""

    def __init__(
        self, memory: Memory, tables: CatalogWriter, vault: Vault, places: SamplePlaces, desk: str, before: Before
    ) -> None:
        self._before = before
        self._memory = memory
        self._tables = tables
        self._vault = vault
        self._places = places
        self._desk = desk
        self.opened: dict[tuple[str, int], bytes] = {}
        """data keys of segments that begin"""
        self.created: list[str] = []
        self.closed: list[str] = []
        self.discarded: list[str] = []
        self.taken_back: list[str] = []
        """recordings that training is never wrapped for again"""
        self.aside: dict[str, list[Wrap]] = {}
        self.heard: dict[str, frozenset[Tallied]] = {}
        self.dropped = False
        """wraps or rows: nothing of them is to be left in a page"""
        self._whole: list[AuditEntry] = []
        """what the recordings that it closes have on the disk"""
        self._held: dict[str, str] = {}
        """recordings that were to be discarded, and that a hold keeps, and their calls"""
        self._placed: list[tuple[str, str]] = []
        self._lifted: list[tuple[str, str]] = []
        """holds, each behind its recording"""
        self._unlifted: list[str] = []
        """of each hold that was to be lifted, and that custody has confirmed, its recording"""

    def run(self, commit: Commit) -> None:
        """All of it, with its audit entries. Raises as `apply`."""
        for change in commit.changes:
            self.apply(change)
        for entry in commit.entries:
            if declines(entry):
                self._hear(Tallied.DECLINED, entry.call)
        connection = self._tables.connection
        entries = [*(self._as_done(commit.entries) or _place_used(commit.changes)), *self._whole]
        audit.append(connection, self._desk, entries)

    def apply(self, change: Change) -> None:
        """Raises OvertakenError, NoKeyError, ArchiveError."""
        ROWS[type(change)](self, change)

    def _open_recording(self, change: OpenRecording) -> None:
        if not self._tables.exists(change.recording):
            facts = self._facts_of(change.call)
            self._tables.open_recording(change.recording, facts, change.at)
            self._vault.create(change.recording, change.at, facts.time_zone)
            self.created.append(change.recording)

    def _drop_wraps(self, change: DropWraps) -> None:
        self._tables.drop_wraps(change.recording, change.role, comes_back=change.reason == FOR_A_HOLD)
        if change.reason != FOR_A_HOLD:
            if change.role is KeyRole.TRAINING:
                self.taken_back.append(change.recording)
            if change.role is not KeyRole.CUSTODY:
                purpose = Purpose(change.role.value)
                self._tables.end_purpose(change.recording, purpose, Ended.TAKEN_BACK, change.reason)
        self.dropped = True

    def _restrict(self, change: Restrict) -> None:
        self._tables.restrict(change.recording, change.reason)
        self.taken_back.append(change.recording)
        self.dropped = True

    def _discard(self, change: Discard) -> None:
        if not self._tables.is_held(change.recording):
            self._tables.discard(change.recording, datetime.now(UTC))
            self.discarded.append(change.recording)
            return
        # Raised or confirmed elsewhere meanwhile: what was withdrawn nobody can read, and what is held is there.
        self._tables.restrict(change.recording, HOLD_ONLY)
        self._held[change.recording] = self._tables.call_of(change.recording) or ""
        self.taken_back.append(change.recording)
        self.dropped = True

    def _place_hold(self, change: PlaceHold) -> None:
        if not self._tables.exists(change.recording):
            raise OvertakenError(change.recording)
        self._placed.append((change.recording, change.hold))
        if taken := self._tables.wraps_of(change.recording, KeyRole.TRAINING):
            self.aside[change.recording] = taken
        self._tables.place_hold(change)
        self.dropped = True

    def _change_hold(self, change: ChangeHold) -> None:
        self._tables.change_hold(change)

    def _lift_hold(self, change: LiftHold) -> None:
        if confirmed := self._tables.confirmed(change.hold):
            if change.restore_training or change.reason == UNDONE:
                raise OvertakenError(confirmed)
            self._unlifted.append(confirmed)
            return
        recording = self._tables.lift_hold(change.hold, change.reason, datetime.now(UTC))
        if recording is None:
            return
        self._lifted.append((recording, change.hold))
        if change.restore_training:
            back = self._tables.opens_to(recording, Purpose.TRAINING)
            self._wrap_again(recording, Purpose.TRAINING, back)

    def _close_recording(self, change: CloseRecording) -> None:
        self._tables.close_recording(change)
        of, told = change.recording, self._memory.written.get(change.recording, {})
        call = self._tables.call_of(of) or ""
        self._whole += written.count(self._tables.connection, of, call, told, change.at)
        self.closed.append(of)
        self.dropped = True
        self._vault.settle(of)

    def _list_call_back(self, change: ListCallBack) -> None:
        self._tables.list_call_back(change, self._facts_of(change.call))

    def _end_call_back(self, change: EndCallBack) -> None:
        self._tables.end_call_back(change)
        self.dropped = True

    def _remember_refusal(self, change: RememberRefusal) -> None:
        self._tables.remember_refusal(change, self._facts_of(change.call))

    def _remember_language(self, change: RememberLanguage) -> None:
        self._tables.remember_language(change, self._facts_of(change.call))

    def _use_draw(self, change: UseDraw) -> None:
        if self._places.use(self._tables.connection, change.call, change.at):
            self._hear(Tallied.DRAWN, change.call)

    def _open_segment(self, change: OpenSegment) -> None:
        call = self._tables.call_of(change.recording)
        if call is None:
            return
        facts = self._facts_of(call)
        self._tables.open_segment(change, facts)
        if Purpose.TRAINING in (*change.purposes, *change.withheld):
            self._hear(Tallied.RECORDED, call)
        key = keys.data_key()
        roles = [KeyRole(purpose.value) for purpose in self._tables.wrappable(change.recording, change.purposes)]
        recipients = standing(self._tables.connection, facts.recipients)
        wraps = _wraps(recipients, key, change.recording, change.segment, [*roles, KeyRole.CUSTODY])
        self._tables.add_wraps(wraps)
        self.opened[change.recording, change.segment] = key

    def _add_wraps(self, change: AddWraps) -> None:
        call = self._tables.call_of(change.recording)
        if call is None:
            return
        self._tables.add_purpose(change.recording, change.purpose, change.segments, self._facts_of(call))
        if change.purpose is Purpose.TRAINING:
            self._hear(Tallied.RECORDED, call)
        if not change.withheld and self._tables.wrappable(change.recording, (change.purpose,)):
            self._wrap_again(change.recording, change.purpose, change.segments)

    def _wrap_again(self, recording: str, purpose: Purpose, numbers: Sequence[int]) -> None:
        held = dict(self._memory.keys.get(recording, {}))
        held |= {segment: key for (of, segment), key in self.opened.items() if of == recording}
        call = self._tables.call_of(recording)
        recipients = standing(self._tables.connection, self._facts_of(call).recipients) if call else []
        role, gone = KeyRole(purpose.value), revoked(self._tables.connection)
        for number in numbers:
            if number in held:
                back = _wraps(recipients, held[number], recording, number, [role])
            else:
                aside = self._memory.aside.get(recording, ())
                back = [one for one in aside if (one.role, one.segment) == (role, number) and one.key_id not in gone]
            if not back:
                raise NoKeyError(f"{purpose.value} {number}")
            self._tables.add_wraps(back)

    def _hear(self, what: Tallied, call: str) -> None:
        """Counted once a call, and only if the commit is written: until then it is known here alone."""
        before = self.heard.get(call, self._memory.heard.get(call))
        if before is None:
            before = self._heard_before(call)
        self.heard[call] = after = before | {what}
        facts = self._memory.facts.get(call) or self._tables.facts(call)
        if facts is None:
            # Nothing is kept of it any more, from this commit on.
            with self._before() as earlier:
                facts = self._tables.on(earlier).facts(call)
        if facts is None:
            return
        for one in counted(after) - counted(before):
            tally_call(self._tables.connection, self._desk, facts, one, local_day(facts.started_at, facts.time_zone))

    def _heard_before(self, call: str) -> frozenset[Tallied]:
        """Of a call that nobody here remembers: whose training was recorded was drawn, and what the log tells was counted."""
        with self._before() as before:
            of_call = select(segments.c.purposes).join(recordings, recordings.c.recording == segments.c.recording)
            made = before.execute(of_call.where(recordings.c.call == call)).scalars()
            heard = set[Tallied]()
            if any(Purpose.TRAINING in recorded_for(one) for one in made):
                heard = {Tallied.DRAWN, Tallied.RECORDED}
            told = before.execute(select(audit.audit.c.event, audit.audit.c.params).where(audit.audit.c.call == call))
            for row in told:
                # An entry that was changed may hold anything: the chain tells of that.
                with suppress(ValueError, AttributeError):
                    if says_no(row.event, json.loads(row.params)):
                        heard.add(Tallied.DECLINED)
        return frozenset(heard)

    def _facts_of(self, call: str) -> CallFacts:
        facts = self._memory.facts.get(call) or self._tables.facts(call)
        if facts is None:
            raise ArchiveError("error.archive.unknown_call")
        return facts

    def _as_done(self, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
        """The log tells what was done, also where that is less than was asked."""
        unlifted, ids = [*self._unlifted], {"hold_placed": [*self._placed], "hold_lifted": [*self._lifted]}
        told: list[AuditEntry] = []
        for entry in entries:
            if entry.event == "recording_discarded" and entry.recording in self._held:
                told.append(replace(entry, event="restricted", rule="G10", params={"why": HOLD_ONLY}))
            elif entry.event == "hold_lifted" and entry.recording in unlifted:
                unlifted.remove(entry.recording)
            elif one := next((it for it in ids.get(entry.event, ()) if it[0] == entry.recording), None):
                ids[entry.event].remove(one)
                told.append(replace(entry, params={**entry.params, HOLD: one[1]}))
            else:
                told.append(entry)
        named = {entry.recording for entry in told if entry.event == "restricted"}
        now = datetime.now(UTC)
        told += [
            AuditEntry("restricted", "G10", now, call, recording, {"why": HOLD_ONLY})
            for recording, call in self._held.items()
            if recording not in named
        ]
        return told


ROWS: Mapping[type[Change], Callable[[Execution, Any], None]] = {
    OpenRecording: Execution._open_recording,
    OpenSegment: Execution._open_segment,
    AddWraps: Execution._add_wraps,
    DropWraps: Execution._drop_wraps,
    Restrict: Execution._restrict,
    Discard: Execution._discard,
    PlaceHold: Execution._place_hold,
    ChangeHold: Execution._change_hold,
    LiftHold: Execution._lift_hold,
    CloseRecording: Execution._close_recording,
    ListCallBack: Execution._list_call_back,
    EndCallBack: Execution._end_call_back,
    RememberRefusal: Execution._remember_refusal,
    RememberLanguage: Execution._remember_language,
    UseDraw: Execution._use_draw,
}


def _place_used(changes: Sequence[Change]) -> list[AuditEntry]:
    """The engine uses up each call's place, also of one that the session has no word for: no change without an entry."""
    return [AuditEntry("place_used", "G34", one.at, one.call) for one in changes if isinstance(one, UseDraw)]


def _wraps(
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
