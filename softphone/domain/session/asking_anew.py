"""The row for a party that asks for a recording after all: after its no, or for documentation to go on (G03, G23)."""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.decision import NoticeDelivery
from softphone.domain.events import PartyAsksForRecording
from softphone.domain.session.informing import begin
from softphone.domain.session.planning import plan
from softphone.domain.session.refusal import REFUSED
from softphone.domain.session.state import TRAINING, Informing, Question, Stage, State
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase, PurposePhase


def may_ask_for_recording(state: State) -> bool:
    """After a refusal, and with nothing live, the party may ask for what it declined.

    A key or a SIP signal may have stopped everything, because nobody could know what it refused. If the party says that it meant
    training alone, documentation may go on.
    """
    refused = any(it.reason in REFUSED for _, it in state.purposes if not it.live)
    asks = refused if not state.live else _meant_otherwise(state)
    return state.stage is Stage.TALKING and asks and not state.pauses.silent


def _meant_otherwise(state: State) -> bool:
    """Documentation is paused by an objection that came by key or SIP. A notice in progress is not broken off."""
    return state.pauses.unclear and state.documentation.live and state.informing.phase is InformedPhase.INFORMED


def asks_for_recording(turn: Turn, event: PartyAsksForRecording) -> None:
    """A new notice and a new recording, under a decision of its own. What the party could not refuse stays ended.

    If it takes back an unclear objection, training stays ended too, and custody judges what was recorded until then.
    """
    if not may_ask_for_recording(turn.state):
        return
    before = turn.state
    goes_on = bool(before.live)
    turn.note("party_asks_for_recording", "G23" if goes_on else "G03")
    if before.pauses.unclear:
        turn.set(pauses=replace(before.pauses, objection=False, unclear=False).after(before.pauses, turn.now))
        turn.set(objected=False)
    # Whoever has joined hears the whole notice too.
    was = turn.state.pauses
    turn.set(pauses=replace(was, newcomer_not_informed=False).after(was, turn.now))
    turn.set(informing=Informing(), question=Question())
    terms = event.terms or before.terms
    turn.set(begin_new=bool(before.recordings), terms=terms, unclear=None)
    plan(turn, event.decision)
    for purpose, it in before.purposes:
        ended = it.phase is PurposePhase.ENDED and it.reason not in REFUSED
        if ended or (goes_on and purpose is TRAINING):
            turn.set_purpose(purpose, it)
    if turn.state.live:
        begin(turn, read=event.decision.how is NoticeDelivery.READ)
