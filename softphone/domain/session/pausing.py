"""Rows on pauses: held, sensitive information, the agent's media, the desk, a consultation, a newcomer (L5, G09, G31, G05)."""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.decision import How
from softphone.domain.effects import SoundTone, Tone
from softphone.domain.events import (
    AgentMediaChanged,
    ConsultationChanged,
    DeskChanged,
    HoldSignalled,
    MoreTime,
    NewPerson,
    Resumed,
    SensitivePaused,
    TimedOut,
    Timer,
)
from softphone.domain.purpose import Reason
from softphone.domain.session.state import NONE, Pauses, Question, Sensitive, Stage, State, Telling
from softphone.domain.session.telling import cut_short, note_begun, start_reading
from softphone.domain.session.turn import Turn
from softphone.domain.status import PurposePhase, Told

WARNING_SECONDS = 10.0


def _pause(turn: Turn, pauses: Pauses, event: str, rule: str) -> None:
    """Take over the pauses. A notice that plays is cut short by it; reading can be finished afterwards."""
    was = turn.state.pauses
    starts = not was.for_all and bool(pauses.for_all)
    pauses = replace(pauses, since=turn.now if starts else (pauses.since if pauses.for_all else None))
    gap = int(turn.now.mono - was.since.mono) if was.since is not None and not pauses.for_all else None
    turn.set(pauses=pauses)
    turn.note(event, rule, gap_seconds=gap)
    told = turn.state.told
    if pauses.silent and told.phase is Told.PLAYING:
        cut_short(turn, event)
    elif pauses.silent and told.phase is Told.READING:
        turn.set(told=replace(told, interrupted=True, readable=False))
    elif not pauses.silent and told.phase is Told.READING and told.interrupted:
        start_reading(turn)


# --- held, the agent's media, a consultation ------------------------------------------------------------


def hold_signalled(turn: Turn, event: HoldSignalled) -> None:
    """Held by either side, or parked: no hold music, no private talk."""
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and pauses.held is not event.held:
        _pause(turn, replace(pauses, held=event.held), "held" if event.held else "resumed", "L5")


def agent_media_changed(turn: Turn, event: AgentMediaChanged) -> None:
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and pauses.agent_gone is event.present:
        name = "agent_media_back" if event.present else "agent_media_gone"
        _pause(turn, replace(pauses, agent_gone=not event.present), name, "L5")


def consultation_changed(turn: Turn, event: ConsultationChanged) -> None:
    """Not recorded, and its sound reaches neither recording."""
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and pauses.consulting is not event.running:
        name = "consultation" if event.running else "consultation_over"
        _pause(turn, replace(pauses, consulting=event.running), name, "L5")


def desk_changed(turn: Turn, event: DeskChanged) -> None:
    """The call and documentation go on; training on interest pauses while its opt-out is out of reach."""
    pauses = turn.state.pauses
    if turn.state.stage in (Stage.RINGING, Stage.TALKING) and pauses.desk_gone is event.present:
        turn.set(pauses=replace(pauses, desk_gone=not event.present))
        turn.note("desk_back" if event.present else "desk_gone", "G31")


def desk_silent(turn: Turn, _: TimedOut) -> None:
    desk_changed(turn, DeskChanged(False))


# --- sensitive information ------------------------------------------------------------------------------


def can_pause_sensitive(state: State) -> bool:
    return state.stage is Stage.TALKING and bool(state.live) and state.pauses.sensitive is Sensitive.OFF


def sensitive_paused(turn: Turn, _: SensitivePaused) -> None:
    """A marked gap of known length."""
    if can_pause_sensitive(turn.state):
        until = turn.timer(Timer.SENSITIVE, turn.state.terms.sensitive_pause)
        pauses = replace(turn.state.pauses, sensitive=Sensitive.PAUSED, sensitive_until=until)
        _pause(turn, pauses, "paused_sensitive", "G09")


def sensitive_time_up(turn: Turn, _: TimedOut) -> None:
    """A sound, and 10 s of warning."""
    if turn.state.pauses.sensitive is Sensitive.PAUSED:
        until = turn.timer(Timer.SENSITIVE_WARNING, WARNING_SECONDS)
        turn.start(SoundTone(Tone.WARNING))
        turn.note("pause_ends_soon", "G09")
        turn.set(pauses=replace(turn.state.pauses, sensitive=Sensitive.WARNED, sensitive_until=until))


def more_time(turn: Turn, _: MoreTime) -> None:
    if turn.state.pauses.sensitive is Sensitive.WARNED:
        until = turn.timer(Timer.SENSITIVE, turn.state.terms.sensitive_pause)
        turn.note("pause_extended", "G09")
        turn.set(pauses=replace(turn.state.pauses, sensitive=Sensitive.PAUSED, sensitive_until=until))


def sensitive_warning_up(turn: Turn, _: TimedOut) -> None:
    """It resumes by itself only on a line that declares a ground for such data (G09), else by hand."""
    pauses = turn.state.pauses
    if pauses.sensitive is not Sensitive.WARNED:
        return
    if turn.state.terms.sensitive_resumes:
        _pause(turn, replace(pauses, sensitive=Sensitive.OFF, sensitive_until=None), "resumed", "G09")
    else:
        turn.note("pause_goes_on", "G09")
        turn.set(pauses=replace(pauses, sensitive=Sensitive.BY_HAND, sensitive_until=None))


def resumed(turn: Turn, _: Resumed) -> None:
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and pauses.sensitive is not Sensitive.OFF:
        _pause(turn, replace(pauses, sensitive=Sensitive.OFF, sensitive_until=None), "resumed", "G09")


# --- a newcomer -----------------------------------------------------------------------------------------


def can_add_person(state: State) -> bool:
    """Not while one is being told: whoever comes then is told once that is over."""
    told = state.told
    telling = told.phase in (Told.PLAYING, Told.READING) and (state.pauses.not_told or told.joined)
    return state.stage is Stage.TALKING and bool(state.live) and told.phase is not Told.NOTHING and not telling


def new_person(turn: Turn, _: NewPerson) -> None:
    """Paused until told, and asked for each purpose on consent; an open question is cancelled and asked anew for all."""
    state = turn.state
    if not can_add_person(state):
        return
    turn.note("new_person", "G05")
    if state.told.phase is not Told.INFORMED:
        _begin_again(turn)
        return
    for purpose, it in state.purposes:
        if it.needs_yes and (it.asked or it.active):
            turn.set_phase(purpose, PurposePhase.PLANNED, Reason.NOT_TOLD)
    turn.set(
        told=Telling(phase=Told.READING, how=How.READ.value, interrupted=state.pauses.silent),
        question=Question(),
        pauses=replace(state.pauses, not_told=True, since=state.pauses.since or turn.now),
    )
    note_begun(turn)
    if not state.pauses.silent:
        start_reading(turn)


def _begin_again(turn: Turn) -> None:
    """The notice was not through yet: nobody has been told, and the newcomer has not heard what was said so far."""
    told = turn.state.told
    if told.phase is Told.PLAYING:
        cut_short(turn, "new_person")
    heard = replace(turn.state.told, essentials=False, readable=False, vouched=NONE, carried=NONE, joined=True)
    turn.set(told=heard)
    if told.phase is Told.READING and not told.interrupted:
        start_reading(turn)
