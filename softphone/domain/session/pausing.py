"""Rows on pauses: held, sensitive information, the agent's media, the desk, a consultation (L5, G09, G31).

`party` has who is at the other end, and whether they are heard.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.effects import SoundTone, Tone
from softphone.domain.events import (
    AgentMediaChanged,
    ConsultationChanged,
    DeskChanged,
    HoldSignalled,
    MoreTime,
    Now,
    Resumed,
    SensitivePaused,
    TimedOut,
    Timer,
)
from softphone.domain.session.informing import begin_when_possible, cut_short, start_reading
from softphone.domain.session.pauses import Pauses, Sensitive
from softphone.domain.session.state import Stage, State
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase

WARNING_SECONDS = 10.0


def pause(turn: Turn, pauses: Pauses, event: str, rule: str, since: Now | None = None) -> None:
    """Take over the pauses. They cut short a notice that plays; reading can be finished afterwards.

    `since`: when it began, if that was noticed late.
    """
    was = turn.state.pauses
    pauses = pauses.after(was, since or turn.now)
    gap = int(turn.now.mono - was.since.mono) if was.since is not None and not pauses.for_all else None
    turn.set(pauses=pauses)
    turn.note(event, rule, gap_seconds=gap)
    informing = turn.state.informing
    if pauses.silent and informing.phase is InformedPhase.PLAYING:
        cut_short(turn, event)
    elif pauses.silent and informing.phase is InformedPhase.READING:
        turn.set(informing=replace(informing, interrupted=True, readable=False))
    elif not pauses.silent and informing.phase is InformedPhase.READING and informing.interrupted:
        start_reading(turn)
    begin_when_possible(turn)


# --- held, the agent's media, a consultation ------------------------------------------------------------


def hold_signalled(turn: Turn, event: HoldSignalled) -> None:
    """Held by either side, or parked: no hold music, no private talk. A call held before the answer is held from the first
    moment."""
    pauses = turn.state.pauses
    if pauses.held is event.held:
        return
    pauses = replace(pauses, held=event.held)
    if turn.state.stage is Stage.RINGING:
        turn.set(pauses=pauses.after(turn.state.pauses, turn.now))
    elif turn.state.stage is Stage.TALKING:
        pause(turn, pauses, "held" if event.held else "resumed", "L5")


def agent_media_changed(turn: Turn, event: AgentMediaChanged) -> None:
    """Not there at the answer: the notice waits, as it does for a call that is held by then."""
    pauses = turn.state.pauses
    if pauses.agent_gone is not event.present:
        return
    pauses = replace(pauses, agent_gone=not event.present)
    if turn.state.stage is Stage.RINGING:
        turn.set(pauses=pauses.after(turn.state.pauses, turn.now))
    elif turn.state.stage is Stage.TALKING:
        pause(turn, pauses, "agent_media_back" if event.present else "agent_media_gone", "L5")


def consultation_changed(turn: Turn, event: ConsultationChanged) -> None:
    """Not recorded, and its sound reaches neither recording."""
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and pauses.consulting is not event.running:
        name = "consultation" if event.running else "consultation_over"
        pause(turn, replace(pauses, consulting=event.running), name, "L5")


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
        pause(turn, pauses, "paused_sensitive", "G09")


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
        pause(turn, replace(pauses, sensitive=Sensitive.OFF, sensitive_until=None), "resumed", "G09")
    else:
        turn.note("pause_goes_on", "G09")
        turn.set(pauses=replace(pauses, sensitive=Sensitive.BY_HAND, sensitive_until=None))


def can_resume(state: State) -> bool:
    """Not while nobody talks: the call is taken back first."""
    pauses = state.pauses
    away = pauses.held or pauses.consulting or pauses.agent_gone
    return state.stage is Stage.TALKING and pauses.sensitive is not Sensitive.OFF and not away


def resumed(turn: Turn, _: Resumed) -> None:
    pauses = turn.state.pauses
    if can_resume(turn.state):
        pause(turn, replace(pauses, sensitive=Sensitive.OFF, sensitive_until=None), "resumed", "G09")
