"""One step in the making: the new state, and what it asks of the loop. Alive inside `step` only; no rule is here.

In whatever sequence the rules come, the effects leave in one: what protects, then what is written, then what starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from softphone.domain.changes import AuditEntry, Change, Commit
from softphone.domain.decision import Decision
from softphone.domain.effects import DropFrames, Effect, SetMicrophone, StartTimer, StopNotice, StopRecorder
from softphone.domain.events import Now, Terms, Timer
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.session.pauses import Pauses
from softphone.domain.session.state import (
    DOCUMENTATION,
    CommitKind,
    Complaint,
    Informing,
    LegalHold,
    PendingCommit,
    PurposeState,
    Question,
    Recorded,
    RecorderState,
    Recording,
    Stage,
    State,
)
from softphone.domain.status import PurposePhase

Param = str | int | bool | None


class Part(TypedDict, total=False):
    """The fields of `State` that a turn may change."""

    call: str
    stage: Stage
    ours: bool
    withheld: bool
    language: Language
    decision: Decision
    terms: Terms
    informing: Informing
    documentation: PurposeState
    training: PurposeState
    question: Question
    digits: str
    digits_at: float
    digits_wanted: bool
    pauses: Pauses
    recorder: RecorderState
    recordings: tuple[Recording, ...]
    begin_new: bool
    holds: tuple[LegalHold, ...]
    complaint: Complaint
    objected: bool
    request_noted: bool
    remembered: bool
    unclear: Reason | None
    call_back: bool
    stood_still: bool
    missing: float
    recorded: Recorded
    broke_off: bool
    pending: tuple[PendingCommit, ...]
    next_ticket: int
    version: int
    since: datetime | None
    shown: tuple[object, ...]


class Turn:
    """`state` is what it has become so far; `before` what it was."""

    def __init__(self, state: State, now: Now) -> None:
        self.before = state
        self._state = state
        self.now = now
        self._protect: list[Effect] = []
        self._commits: list[Effect] = []
        self._rest: list[Effect] = []
        self._changes: list[Change] = []
        self._entries: list[AuditEntry] = []

    @property
    def state(self) -> State:
        return self._state

    # --- what the rules say ---------------------------------------------------------------------

    def set(self, **parts: Unpack[Part]) -> None:
        """The one way to change the state. The methods below write an element of it through here."""
        self._state = replace(self._state, **parts)

    def set_purpose(self, purpose: Purpose, it: PurposeState) -> None:
        if purpose is DOCUMENTATION:
            self.set(documentation=it)
        else:
            self.set(training=it)

    def set_phase(self, purpose: Purpose, phase: PurposePhase, reason: Reason) -> None:
        """The purpose comes to `phase`, for `reason`, now."""
        self.set_purpose(purpose, replace(self.state.purpose(purpose), phase=phase, reason=reason, at=self.now.utc))

    def set_recording(self, recording: Recording) -> None:
        kept = tuple(recording if it.id == recording.id else it for it in self.state.recordings)
        self.set(recordings=kept)

    def set_hold(self, hold: LegalHold) -> None:
        self.set(holds=tuple(hold if it.number == hold.number else it for it in self.state.holds))

    def protect(self, effect: StopRecorder | DropFrames | StopNotice | SetMicrophone) -> None:
        """Done first, at once."""
        self._protect.append(effect)

    def start(self, effect: Effect) -> None:
        """Done last."""
        self._rest.append(effect)

    def timer(self, timer: Timer, seconds: float) -> datetime:
        """Start it; returns when it will be out."""
        self._rest.append(StartTimer(timer, seconds))
        return self.now.utc + timedelta(seconds=seconds)

    def change(self, *changes: Change) -> None:
        """Part of this turn's transaction of what must be written."""
        self._changes.extend(changes)

    def note(self, event: str, rule: str, recording: str | None = None, **params: Param) -> None:
        """An entry of the audit log, in this turn's transaction of what must be written."""
        self._entries.append(self.entry(event, rule, recording, params))

    def entry(self, event: str, rule: str, recording: str | None, params: Mapping[str, Param]) -> AuditEntry:
        return AuditEntry(event, rule, self.now.utc, self.state.call, recording, params)

    # --- transactions ---------------------------------------------------------------------------

    def commit(self, kind: CommitKind, changes: tuple[Change, ...], entries: tuple[AuditEntry, ...]) -> int:
        """One transaction under the next ticket, which is returned. What must be written queues behind what already waits."""
        ticket = self.state.next_ticket
        commit = Commit(ticket, changes, entries)
        waits = kind is CommitKind.MUST and bool(self.state.unwritten)
        it = PendingCommit(ticket, kind, _label(commit), waiting=waits, commit=commit)
        self.set(pending=(*self.state.pending, it), next_ticket=ticket + 1)
        if not waits:
            self._commits.append(commit)
        return ticket

    def write(self) -> None:
        """Send what must be written, if anything, ahead of what comes after it."""
        if self._changes or self._entries:
            self.commit(CommitKind.MUST, tuple(self._changes), tuple(self._entries))
            self._changes.clear()
            self._entries.clear()

    def again(self, it: PendingCommit) -> None:
        """Send a failed transaction once more, under a new ticket."""
        ticket = self.state.next_ticket
        commit = replace(it.commit, ticket=ticket)
        sent = replace(it, ticket=ticket, waiting=False, retried=True, commit=commit)
        pending = tuple(sent if other.ticket == it.ticket else other for other in self.state.pending)
        self.set(pending=pending, next_ticket=ticket + 1)
        self._commits.append(commit)

    @property
    def idle(self) -> bool:
        """Nothing came of the event so far: it is not applicable."""
        return self.state is self.before and not (self._protect or self._rest or self._changes or self._entries)

    @property
    def effects(self) -> tuple[Effect, ...]:
        return (*self._protect, *self._commits, *self._rest)


def _label(commit: Commit) -> tuple[str, ...]:
    """What a transaction holds, without its times, numbers and tickets: two that will do the same are equal."""
    parts: list[str] = []
    for change in commit.changes:
        names = ("recording", "role", "purpose", "purposes", "withheld", "hold", "by", "restore_training")
        parts.append(":".join([type(change).__name__, *(str(getattr(change, name, "")) for name in names)]))
    parts.extend(entry.event for entry in commit.entries)
    return tuple(parts)
