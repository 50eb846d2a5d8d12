"""One call as the engine holds it: what SIP says of it, its session, its clocks. It decides nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from softphone.calls.numbers import e164
from softphone.calls.policy.lines import line_state
from softphone.calls.upstream import UpstreamNotice
from softphone.domain.changes import AuditEntry, CloseRecording, Commit, Discard
from softphone.domain.decision import LookupResult, NoticeId
from softphone.domain.ending import Ending
from softphone.domain.events import Event, Mark, Now, Timer
from softphone.domain.notice import NoticeSound, NoticeText
from softphone.domain.passport import Passport
from softphone.domain.policy import Line, Policy, language_for
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from softphone.domain.retention import expires_on
from softphone.domain.session import State, carried_answers, describe
from softphone.domain.status import InformedBy, InformedPhase, PurposePhase, Status
from softphone.plugin.notices import NoticeBook
from softphone.wire import snapshot
from softphone.wire.snapshot import (
    CallPhase,
    CallRole,
    CallState,
    ConsultEnd,
    LineState,
    PastCall,
    Quality,
    ToldBy,
    TransferState,
)
from softphone.wire.to_engine import RecordingCommand


class Aside(StrEnum):
    CONSULTATION = "consultation"
    """the agent talks to a colleague about it"""
    TRANSFER = "transfer"
    """its party is on its way to somebody else"""


@dataclass(frozen=True, slots=True)
class NewCall:
    """A new call, as its phone knows it. `number` as it was signalled or dialled; empty if it is withheld."""

    id: str
    account: str
    direction: Direction
    incoming: bool
    number: str = field(repr=False)
    line: Line | None
    agent: str = ""
    ours: tuple[str, ...] = ()
    line_unclear: bool = False
    name: str = field(default="", repr=False)


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
    """the one in force when the call rang; a later one does not touch it"""
    line: Line | None
    language: Language
    """of its notice now"""
    arrived_at: datetime
    phase: CallPhase
    incoming: bool = True
    """also for an internal call"""
    agent: str = ""
    """the account's address, user@domain, as a policy's teams name it"""
    ours: tuple[str, ...] = ()
    """this side's extension or number, and the called one, as SIP gave them"""
    line_unclear: bool = False
    """several lines could be meant, so it belongs to none"""
    book: NoticeBook = field(default_factory=NoticeBook, repr=False)
    """the notices of `policy`: another policy's keys and promises are not this call's"""
    line_words: LineState | None = None
    """the line's words when it rang"""
    reopened: bool = False
    """an earlier call, taken up again from today's calls"""
    shuts_at: float | None = None
    """when that ends by itself"""
    looks_at: float | None = None
    """when the archive is asked again for its present state"""
    looked_for: int | None = None
    """while it is being asked: the next ticket when it was"""
    presses: list[RecordingCommand] = field(default_factory=list[RecordingCommand])
    """to be done once the call is known to be as it was when it was pressed"""
    answered_at: datetime | None = None
    answered_mono: float | None = None
    ended_at: datetime | None = None
    talked: float = 0.0
    """seconds from the answer to the end, by a clock that nobody sets"""
    end_code: int = 0
    ending: Ending | None = None
    """why, as far as the other side says"""
    declined: bool = False
    in_doubt: bool = False
    """a bug in the rules has swallowed an event, perhaps a refusal: nothing more of the call is recorded"""
    closed: bool = False
    """wrap-up is over; the call stays until all that it must write is written"""
    muted: bool = False
    held_by_us: bool = False
    held_by_them: bool = False
    active: bool = True
    """its sound is the agent's now"""
    conference: bool = False
    role: CallRole = CallRole.PARTY
    consults_for: str | None = None
    aside: frozenset[Aside] = frozenset()
    """why the agent is not with its party: while any stands, nothing is recorded"""
    consult_ended: ConsultEnd | None = None
    microphone_open: bool = True
    has_media: bool = True
    """SIP has a working stream"""
    record_aware: bool = False
    quality: Quality | None = None
    """how the connection was when it was last looked at"""
    keyless: bool = False
    """the party's phone sends no keys that can be heard here"""
    encrypted: bool = False
    """signalling and sound both, from here to the server"""
    upstream: UpstreamNotice | None = None
    """what a listed exchange says that the party has been told already"""
    upstream_ignored: bool = False
    """somebody else said it, or in another form"""
    target: str = ""
    """of a call of ours: what was dialled"""
    transfer: TransferState | None = None
    asked_to_call: str = ""
    redirected_to: str = ""
    group: str = ""
    """the first of the calls that belong together, by its id: transferred ones"""
    passport: Passport | None = None
    """what a colleague's desk says, and has proved"""
    refused_before: frozenset[Purpose] = frozenset()
    """what the party refused before the call came here; nobody needs to prove that"""
    looked_up: bool = False
    """the archive was asked about it, so it may hold a place in the sample"""
    lookup: LookupResult = field(default_factory=LookupResult)
    decided: bool = False
    """the rulebook has answered, or has failed to"""
    asked: bool = False
    """the rulebook was asked; before that the archive is waited for"""
    decide_by: float | None = None
    awaits_new_decision: bool = False
    """the party asks for a recording, and the rulebook has not answered yet"""
    wants_recording: bool = False
    """it has asked for one, whatever it refused before"""
    state: State = field(default_factory=State)
    waiting: list[Event] = field(default_factory=list[Event])
    """events before the rulebook answered"""
    queue: deque[Event] = field(default_factory=deque[Event])
    """events that the session does not have yet; the first is being carried out"""
    timers: dict[Timer, float] = field(default_factory=dict[Timer, float])
    marks: list[tuple[float, Mark]] = field(default_factory=list[tuple[float, Mark]])
    text: NoticeText | None = None
    """the notice's text: enough to read it aloud"""
    notice: NoticeSound | None = None
    """its sound, if there is one"""
    notice_id: NoticeId | None = None
    newcomer: bool = False
    """text and sound are those for a newcomer"""
    reads_aloud: bool = False
    """the agent is reading the text"""
    objection_answer: str = ""
    other_languages: tuple[Language, ...] = ()
    notice_by: float | None = None
    """when the notice that plays must have been heard, or has failed"""
    opening: dict[int, float] = field(default_factory=dict[int, float])
    """when a segment must have begun, by its transaction's ticket: a disk that hangs has failed"""
    unrecorded: bool = False
    """a failure has kept talk of it from being recorded"""
    hung: bool = False
    """a segment had not begun by then, and its transaction is still under way"""
    entries: dict[int, tuple[AuditEntry, ...]] = field(default_factory=dict[int, "tuple[AuditEntry, ...]"])
    """for transactions under way, by ticket: said once they are written"""
    keys: dict[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes], repr=False)
    """data keys of segments about to begin, between store and recorder"""
    running: tuple[str, int] | None = None
    """recording and segment that frames go into"""
    expires: Mapping[Purpose, date] = field(default_factory=dict[Purpose, date])
    note: str = field(default="", repr=False)
    """the agent's own"""

    @classmethod
    def of(cls, new: NewCall, policy: Policy | None, book: NoticeBook, now: datetime) -> LiveCall:
        """At its beginning, under `policy`, whose notices are `book`."""
        number, line = e164(new.number), new.line
        return cls(
            id=new.id,
            account=new.account,
            direction=new.direction,
            name=new.name,
            number=new.number,
            e164=number,
            policy=policy,
            line=line,
            language=language_for(policy, line, number) if policy and line else Language.DA,
            arrived_at=now,
            phase=CallPhase.INCOMING if new.incoming else CallPhase.DIALLING,
            incoming=new.incoming,
            agent=new.agent,
            ours=new.ours,
            line_unclear=new.line_unclear,
            book=book,
            group=new.id,
            line_words=line_state(policy, line, now) if policy and line else None,
        )

    @property
    def calls_back(self) -> bool:
        """We call a party to whom this line has promised it. What the law obliges to record is recorded all the same (G02)."""
        obliged = self.line is not None and self.line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION
        return self.direction is Direction.OUTBOUND and self.lookup.call_back and not obliged

    @property
    def gives_way(self) -> bool:
        """Its wrap-up ends when the agent's next call begins, since the line sets no time for it."""
        return self.phase is CallPhase.ENDED and not (self.line and self.line.wrap_up.length())

    @property
    def settled(self) -> bool:
        """Whether no transaction is under way, or waits to be tried again."""
        return not self.state.pending and not self.presses

    @property
    def being_told(self) -> bool:
        """A notice or an open question is under way."""
        informing = self.state.informing
        reading = informing.phase is InformedPhase.READING and not (informing.readable or informing.interrupted)
        return (
            informing.phase is InformedPhase.PLAYING
            or reading
            or bool(self.state.asked and self.state.question.running)
        )

    def believe(self, exchange: UpstreamNotice) -> None:
        """That the party has been told so already."""
        self.upstream = exchange
        if exchange.language:
            self.language = exchange.language

    @property
    def language_settled(self) -> bool:
        """Somebody has spoken to the party already, in the call's language."""
        by_exchange = self.upstream is not None and self.upstream.language is not None
        told = self.passport.told if self.passport is not None else None
        return by_exchange or (told is not None and told.language is self.language)

    def since_answer(self, now: Now) -> float | None:
        return None if self.answered_mono is None else now.mono - self.answered_mono

    def status(self, now: Now) -> Status | None:
        return describe(self.state, now) if self.decided else None

    def next_due(self) -> float | None:
        """When its next clock runs out, monotonic."""
        return min(self._dues(), default=None)

    def _dues(self) -> Iterator[float]:
        yield from self.timers.values()
        yield from (at for at, _ in self.marks)
        yield from self.opening.values()
        if self.notice_by is not None:
            yield self.notice_by
        if self.decide_by is not None and not self.decided:
            yield self.decide_by
        if not self.closed:
            yield from (at for at in (self.shuts_at, self.looks_at) if at is not None)

    def text_of(self, notice: NoticeId, language: Language, *, newcomer: bool = False) -> NoticeText | None:
        """As its line gives it. `newcomer`: the short one, or the whole if there is none."""
        if self.line is None:
            return None
        book = self._book(notice, language)
        short = book.text(self.line.id, notice, language, newcomer=True) if newcomer else None
        return short or book.text(self.line.id, notice, language)

    def sound_of(self, notice: NoticeId, language: Language, *, newcomer: bool = False) -> NoticeSound | None:
        """The sound of that text, if there is one."""
        if self.line is None:
            return None
        book = self._book(notice, language)
        short = newcomer and book.text(self.line.id, notice, language, newcomer=True) is not None
        return book.sound(self.line.id, notice, language, newcomer=short)

    def _book(self, notice: NoticeId, language: Language) -> NoticeBook:
        """A key that cannot be heard is not promised."""
        keyless = self.book.keyless
        if self.keyless and keyless and self.line and keyless.text(self.line.id, notice, language) is not None:
            return keyless
        return self.book

    def answer_to_objection(self, language: Language) -> str:
        """What to say if an objection meets an obligation; empty if it does not."""
        answer = self.book.objection(self.line.id, language) if self.line else None
        return answer.shown if answer else ""

    def note_dates(self, commit: Commit) -> None:
        """Until when each purpose keeps what this transaction closes, as the store counts it (G10, G36).

        What is erased on a later day takes the note that stood there with it.
        """
        for change in commit.changes:
            if isinstance(change, Discard) and self.reopened and not self.state.kept:
                self.note = ""
            if isinstance(change, CloseRecording) and self.policy and self.line:
                zone = self.policy.time_zone
                self.expires = {
                    purpose: expires_on(self.arrived_at, period, zone)
                    for purpose in change.purposes
                    if (period := self.line.retention(purpose))
                }

    def shown(self, now: Now, storage_cause: Callable[[], str | None], earlier: tuple[PastCall, ...] = ()) -> CallState:
        status = self.status(now)
        return CallState(
            id=self.id,
            account=self.account,
            line=self.line.id if self.line else None,
            line_words=self.line_words,
            direction=self.direction,
            name=self.name,
            number=self.e164 or self.number,
            phase=self.phase,
            reopened=self.reopened,
            arrived_at=self.arrived_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            active=self.active,
            role=self.role,
            consults_for=self.consults_for,
            conference=self.conference,
            consult_ended=self.consult_ended,
            muted=self.muted,
            held_by_us=self.held_by_us,
            held_by_them=self.held_by_them,
            microphone_open=self.microphone_open,
            record_aware=self.record_aware,
            encrypted=self.encrypted,
            end_code=self.end_code,
            status=_with_cause(status, storage_cause),
            notice=_shown(self.text, None if self.reads_aloud else self.notice, aloud=self.reads_aloud),
            expires={one: day for one, day in self.expires.items() if any(one in it.keeps for it in self.state.kept)},
            objection_answer=self.objection_answer,
            other_languages=self.other_languages,
            told_by=_told_by(status),
            transfer=self.transfer,
            asked_to_call=self.asked_to_call,
            redirected_to=self.redirected_to,
            quality=self.quality,
            note=self.note,
            earlier=earlier,
            recorded_before=self.lookup.recorded_before is not False,
        )

    @property
    def refused(self) -> frozenset[Purpose]:
        """Here or before. What an obligation records all the same has been refused too; a yes at this desk is the later word."""
        said = carried_answers(self.state)
        return frozenset(said.refused) | (self.refused_before - frozenset(said.consented))

    def past(self, now: Now) -> PastCall:
        """Its row in today's calls. While it is on: the row for the case that nothing follows."""
        status, kept = self.status(now), bool(self.state.kept)
        outcome, goes_on = self._outcome(status), self.phase is not CallPhase.ENDED
        return PastCall(
            self.id,
            self.direction,
            self.name,
            self.e164 or self.number,
            self.line.id if self.line else None,
            self.arrived_at,
            self.talked,
            outcome,
            kept=kept,
            why=status.reasons[0] if status and self.answered_at and not kept and not goes_on else None,
            note=self.note,
            group="" if self.group == self.id else self.group,
            refused=self.refused,
            broke_off=goes_on,
            unseen=goes_on or outcome == "missed",
        )

    def _outcome(self, status: Status | None) -> str:
        if self.answered_at is None:
            if not self.incoming:
                return _CAME_TO_NOTHING.get(self.ending or Ending.NO_ANSWER, "unanswered")
            if self.ending is Ending.ELSEWHERE:
                return "elsewhere"
            return "declined" if self.declined else "missed"
        if status is None:
            return "not_recorded"
        if status.kept and status.hold:
            return "locked"
        keeping = [p for p, one in status.purposes.items() if one.phase is PurposePhase.ACTIVE]
        if status.kept and keeping:
            return "both" if len(keeping) == len(Purpose) else keeping[0].value
        return "deleted" if status.recordings and not status.kept else "not_recorded"


