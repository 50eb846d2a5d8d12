"""The state of one call's recording life, and what is derived from it. No rule of what an event does is here.

Everything is frozen and hashable. Comparison leaves out times, counters and what only the store needs to see again: two
states that will do the same are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from softphone.domain.changes import DISPUTED_BY, Commit, HoldBy
from softphone.domain.decision import Decision, not_recorded
from softphone.domain.effects import RecordSignal
from softphone.domain.events import Now, Terms
from softphone.domain.purpose import Basis, Language, Purpose, Reason
from softphone.domain.retention import Ended
from softphone.domain.session.pauses import PartySound, Pauses
from softphone.domain.session.table import SPECIAL
from softphone.domain.status import InformedBy, InformedPhase, PurposePhase

DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
Purposes = frozenset[Purpose]
NONE: Purposes = frozenset()
_SETS: dict[tuple[bool, bool], Purposes] = {
    (False, False): NONE,
    (True, False): frozenset({DOCUMENTATION}),
    (False, True): frozenset({TRAINING}),
    (True, True): frozenset({DOCUMENTATION, TRAINING}),
}
LIVE = frozenset({PurposePhase.PLANNED, PurposePhase.ASKED, PurposePhase.ACTIVE})


class Stage(StrEnum):
    NEW = "new"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"
    """wrap-up: opt-out, withdrawal and dispute are within reach"""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Informing:
    """How far the party has been informed (G05). `person_answered`: a person answered our call, or no person is needed."""

    phase: InformedPhase = InformedPhase.NOTHING
    how: InformedBy | None = field(default=None, compare=False)
    essentials: bool = False
    at_question: bool = False
    readable: bool = False
    interrupted: bool = False
    not_understood: bool = False
    person_answered: bool = True
    informed_elsewhere: Purposes = NONE
    """purposes that an exchange, or another desk, has spoken of already"""
    consented_elsewhere: Purposes = NONE
    """purposes that the party agreed to there"""
    elsewhere: InformedBy = field(default=InformedBy.UPSTREAM, compare=False)
    elsewhere_at: datetime | None = field(default=None, compare=False)
    """when another desk had told the party"""
    newcomer_joined: bool = False
    """somebody joined before the notice ended, and has not heard what the exchange said"""
    started_at: datetime | None = field(default=None, compare=False)
    seconds: float = field(default=0.0, compare=False)
    heard_at: datetime | None = field(default=None, compare=False)
    readable_at: datetime | None = field(default=None, compare=False)
    before: BeforeNewcomer | None = None
    """how it stood when somebody joined who may leave again; None once anybody else has not been told"""

    @property
    def heard_by(self) -> datetime | None:
        """When a notice that plays will have been heard."""
        return None if self.started_at is None else self.started_at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class BeforeNewcomer:
    """The party had been told. `agreed`: purposes that had its yes; `asked`: those whose question was open."""

    informing: Informing
    agreed: Purposes = NONE
    asked: Purposes = NONE


@dataclass(frozen=True, slots=True)
class PurposeState:
    phase: PurposePhase
    basis: Basis | None
    reason: Reason
    """why it is in this phase; while active, the reason to record"""
    ground: Reason
    """its reason once it is active"""
    asked_again: bool = False
    at: datetime | None = field(default=None, compare=False)

    @property
    def needs_yes(self) -> bool:
        return self.basis is Basis.CONSENT

    @property
    def live(self) -> bool:
        """It is recorded for, or may still come to be without anybody asking anew."""
        return self.phase in LIVE

    @property
    def active(self) -> bool:
        return self.phase is PurposePhase.ACTIVE

    @property
    def asked(self) -> bool:
        return self.phase is PurposePhase.ASKED


@dataclass(frozen=True, slots=True)
class PendingKey:
    """A key pressed in time that may still turn out to be part of a number. `since` is monotonic."""

    purpose: Purpose
    digit: str
    since: float = field(compare=False)


@dataclass(frozen=True, slots=True)
class Question:
    """The open question, if any purpose is asked. `running`: its clock; `time_up`: over, except for keys that settle."""

    running: bool = False
    time_up: bool = False
    repeated: bool = False
    repeating: bool = False
    """the question is being played once more"""
    newcomer: bool = False
    """asked because of a newcomer: a no ends the purpose from then on, and takes nothing back"""
    pending: tuple[PendingKey, ...] = ()
    settled: Purposes = NONE
    """keys that have settled while the notice still plays"""
    heard: Purposes = NONE
    """whose key was heard in the party's sound, as a tone: a yes once the agent says so"""
    deadline: float = field(default=0.0, compare=False)
    until: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Segment:
    recording: str
    number: int = field(compare=False)
    purposes: Purposes
    """what it is recorded for, wrapped or withheld"""


