"""One call as the engine holds it: what SIP says of it, its session, its clocks. It decides nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from softphone import wire
from softphone.domain.changes import AuditEntry, CloseRecording, Commit
from softphone.domain.decision import NoticeId
from softphone.domain.events import Event, Mark, Now, Timer
from softphone.domain.notice import NoticeSound, NoticeText
from softphone.domain.policy import Line, Policy
from softphone.domain.purpose import Direction, Language, Purpose, Reason
from softphone.domain.retention import expires_on
from softphone.domain.session import State, describe
from softphone.domain.status import PurposePhase, Status
from softphone.wire import CallPhase, CallState, PastCall


@dataclass(slots=True, eq=False)
class LiveCall:
    """From the first ring to the end of wrap-up. Monotonic times are seconds of the engine's clock."""

    id: str
    account: str
    direction: Direction
    name: str
    number: str
    """as SIP gave it"""
    e164: str | None
    policy: Policy | None
    """the one in force when it rang: a later one has no effect on this call"""
    line: Line | None
    language: Language
    arrived_at: datetime
    phase: CallPhase
    answered_at: datetime | None = None
    answered_mono: float | None = None
    ended_at: datetime | None = None
    end_code: int = 0
    declined: bool = False
    closed: bool = False
    """wrap-up is over; the call stays until all that it must write is written"""
    muted: bool = False
    held_by_us: bool = False
    held_by_them: bool = False
    microphone_open: bool = True
    record_aware: bool = False
    decided: bool = False
    """the rulebook has answered, or has failed to"""
    decide_by: float | None = None
    asks_anew: bool = False
    """the party asks for a recording, and the rulebook has not answered yet"""
    state: State | None = None
    waiting: list[Event] = field(default_factory=list[Event])
    """what happened before the rulebook had answered"""
    queue: deque[Event] = field(default_factory=deque[Event])
    """what the session has yet to be told; its head is being carried out"""
    timers: dict[Timer, float] = field(default_factory=dict[Timer, float])
    marks: list[tuple[float, Mark]] = field(default_factory=list[tuple[float, Mark]])
    text: NoticeText | None = None
    """the notice's text: enough to read it aloud"""
    notice: NoticeSound | None = None
    """its sound, where there is one"""
    notice_id: NoticeId | None = None
    notice_by: float | None = None
    """when a notice that is being played must have been heard, or has failed"""
    entries: dict[int, tuple[AuditEntry, ...]] = field(default_factory=dict[int, "tuple[AuditEntry, ...]"])
    """of transactions under way, by ticket: told when they are written"""
    keys: dict[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes], repr=False)
    """data keys of segments about to begin, on their way from the store to the recorder"""
    running: tuple[str, int] | None = None
    """recording and segment that frames go into"""
    expires: Mapping[Purpose, date] = field(default_factory=dict[Purpose, date])

    @property
    def settled(self) -> bool:
        """Whether no transaction is under way, or waits to be tried again."""
        return self.state is None or not self.state.pending

    def since_answer(self, now: Now) -> float | None:
        return None if self.answered_mono is None else now.mono - self.answered_mono

    def status(self, now: Now) -> Status | None:
        return describe(self.state, now) if self.state is not None and self.decided else None

    def note_dates(self, commit: Commit) -> None:
        """Until when each purpose keeps what this transaction closes: as the store counts it (G10, G36)."""
        for change in commit.changes:
            if isinstance(change, CloseRecording) and self.policy and self.line:
                zone = self.policy.time_zone
                self.expires = {
                    purpose: expires_on(self.arrived_at, period, zone)
                    for purpose in change.purposes
                    if (period := self.line.retention(purpose))
                }

    def shown(self, now: Now, storage_cause: Callable[[], str | None]) -> CallState:
        return CallState(
            id=self.id,
            account=self.account,
            line=self.line.id if self.line else None,
            direction=self.direction,
            name=self.name,
            number=self.e164 or self.number,
            phase=self.phase,
            arrived_at=self.arrived_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            muted=self.muted,
            held_by_us=self.held_by_us,
            held_by_them=self.held_by_them,
            microphone_open=self.microphone_open,
            record_aware=self.record_aware,
            end_code=self.end_code,
            status=_with_cause(self.status(now), storage_cause),
            notice=_shown(self.text, self.notice),
            expires=self.expires,
        )

    def past(self, now: Now) -> PastCall:
        """The row that stays of it in today's calls."""
        seconds = (self.ended_at - self.answered_at).total_seconds() if self.ended_at and self.answered_at else 0.0
        return PastCall(
            self.id,
            self.direction,
            self.name,
            self.e164 or self.number,
            self.line.id if self.line else None,
            self.arrived_at,
            max(seconds, 0.0),
            self._outcome(self.status(now)),
        )

    def _outcome(self, status: Status | None) -> str:
        if self.answered_at is None:
            if self.direction is not Direction.INBOUND:
                return "unanswered"
            return "declined" if self.declined else "missed"
        if status is None:
            return "not_recorded"
        if status.kept and status.hold:
            return "locked"
        keeping = [p for p, one in status.purposes.items() if one.phase is PurposePhase.ACTIVE]
        if status.kept and keeping:
            return "both" if len(keeping) == len(Purpose) else keeping[0].value
        return "deleted" if status.recordings and not status.kept else "not_recorded"


def _shown(text: NoticeText | None, sound: NoticeSound | None) -> wire.NoticeText | None:
    if text is None:
        return None
    seconds, words = (sound.seconds, sound.words) if sound else (text.reading_time, ())
    return wire.NoticeText(text.language, text.shown, seconds, text.question, words)


def _with_cause(status: Status | None, storage_cause: Callable[[], str | None]) -> Status | None:
    """What the disk says of a failure to store: the session knows only that it failed."""
    if status is None or not any(one.reason is Reason.STORAGE_FAILED for one in status.reasons):
        return status
    cause = storage_cause()
    if cause is None:
        return status
    told = (
        replace(one, params={**one.params, "cause": cause}) if one.reason is Reason.STORAGE_FAILED else one
        for one in status.reasons
    )
    return replace(status, reasons=tuple(told))