_CAME_TO_NOTHING = {
    Ending.BUSY: "busy",
    Ending.DECLINED: "turned_down",
    Ending.NOT_THERE: "not_there",
    Ending.UNKNOWN: "no_such_number",
    **dict.fromkeys((Ending.NOT_ALLOWED, Ending.NO_COMMON_SOUND, Ending.NETWORK, Ending.FAILED), "failed"),
}


def _shown(text: NoticeText | None, sound: NoticeSound | None, *, aloud: bool) -> snapshot.NoticeText | None:
    if text is None:
        return None
    if aloud:
        text = text.to_read
    seconds, words = (sound.seconds, sound.words) if sound else (text.reading_time, ())
    return snapshot.NoticeText(text.language, text.shown, seconds, text.question, words)


def _told_by(status: Status | None) -> ToldBy | None:
    notice = status.notice if status else None
    if notice is None or notice.told is not InformedPhase.INFORMED or notice.heard_at is None:
        return None
    if notice.how not in (InformedBy.COLLEAGUE, InformedBy.UPSTREAM):
        return None
    return ToldBy(notice.how, notice.heard_at)


def _with_cause(status: Status | None, storage_cause: Callable[[], str | None]) -> Status | None:
    """The disk's own reason for a failure to store: the session knows only that it failed."""
    if status is None or not any(one.reason is Reason.STORAGE_FAILED for one in status.reasons):
        return status
    cause = storage_cause()
    if cause is None:
        return status
    reasons = (
        replace(one, params={**one.params, "cause": cause}) if one.reason is Reason.STORAGE_FAILED else one
        for one in status.reasons
    )
    return replace(status, reasons=tuple(reasons))