@dataclass(frozen=True, slots=True)
class Recording:
    id: str
    announced: bool = False
    """its row has been sent to the store, or is there"""
    began: bool = False
    sampled: bool = False
    made_for: Purposes = NONE
    """all that it was ever recorded for"""
    keeps: Purposes = NONE
    """of these, those that neither a party has taken back nor a rule has ended"""
    wrapped: Purposes = NONE
    """the purposes whose wraps the store may hold: sent, and not taken away since"""
    undecided: Purposes = NONE
    """the subject of an open case (G23, G32), which keeps the recording no longer than it would be kept without"""
    restricted: bool = False
    """custody alone can open it"""
    hold_only: bool = False
    """kept by nothing but a hold"""
    refused: bool = False
    """of these, one whose last purpose a refusal has taken: not every hold may keep it"""
    late_yes: bool = False
    """a yes to use covers it from its start (N6), and its wraps are still to be made"""
    keys_kept: bool = False
    closed: bool = False
    discarded: bool = False
    segments: tuple[int, ...] = field(default=(), compare=False)
    next_segment: int = field(default=0, compare=False)

    @property
    def kept(self) -> bool:
        return self.began and not self.discarded

    @property
    def purpose_ends(self) -> tuple[Ended, ...]:
        """How each purpose that it was made for stands. A case does not end its purpose."""
        purposes = self.made_for | self.keeps | self.undecided
        return tuple(Ended.KEEPS if it in self.keeps | self.undecided else Ended.TAKEN_BACK for it in purposes)


@dataclass(frozen=True, slots=True)
class RecorderState:
    running: Segment | None = None
    opening: Segment | None = None
    opening_ticket: int | None = None
    holding: bool = False
    """frames are held in memory for `opening`"""
    failed: Reason | None = None
    failed_in_store: bool = False
    """a transaction that is being tried again will show whether the store works"""
    end_sent: bool = False
    signalled: RecordSignal = RecordSignal.OFF
    """what a record-aware peer last heard (RFC 7866)"""

    @property
    def on(self) -> bool:
        return self.running is not None or self.holding

    @property
    def purposes(self) -> Purposes:
        if self.running is not None:
            return self.running.purposes
        return self.opening.purposes if self.holding and self.opening is not None else NONE


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A dispute (`number` counts within the call). `placed`: the recordings it stands on; none yet: it is armed."""

    number: int
    by: HoldBy
    agent: str
    placed: frozenset[str] = frozenset()
    undoable: bool = False
    lifting: int | None = None
    """the ticket that will lift it"""
    provisional: bool = False
    void: bool = False
    foreign: str = ""
    """its id, if it was not raised in this call"""
    confirmed: bool = False
    """by custody"""
    why: str = field(default="", compare=False)
    at: datetime | None = field(default=None, compare=False)
    undo_until: datetime | None = field(default=None, compare=False)
    provisional_until: datetime | None = field(default=None, compare=False)

    @property
    def custodys(self) -> bool:
        """Only custody lifts it: it was raised elsewhere, or custody has confirmed it."""
        return self.confirmed or bool(self.foreign)

    def id_on(self, recording: str) -> str:
        return self.foreign or f"{recording}-h{self.number}"

    @staticmethod
    def number_in(id: str, recording: str) -> int | None:
        """The number of the call's own hold with this id on `recording`; None if it was raised elsewhere."""
        number = id.removeprefix(f"{recording}-h")
        return int(number) if number != id and number.isdecimal() else None


