"""One call of a simulated year through the real session, and what a store would keep of it. Every step is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import Decision
from softphone.domain.notice import asks
from softphone.domain.policy import Line, Policy, day_of
from softphone.domain.policy.terms import terms
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, Purpose
from softphone.domain.retention import Ended
from softphone.domain.session import State, describe, step
from softphone.domain.status import OptOutKind

AT = datetime(2027, 6, 1, 9, tzinfo=UTC)
CALL = "call"


class Behaviour(StrEnum):
    """What the party, or the agent, does in a call."""

    UNANSWERED = "unanswered"
    TALKS = "talks"
    """presses nothing"""
    YES = "yes"
    """to everything that is asked"""
    DECLINES_EARLY = "declines_early"
    """while the notice plays"""
    DECLINES = "declines"
    OBJECTS = "objects"
    WITHDRAWS = "withdraws"
    """first yes, then no more"""
    KEPT_OUT = "kept_out"
    DISPUTES = "disputes"
    WE_DISPUTE = "we_dispute"
    WE_DISPUTE_THEN_DECLINES = "we_dispute_then_declines"
    HANGS_UP_EARLY = "hangs_up_early"
    """before the notice has been heard"""
    PRIVATE = "private"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Held:
    by_party: bool
    provisional: timedelta | None
    """from the call on"""


@dataclass(frozen=True, slots=True)
class Made:
    """A recording that was not discarded by the end of its call's wrap-up."""

    stands: tuple[tuple[Purpose, Ended], ...]
    holds: tuple[Held, ...]
    case: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    answered: bool
    draw_used: bool
    refused: bool
    recordings: tuple[Made, ...]


def play(policy: Policy, line: Line, decision: Decision, direction: Direction, behaviour: Behaviour) -> Outcome:
    """Through the session, from the first ring to the end of wrap-up."""
    call = _Call(decision)
    reading = 12.0 if decision.notice else 0.0
    under = terms(policy, line, decision.notice, language=Language.DA, day=day_of(policy, AT), reading_time=reading)
    call(e.Rang(CALL, direction, Language.DA, decision, under))
    for event in _events(call, decision, direction, behaviour):
        call(event)
    call(e.CallEnded())
    call(e.WrapUpEnded())
    assert call.running is None, "a recorder outlives its call"
    return call.shelf.outcome(answered=call.answered)


def _events(call: _Call, decision: Decision, direction: Direction, behaviour: Behaviour) -> Iterator[e.Event]:
    if behaviour is Behaviour.UNANSWERED:
        return
    yield e.Answered()
    if direction is Direction.OUTBOUND and decision.notice:
        if behaviour is Behaviour.VOICEMAIL:
            yield e.VoicemailAnswered()
            return
        yield e.PersonAnswered()
    if decision.notice:
        yield e.NoticeStarted(8.0)
        yield e.NoticeReached(e.Mark.ESSENTIALS)
        if behaviour is Behaviour.HANGS_UP_EARLY:
            return
        if behaviour is Behaviour.DECLINES_EARLY:
            yield from _keys(call, "*9")
        yield e.NoticeReached(e.Mark.QUESTION)
        yield e.NoticeHeard()
        asked = asks(decision.notice)
        if asked and behaviour in (Behaviour.TALKS, Behaviour.KEPT_OUT):
            for _ in range(2):
                call.mono += 9
                yield e.TimedOut(e.Timer.ANSWER)
        elif asked and behaviour is not Behaviour.DECLINES_EARLY:
            for key, _ in zip("12", asked, strict=False):
                yield from _keys(call, key)
                call.mono += 1.5
                yield e.TimedOut(e.Timer.KEY_SETTLES)
    call.mono += 60
    match behaviour:
        case Behaviour.DECLINES:
            yield e.OptedOut(call.opt_out)
        case Behaviour.OBJECTS:
            yield e.Objected()
        case Behaviour.WITHDRAWS:
            for purpose in Purpose:
                yield e.Withdrawn(purpose)
        case Behaviour.KEPT_OUT:
            yield e.KeptOutOfTraining()
        case Behaviour.DISPUTES:
            yield e.DisputeRaised(c.HoldBy.PARTY, "anna")
        case Behaviour.WE_DISPUTE:
            yield e.DisputeRaised(c.HoldBy.CONTROLLER, "anna")
        case Behaviour.WE_DISPUTE_THEN_DECLINES:
            yield e.DisputeRaised(c.HoldBy.CONTROLLER, "anna")
            call.mono += 20
            for purpose in Purpose:
                yield e.Withdrawn(purpose)
            yield e.OptedOut(call.opt_out)
        case Behaviour.PRIVATE:
            yield e.PrivateCall()
        case _:
            pass


def _keys(call: _Call, digits: str) -> Iterator[e.Event]:
    for digit in digits:
        yield e.DigitPressed(digit, call.mono)


