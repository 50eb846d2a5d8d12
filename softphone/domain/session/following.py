"""What merely follows the state: the notice's sound, the microphone, and timers that are no longer needed.

Rules start a notice or a timer. This stops each when its state is left, in one place for all.
"""

from __future__ import annotations

from softphone.domain.effects import SetMicrophone, StopNotice, StopTimer
from softphone.domain.events import Event, NoticeFailed, NoticeHeard, TimedOut, Timer
from softphone.domain.session.pauses import Sensitive
from softphone.domain.session.state import Stage, State, awaits_sound
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase


def sounding(state: State) -> bool:
    """A notice or a repeated question is being played."""
    return state.informing.phase is InformedPhase.PLAYING or state.question.repeating


def timers(state: State) -> frozenset[Timer]:
    """The timers that this state waits for."""
    sensitive, informing = state.pauses.sensitive, state.informing
    return frozenset(
        timer
        for timer, runs in (
            (Timer.ANSWER, state.question.running),
            (Timer.KEY_SETTLES, bool(state.question.pending)),
            (Timer.SENSITIVE, sensitive is Sensitive.PAUSED),
            (Timer.SENSITIVE_WARNING, sensitive is Sensitive.WARNED),
            (
                Timer.READABLE,
                informing.phase is InformedPhase.READING and not informing.readable and not informing.interrupted,
            ),
            (Timer.UNDO, any(hold.undoable for hold in state.holds)),
            (Timer.WRAP_UP, state.stage is Stage.ENDED and state.terms.wrap_up > 0),
            (Timer.NO_SOUND, awaits_sound(state)),
            (Timer.RETRY, bool(state.unwritten)),
        )
        if runs
    )


NO_SOUND_SECONDS = 30.0


def follow(turn: Turn, event: Event) -> None:
    was, now = sounding(turn.before), sounding(turn.state)
    if was and not now:
        if not isinstance(event, NoticeHeard | NoticeFailed):
            turn.protect(StopNotice())
        turn.start(SetMicrophone(True))
    if Timer.NO_SOUND in timers(turn.state) - timers(turn.before):
        turn.timer(Timer.NO_SOUND, NO_SOUND_SECONDS)
    out = event.timer if isinstance(event, TimedOut) else None
    needless = timers(turn.before) - timers(turn.state)
    for timer in Timer:
        if timer in needless and timer is not out:
            turn.start(StopTimer(timer))