class CommitKind(StrEnum):
    """What becomes of a transaction that fails."""

    MUST = "must"
    """it stops, narrows or reports: tried again until it is written"""
    OPEN = "open"
    """a segment: not recorded, with the reason, until storage works"""
    WIDEN = "widen"
    """wraps for a yes to use: owed until storage works, if the yes still stands"""
    LIFT = "lift"
    """a hold undone: the hold stands on"""


@dataclass(frozen=True, slots=True)
class PendingCommit:
    """A transaction not yet acknowledged. `label` says what it holds, without times."""

    ticket: int
    kind: CommitKind
    label: tuple[str, ...]
    waiting: bool = False
    """it failed, and waits to be tried again"""
    retried: bool = False
    commit: Commit = field(compare=False, repr=False, default=Commit(0, (), ()))


class Complaint(StrEnum):
    """*Keep for the complaint / delete*, when a refusal took the last purpose of what a party's hold keeps."""

    NONE = "none"
    OPEN = "open"
    KEPT = "kept"
    DELETED = "deleted"


_NOT_YET = not_recorded(Reason.LINE_NOT_RECORDED)
_NO_TERMS = Terms()
_NO_PAUSE = Pauses()
_OFF = PurposeState(PurposePhase.OFF, None, Reason.LINE_NOT_RECORDED, Reason.LINE_NOT_RECORDED)


@dataclass(frozen=True, slots=True)
class Recorded:
    """How long the newest recording is. It is shown, and decides nothing: two states that differ in it alone are equal."""

    id: str = field(default="", compare=False)
    seconds: float = field(default=0.0, compare=False)
    """before the stretch that runs"""
    since: Now | None = field(default=None, compare=False)

    def after(self, recorder: RecorderState, now: Now) -> Recorded:
        running = recorder.running
        if running is None:
            over = self.since is not None and not recorder.holding
            return Recorded(self.id, self.until(now), None) if over else self
        if running.recording != self.id:
            return Recorded(running.recording, 0.0, now)
        return self if self.since is not None else replace(self, since=now)

    def until(self, now: Now) -> float:
        return self.seconds + (now.mono - self.since.mono if self.since is not None else 0.0)