class _Call:
    """Steps the session; the store answers at once. Nothing starts untold, for no purpose, or without the yes it needs."""

    def __init__(self, decision: Decision) -> None:
        self.state = State()
        self.mono = 100.0
        self.shelf = _Shelf()
        self.answered = False
        self.running: tuple[str, int] | None = None
        self._decision = decision
        self._told = False
        self._pressed = ""
        self._since = self.mono

    @property
    def now(self) -> e.Now:
        return e.Now(AT + timedelta(seconds=self.mono - self._since), self.mono)

    @property
    def opt_out(self) -> OptOutKind:
        return describe(self.state, self.now).opt_out.kind

    def __call__(self, event: e.Event) -> None:
        self.answered |= isinstance(event, e.Answered)
        self._told |= isinstance(event, e.NoticeHeard)
        if isinstance(event, e.DigitPressed):
            self._pressed += event.digit
        self.state, effects = step(self.state, event, self.now)
        for effect in effects:
            match effect:
                case c.Commit():
                    assert all(entry.rule for entry in effect.entries)
                    assert effect.entries or not effect.changes, "a change without an entry"
                    for change in effect.changes:
                        self.shelf.apply(change, self.now.utc)
                    self(e.Committed(effect.ticket))
                case f.StartRecorder(recording=recording, segment=segment):
                    self._starts(recording, segment)
                    self(e.FirstSample(recording, segment))
                case f.StopRecorder():
                    self.running = None
                case _:
                    pass

    def _starts(self, recording: str, segment: int) -> None:
        purposes = self.shelf.segments[recording, segment]
        assert self._told, "recorded before the party was told"
        assert purposes, "recorded for no purpose"
        wanted = {Purpose.DOCUMENTATION: self._decision.documentation, Purpose.TRAINING: self._decision.training}
        for purpose in purposes:
            basis = wanted[purpose].basis
            assert basis is not None, "recorded for what was not decided"
            if basis is Basis.CONSENT:
                key = "12"[asks(self._decision.notice).index(purpose)]
                assert key in self._pressed, "recorded without a yes"
        self.running = recording, segment


@dataclass(slots=True)
class _Recording:
    stands: dict[Purpose, Ended] = field(default_factory=dict[Purpose, Ended])
    holds: dict[str, Held] = field(default_factory=dict[str, Held])
    case: bool = False


class _Shelf:
    """What a store makes of the changes, as far as it decides what is kept."""

    def __init__(self) -> None:
        self.segments: dict[tuple[str, int], tuple[Purpose, ...]] = {}
        self._kept: dict[str, _Recording] = {}
        self._draw_used = False
        self._refused = False

    def apply(self, change: c.Change, now: datetime) -> None:
        match change:
            case c.OpenRecording(recording=recording):
                self._kept[recording] = _Recording()
            case c.OpenSegment(recording=recording, segment=segment, purposes=purposes, withheld=withheld):
                # A hold or a case may keep a purpose's key out of it: it is recorded for that purpose all the same.
                self.segments[recording, segment] = (*purposes, *withheld)
                for purpose in (*purposes, *withheld):
                    self._kept[recording].stands.setdefault(purpose, Ended.KEEPS)
            case c.AddWraps(recording=recording, purpose=purpose):
                self._kept[recording].stands.setdefault(purpose, Ended.KEEPS)
            case c.DropWraps(recording=recording, role=role, reason=reason):
                if role is not KeyRole.CUSTODY and reason != "hold":
                    self._end(recording, Purpose(role.value))
            case c.Restrict(recording=recording, reason=reason):
                self._kept[recording].case = reason != "hold_only"
                for purpose in Purpose if reason == "hold_only" else ():
                    self._end(recording, purpose)
            case c.Discard(recording=recording):
                self._kept.pop(recording, None)
            case c.PlaceHold(hold=hold, recording=recording, by=by):
                if recording in self._kept:
                    self._kept[recording].holds[hold] = Held(by is c.HoldBy.PARTY, None)
            case c.ChangeHold(hold=hold, by=by, provisional_until=until):
                for it in self._kept.values():
                    if hold in it.holds:
                        it.holds[hold] = Held(by is c.HoldBy.PARTY, until - now if until else None)
            case c.LiftHold(hold=hold):
                for it in self._kept.values():
                    it.holds.pop(hold, None)
            case c.CloseRecording(recording=recording, purposes=purposes):
                if recording in self._kept and not self._kept[recording].case:
                    for purpose in set(Purpose) - set(purposes):
                        self._end(recording, purpose)
            case c.UseDraw():
                self._draw_used = True
            case c.RememberRefusal():
                self._refused = True
            case _:
                pass

    def outcome(self, *, answered: bool) -> Outcome:
        made = tuple(Made(tuple(it.stands.items()), tuple(it.holds.values()), it.case) for it in self._kept.values())
        return Outcome(answered, self._draw_used, self._refused, made)

    def _end(self, recording: str, purpose: Purpose) -> None:
        stands: Mapping[Purpose, Ended] = self._kept[recording].stands if recording in self._kept else {}
        if stands.get(purpose) is Ended.KEEPS:
            self._kept[recording].stands[purpose] = Ended.TAKEN_BACK
