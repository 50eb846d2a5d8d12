"""The headline, and why: from the closed list, each reason with its rule, the headline's first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.session.keeping import ordered
from softphone.domain.session.pauses import PartySound
from softphone.domain.session.state import PurposeState, Stage, State, no_desk
from softphone.domain.status import InformedPhase, PurposePhase, ReasonStatus

TRAINING_ALONE = frozenset({Purpose.TRAINING})
FAILURES = (
    Reason.POLICY_MISSING,
    Reason.POLICY_FAULTY,
    Reason.POLICY_UNSIGNED,
    Reason.RULEBOOK_FAILED,
    Reason.NOTICE_FAILED,
    Reason.STORAGE_FAILED,
    Reason.NO_KEY,
)
"""why nothing was even planned, if that is a failure"""


def headline(state: State) -> Headline:
    """Red and `recording` whenever anything is being recorded, else failed, paused, asked, notice, not recording."""
    if state.recorder.on:
        return Headline.RECORDING
    if state.stage is not Stage.TALKING:
        return Headline.NOT_RECORDING
    if failure(state) is not None:
        return Headline.FAILED
    if state.live and (_paused(state) or _only_no_desk(state)):
        return Headline.PAUSED
    if state.asked:
        return Headline.ASKED
    return Headline.NOTICE if state.live else Headline.NOT_RECORDING


DECLINED = (Reason.DECLINED_BY_KEY, Reason.DECLINED_BY_VOICE, Reason.DECLINED_BY_SIP)


def rule_of(state: State, reason: Reason, purpose: Purpose | None) -> str:
    """The rule that a reason follows here. A no to a question is no consent (G03), else it is an opt-out (G31).

    What was declined earlier was documentation if an objection to it was upheld (G23).
    """
    if reason is Reason.DECLINED_EARLIER and purpose is not Purpose.TRAINING and state.documentation.reason is reason:
        return "G23"
    if purpose is None or reason not in DECLINED or not state.purpose(purpose).needs_yes:
        return reason.rule
    return "G03"


def failure(state: State) -> Reason | None:
    """What failed, if it keeps the call from being recorded."""
    if state.live:
        if state.recorder.failed is not None:
            return state.recorder.failed
        return Reason.NOTICE_FAILED if state.informing.phase is InformedPhase.FAILED else None
    off = (it.reason for _, it in state.purposes if it.phase is PurposePhase.OFF)
    return next((reason for reason in off if reason in FAILURES), None)


def _only_no_desk(state: State) -> bool:
    return no_desk(state) and state.active == TRAINING_ALONE and state.live == state.active


Found = tuple[Reason, Purpose | None, datetime | None]


def reasons(state: State) -> tuple[ReasonStatus, ...]:
    """At least one; none twice for the same purpose."""
    out: dict[tuple[Reason, Purpose | None], ReasonStatus] = {}
    for reason, purpose, at in (*_headlines(state), *_others(state)):
        if (reason, None) not in out:
            out.setdefault((reason, purpose), ReasonStatus(reason, rule_of(state, reason, purpose), purpose, at))
    return tuple(out.values())


def _headlines(state: State) -> Iterator[Found]:
    match headline(state):
        case Headline.RECORDING:
            for purpose in ordered(state.recorder.purposes):
                yield state.purpose(purpose).ground, purpose, state.purpose(purpose).at
        case Headline.FAILED:
            if (reason := failure(state)) is not None:
                yield reason, None, None
        case Headline.PAUSED:
            for reason in _paused(state) or (Reason.NO_DESK,):
                yield reason, None, _paused_at(state)
        case Headline.ASKED:
            for purpose in ordered(state.asked):
                yield Reason.WAITING_FOR_ANSWER, purpose, state.purpose(purpose).at
        case Headline.NOTICE:
            yield _why_notice(state), None, None
        case Headline.NOT_RECORDING:
            yield from _why_not(state)


def _paused(state: State) -> tuple[Reason, ...]:
    """A party that is hearing the notice may not have been heard yet. Every call begins so, and some people listen in
    silence."""
    pauses = state.pauses
    waits = (
        pauses.sound is PartySound.NOT_YET
        and not pauses.sound_missing
        and state.informing.phase is not InformedPhase.INFORMED
    )
    return tuple(one for one in pauses.for_all if not (waits and one is Reason.NO_SOUND))


def _paused_at(state: State) -> datetime | None:
    return state.pauses.since.utc if state.pauses.since is not None else None


def _why_notice(state: State) -> Reason:
    if not state.informing.person_answered:
        return Reason.NO_PERSON_CONFIRMED
    informing = state.informing
    return (
        Reason.NOT_UNDERSTOOD
        if informing.not_understood and informing.phase is InformedPhase.NOTHING
        else Reason.WAITING_FOR_NOTICE
    )


def _why_not(state: State) -> Iterator[Found]:
    """After a call: the hold first if it is what is kept, then what was lost, then why it was recorded.

    Else why each purpose is not, the newest no first. A purpose that was off stands beside either.
    """
    if _over(state):
        yield from _holds(state)
        if (lost := _lost(state)) is not None:
            yield lost, None, None
    elif state.live:
        # It rings: say what is to come before what this line never records.
        for purpose in ordered(state.live):
            yield state.purpose(purpose).reason, purpose, state.purpose(purpose).at
        return
    ended = [(p, it) for p, it in state.purposes if it.phase is PurposePhase.ENDED]
    ended.sort(key=lambda pair: pair[1].at.timestamp() if pair[1].at is not None else 0.0, reverse=True)
    for purpose, it in ended:
        yield it.reason, purpose, it.at
    if not ended and not state.live:
        for reason in state.decision.reasons:
            if reason is not Reason.NO_ASSESSMENT:
                yield reason, None, None
    alone = not ended and not state.active
    for purpose, it in state.purposes:
        if it.phase is PurposePhase.ENDED or (it.phase is PurposePhase.OFF and not alone) or _no_reason(state, it):
            continue
        yield it.reason, purpose, it.at


def _over(state: State) -> bool:
    return state.stage in (Stage.ENDED, Stage.OVER)


def _lost(state: State) -> Reason | None:
    """Of a call that is over: what a failure kept from being recorded, in part or whole."""
    if state.kept:
        return Reason.BROKE_OFF if state.broke_off else None
    return state.recorder.failed if state.active else None


def _no_reason(state: State, it: PurposeState) -> bool:
    """A reason to record does not count for a recording that has been lost altogether."""
    return it.active and _over(state) and not state.kept and state.recorder.failed is not None


def _holds(state: State) -> Iterator[Found]:
    for hold in state.disputes:
        party = hold.by.by_party
        yield Reason.DISPUTE_PARTY if party else Reason.DISPUTE_CONTROLLER, None, hold.at
    if any(it.hold_only and it.kept for it in state.recordings):
        yield Reason.HOLD_ONLY, None, None
    objected = state.objected and (state.kept or state.documentation.live)
    if any(it.undecided and it.kept for it in state.recordings) or objected or state.disputes != state.standing:
        yield Reason.CASE_OPEN, None, None


def _others(state: State) -> Iterator[Found]:
    """What stands beside the headline: each purpose's own state, pauses, holds, and that consent was needed."""
    for purpose, it in state.purposes:
        beside = it.phase is PurposePhase.OFF and it.reason is Reason.LINE_NOT_RECORDED
        if purpose not in state.recorder.purposes and not beside and not _no_reason(state, it):
            yield it.reason, purpose, it.at
    for reason in _paused(state):
        yield reason, None, _paused_at(state)
    if no_desk(state) and state.training.active:
        yield Reason.NO_DESK, Purpose.TRAINING, None
    if state.call_back:
        yield Reason.CALL_BACK, Purpose.TRAINING, state.training.at
    yield from _holds(state)
    if Reason.NO_ASSESSMENT in state.decision.reasons:
        yield Reason.NO_ASSESSMENT, None, None