@dataclass(frozen=True, slots=True)
class State:
    """One call. `State()` is a call without any event yet."""

    call: str = ""
    stage: Stage = Stage.NEW
    ours: bool = False
    """we called: a person answers, or a machine"""
    withheld: bool = False
    language: Language = Language.DA
    decision: Decision = _NOT_YET
    terms: Terms = _NO_TERMS
    informing: Informing = Informing()
    documentation: PurposeState = _OFF
    training: PurposeState = _OFF
    question: Question = Question()
    digits: str = ""
    """the last digits, as far as they begin the opt-out keys"""
    digits_at: float = field(default=0.0, compare=False)
    """when the last of them was pressed (monotonic)"""
    digits_wanted: bool = False
    pauses: Pauses = _NO_PAUSE
    recorder: RecorderState = RecorderState()
    recordings: tuple[Recording, ...] = ()
    begin_new: bool = False
    """what is recorded next belongs to a new recording"""
    holds: tuple[LegalHold, ...] = ()
    complaint: Complaint = Complaint.NONE
    objected: bool = False
    """an objection to documentation is an open case (G23)"""
    request_noted: bool = False
    """a request that could not be met was noted (obligation, or special circumstances without grounds)"""
    remembered: bool = False
    """its no counts for later calls too (G31)"""
    unclear: Reason | None = None
    """keys or SIP said no, of unknown scope, so the agent asks: which of the two it was"""
    call_back: bool = False
    reopened_later: bool = False
    """taken up again from today's calls, long after its wrap-up"""
    stood_still: bool = False
    """the process stood still while something was being recorded"""
    missing: float = field(default=0.0, compare=False)
    """seconds of talk that are missing because of that"""
    recorded: Recorded = Recorded()
    broke_off: bool = False
    """talk that was to be recorded is missing from what is kept: the recorder failed in mid-call, or the phone was lost"""
    pending: tuple[PendingCommit, ...] = ()
    next_ticket: int = field(default=1, compare=False)
    version: int = field(default=0, compare=False)
    since: datetime | None = field(default=None, compare=False)
    shown: tuple[object, ...] = field(default=(), compare=False, repr=False)
    """what a press could mean, as last shown"""

    def purpose(self, purpose: Purpose) -> PurposeState:
        return self.documentation if purpose is DOCUMENTATION else self.training

    @property
    def purposes(self) -> tuple[tuple[Purpose, PurposeState], ...]:
        return (DOCUMENTATION, self.documentation), (TRAINING, self.training)

    @property
    def live(self) -> Purposes:
        return _SETS[self.documentation.live, self.training.live]

    @property
    def active(self) -> Purposes:
        return _SETS[self.documentation.active, self.training.active]

    @property
    def asked(self) -> Purposes:
        return _SETS[self.documentation.asked, self.training.asked]

    @property
    def planned(self) -> Purposes:
        return frozenset(p for p, it in self.purposes if it.phase is PurposePhase.PLANNED)

    @property
    def special(self) -> bool:
        """Training on interest under special circumstances: an objection with grounds instead of an opt-out (G32)."""
        return self.decision.notice in SPECIAL

    @property
    def kept(self) -> tuple[Recording, ...]:
        return tuple(it for it in self.recordings if it.kept)

    @property
    def standing(self) -> tuple[LegalHold, ...]:
        return tuple(hold for hold in self.holds if not hold.void)

    @property
    def disputes(self) -> tuple[LegalHold, ...]:
        """Holds without those for a request for access: that is a case, not a dispute."""
        return tuple(hold for hold in self.standing if hold.by in DISPUTED_BY)

    @property
    def unwritten(self) -> tuple[PendingCommit, ...]:
        return tuple(it for it in self.pending if it.waiting)

    @property
    def finished(self) -> bool:
        """Nothing more will come of this call: it may be forgotten."""
        return self.stage is Stage.OVER and not self.pending

    def holds_on(self, recording: Recording) -> tuple[LegalHold, ...]:
        return tuple(hold for hold in self.standing if recording.id in hold.placed)


def wanted(state: State) -> Purposes:
    """What is to be recorded now: what is due, if the recorder has not failed."""
    return NONE if state.recorder.failed is not None else due(state)


def due(state: State) -> Purposes:
    """The active purposes less what is paused, if informed."""
    if state.stage is not Stage.TALKING or state.informing.phase is not InformedPhase.INFORMED or state.pauses.for_all:
        return NONE
    active = state.active
    return active - {TRAINING} if no_desk(state) else active


def no_desk(state: State) -> bool:
    """Training on interest pauses while no desk is there: its opt-out would be out of reach (G31)."""
    return state.pauses.desk_gone and state.training.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK)


def awaits_sound(state: State) -> bool:
    """The party is not heard, and the agent has not been reminded. On hold nobody expects sound."""
    pauses = state.pauses
    talking = state.stage is Stage.TALKING and bool(state.live) and not (pauses.held or pauses.consulting)
    return talking and pauses.sound is not PartySound.THERE and not pauses.sound_missing


def keys_expected(state: State) -> bool:
    """Whether a digit can be an answer: a question is open and running, or the notice has reached its question."""
    if state.digits_wanted or state.pauses.silent or state.stage is not Stage.TALKING:
        return False
    if state.informing.phase is InformedPhase.PLAYING:
        return state.informing.at_question
    return state.informing.phase is InformedPhase.INFORMED and (state.question.running or state.question.repeating)


def askable(state: State) -> Purposes:
    """The purposes that a key pressed now could say yes to."""
    return state.asked | frozenset(p for p in state.planned if state.purpose(p).needs_yes)
