"""Rows on the other end: whether it is heard, whether it is still the same party, and who joins (G05, G10).

The edge reports what RTP and SIP show of it. Only the agent can say who it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from softphone.domain.decision import NoticeDelivery
from softphone.domain.effects import FollowSource, SoundTone, StopNotice, Tone
from softphone.domain.events import (
    IdentityChanged,
    NewPerson,
    PartySoundChanged,
    PersonLeft,
    SameCaller,
    SourceChanged,
    SourceReturned,
    StoodStill,
    TimedOut,
)
from softphone.domain.purpose import Reason
from softphone.domain.session.consent import activate, ask, unanswered
from softphone.domain.session.informing import begin, cut_short, note_begun, start_reading
from softphone.domain.session.pauses import PartySound
from softphone.domain.session.pausing import pause
from softphone.domain.session.segments import broke_off, current
from softphone.domain.session.state import NONE, BeforeNewcomer, Informing, Question, Stage, State, awaits_sound
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedBy, InformedPhase, PurposePhase

LONGEST_SILENCE = 3600.0
"""seconds; a report of more, or of no number, is not believed"""

# --- the party's sound ----------------------------------------------------------------------------


def sound_changed(turn: Turn, event: PartySoundChanged) -> None:
    """Nothing is recorded while the party is not heard: only the agent's open microphone would be stored.

    A party that has gone does not hear the notice either. One that has not been heard yet may only be silent, so the notice
    plays all the same. If the way to it breaks before it has spoken, it has gone too, and has not heard that notice.
    """
    state = turn.state
    pauses = state.pauses
    same = PartySound.THERE if event.present else PartySound.GONE
    waits = pauses.sound is PartySound.NOT_YET
    if pauses.sound is same or state.stage not in (Stage.RINGING, Stage.TALKING):
        return
    if not event.present and waits and state.stage is Stage.RINGING:
        return
    expected = event.present and waits and state.informing.phase is not InformedPhase.INFORMED
    if event.present:
        pauses = replace(pauses, sound=PartySound.THERE, sound_missing=False)
    elif state.stage is Stage.RINGING:
        pauses = replace(pauses, sound=PartySound.NOT_YET)
    else:
        pauses = replace(pauses, sound=PartySound.GONE)
    if state.stage is Stage.RINGING or expected:
        # Every call is so for a moment, and nothing was to be recorded in it: no entry.
        turn.set(pauses=pauses.after(state.pauses, turn.now))
        return
    silent = event.silent if 0.0 < event.silent < LONGEST_SILENCE else 0.0
    since = replace(turn.now, utc=turn.now.utc - timedelta(seconds=silent), mono=turn.now.mono - silent)
    name = "party_sound_back" if event.present else "party_sound_gone"
    pause(turn, pauses, name, Reason.NO_SOUND.rule, since=since)


def sound_missing(turn: Turn, _: TimedOut) -> None:
    """The agent is reminded, and may hang up. An obligation goes unrecorded by it."""
    if awaits_sound(turn.state):
        turn.start(SoundTone(Tone.WARNING))
        turn.note("party_sound_missing", Reason.NO_SOUND.rule)
        turn.set(pauses=replace(turn.state.pauses, sound_missing=True))


def stood_still(turn: Turn, event: StoodStill) -> None:
    """What was said meanwhile is missing from what is kept."""
    state = turn.state
    it = current(state)
    if state.stage is not Stage.TALKING or not state.recorder.on or it is None:
        return
    turn.set(stood_still=True, missing=state.missing + event.seconds)
    turn.note("stood_still", Reason.BROKE_OFF.rule, it.id, gap_seconds=round(event.seconds))
    broke_off(turn, it)


# --- where it comes from --------------------------------------------------------------------------


def source_changed(turn: Turn, _: SourceChanged) -> None:
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and not pauses.source_changed:
        pause(turn, replace(pauses, source_changed=True), "source_changed", Reason.SOURCE_CHANGED.rule)


def source_returned(turn: Turn, _: SourceReturned) -> None:
    pauses = turn.state.pauses
    if turn.state.stage is Stage.TALKING and pauses.source_changed:
        pause(turn, replace(pauses, source_changed=False), "source_returned", Reason.SOURCE_CHANGED.rule)


def can_be_same_caller(state: State) -> bool:
    return state.stage is Stage.TALKING and state.pauses.source_changed


def same_caller(turn: Turn, _: SameCaller) -> None:
    if can_be_same_caller(turn.state):
        turn.start(FollowSource())
        pauses = replace(turn.state.pauses, source_changed=False)
        pause(turn, pauses, "same_caller", Reason.SOURCE_CHANGED.rule)


# --- who it is ------------------------------------------------------------------------------------


def can_add_person(state: State, *, by_phone: bool = False) -> bool:
    """Also before the notice: an interpreter has not heard what an exchange said. Not during a newcomer's notice: the next
    newcomer's comes after it. With no purpose left it matters only if the question could be asked once more.

    Whoever joined by phone may leave untold, and the pause with them. So the agent can always say that somebody else came.
    """
    informing = state.informing
    leaves = informing.before is not None and not by_phone
    if not state.live:
        return bool(unanswered(state)) and (leaves or not state.pauses.newcomer_not_informed)
    telling = informing.phase not in (InformedPhase.FAILED, InformedPhase.INFORMED)
    waits = telling and (state.pauses.newcomer_not_informed or informing.newcomer_joined)
    return state.stage is Stage.TALKING and (leaves or not waits)


def new_person(turn: Turn, event: NewPerson) -> None:
    """Paused until informed, and asked for each purpose on consent. An open question is cancelled and asked anew for all.

    It also explains a source that nobody had explained. Another call of this phone explains nothing of this one's sound.
    """
    if not can_add_person(turn.state, by_phone=event.by_phone):
        return
    turn.note("new_person", "G05")
    if (was := turn.state.pauses).source_changed and not event.by_phone:
        turn.start(FollowSource())
        turn.set(pauses=replace(was, source_changed=False).after(was, turn.now))
    before = _before(turn.state) if event.by_phone else None
    if not turn.state.live:
        _stays_untold(turn, before)
    elif turn.state.informing.phase is InformedPhase.INFORMED:
        _joins(turn, before)
    else:
        _begin_again(turn)


def _before(state: State) -> BeforeNewcomer:
    waits = [(purpose, it) for purpose, it in state.purposes if it.needs_yes]
    return BeforeNewcomer(
        state.informing,
        frozenset(purpose for purpose, it in waits if it.active),
        frozenset(purpose for purpose, it in waits if it.asked),
    )


def person_left(turn: Turn, _: PersonLeft) -> None:
    """Whoever has not been told can no longer hear: all is as before. What was refused meanwhile stays refused, and a question
    that was open is asked anew."""
    state = turn.state
    before = state.informing.before
    if state.stage is not Stage.TALKING or before is None or not state.pauses.newcomer_not_informed:
        return
    turn.set(informing=before.informing, question=Question())
    pause(turn, replace(state.pauses, newcomer_not_informed=False), "person_left", "G05")
    waiting = turn.state.planned
    for purpose, _it in state.purposes:
        if purpose in before.agreed & waiting:
            activate(turn, purpose)
    if asked := before.asked & waiting:
        ask(turn, asked)


def identity_changed(turn: Turn, _: IdentityChanged) -> None:
    """Put through. During the notice or its question all begins anew by itself; later it is a newcomer, informed as the
    agent chooses."""
    state = turn.state
    if state.stage is not Stage.TALKING or not (state.live or unanswered(state)):
        return
    turn.note("identity_changed", "G05")
    if not state.live:
        _stays_untold(turn)
        return
    informing = state.informing
    if informing.phase is InformedPhase.PLAYING:
        turn.note("notice_cut_short", "G05", why="identity_changed")
        anew = replace(informing, informed_elsewhere=NONE, consented_elsewhere=NONE, newcomer_joined=True, before=None)
        turn.set(informing=anew)
        begin(turn, read=False)
    elif informing.phase is not InformedPhase.INFORMED:
        _begin_again(turn)
    else:
        if state.question.repeating:
            turn.protect(StopNotice())
        anew = bool(state.asked) and not state.pauses.silent
        _joins(turn, read=not anew)
        if anew:
            begin(turn, read=state.decision.how is NoticeDelivery.READ)


def _stays_untold(turn: Turn, before: BeforeNewcomer | None = None) -> None:
    """Nothing is recorded, so no notice begins. The question without its notice is asked no more: a party that wants a
    recording after all has the whole notice played to everybody."""
    was = turn.state.pauses
    turn.set(informing=replace(turn.state.informing, before=before))
    turn.set(pauses=replace(was, newcomer_not_informed=True).after(was, turn.now))


def _joins(turn: Turn, before: BeforeNewcomer | None = None, *, read: bool = True) -> None:
    """`read`: by the agent, unless it plays by itself."""
    state = turn.state
    for purpose, it in state.purposes:
        if it.needs_yes and (it.asked or it.active):
            turn.set_phase(purpose, PurposePhase.PLANNED, Reason.NOT_TOLD)
    turn.set(
        informing=Informing(
            phase=InformedPhase.READING, how=InformedBy.READ, interrupted=state.pauses.silent, before=before
        ),
        question=Question(),
        pauses=replace(state.pauses, newcomer_not_informed=True).after(state.pauses, turn.now),
    )
    if not read:
        return
    note_begun(turn)
    if not state.pauses.silent:
        start_reading(turn)


def _begin_again(turn: Turn) -> None:
    """The notice was not through yet: nobody has been informed, and the newcomer has not heard what was said so far."""
    informing = turn.state.informing
    if informing.phase is InformedPhase.PLAYING:
        cut_short(turn, "new_person")
    heard = replace(
        turn.state.informing,
        essentials=False,
        readable=False,
        informed_elsewhere=NONE,
        consented_elsewhere=NONE,
        newcomer_joined=True,
        before=None,
    )
    turn.set(informing=heard)
    if informing.phase is InformedPhase.READING and not turn.state.pauses.silent:
        start_reading(turn)
