"""A desk's command about a call's recording into the session's event, or a refusal with its reason. Pure.

A command carries the version of what the desk showed, and what its button did. If that has changed, the press is refused, so
a double press never does the next thing. Of an older version only what protects is carried out, and only if it still does
the same.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.changes import HoldBy
from softphone.domain.events import (
    AskedAgain,
    Chosen,
    DigitsWanted,
    DisputeRaised,
    DisputeUndone,
    Event,
    FinishedOrally,
    KeptOutOfTraining,
    MoreTime,
    NewPerson,
    NoticeAgain,
    NoticeRead,
    NoticeStopped,
    NotUnderstood,
    Objected,
    OptedOut,
    PersonAnswered,
    PrivateCall,
    Resumed,
    SameCaller,
    SensitivePaused,
    SpokenAnswer,
    VoicemailAnswered,
    Withdrawn,
)
from softphone.domain.purpose import Language, Purpose
from softphone.domain.status import Action, DisputeKind, OptOutKind, Status
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import Act, Choose, OptOut, RaiseDispute, RecordingCommand, UndoDispute

ACTIONS: dict[Action, Event] = {
    Action.PERSON_ANSWERED: PersonAnswered(),
    Action.VOICEMAIL: VoicemailAnswered(),
    Action.STOP_NOTICE: NoticeStopped(),
    Action.PLAY_AGAIN: NoticeAgain(),
    Action.READ_INSTEAD: NoticeAgain(read=True),
    Action.FINISH_ORALLY: FinishedOrally(),
    Action.ASK_AGAIN: AskedAgain(),
    Action.DIGITS_WANTED: DigitsWanted(on=True),
    Action.DIGITS_OVER: DigitsWanted(on=False),
    Action.KEEP_OUT_OF_TRAINING: KeptOutOfTraining(),
    Action.PAUSE_SENSITIVE: SensitivePaused(),
    Action.MORE_TIME: MoreTime(),
    Action.RESUME: Resumed(),
    Action.NEW_PERSON: NewPerson(),
    Action.SAME_CALLER: SameCaller(),
    Action.NOT_UNDERSTOOD: NotUnderstood(),
    Action.PRIVATE_CALL: PrivateCall(),
    Action.OBJECT: Objected(),
    Action.NOTE_REQUEST: OptedOut(OptOutKind.NOTE_REQUEST),
    Action.NOTICE_READ: NoticeRead(),
    Action.WITHDRAW_DOCUMENTATION: Withdrawn(Purpose.DOCUMENTATION),
    Action.WITHDRAW_TRAINING: Withdrawn(Purpose.TRAINING),
}

BEYOND_THE_SESSION = (Action.END_POLITELY, Action.PARTY_ASKS_FOR_RECORDING)
"""actions that the engine carries out: one ends the call, the other asks the rulebook first"""
PROTECT = frozenset(
    {
        Action.STOP_NOTICE,
        Action.DIGITS_WANTED,
        Action.PAUSE_SENSITIVE,
        Action.MORE_TIME,
        Action.NEW_PERSON,
        Action.OBJECT,
        Action.NOTE_REQUEST,
    }
)
"""actions that neither start, widen nor delete anything: they still mean what they meant a moment ago"""
STALE = CodedText("refused.stale")
NOT_NOW = CodedText("refused.not_now")


def to_event(
    command: RecordingCommand, status: Status, agent: str, languages: tuple[Language, ...] = ()
) -> Event | CodedText:
    """`status` is what holds now, `agent` the id of the person who presses (the account; never a name). `languages`: those
    in which the notice can be given too."""
    if command.version > status.version:
        return STALE
    same = command.version == status.version
    match command:
        case OptOut(kind=kind, stays=stays):
            button = status.opt_out
            does_it = button.enabled and button.kind == kind and (same or button.stays == stays)
            return OptedOut(kind) if does_it else STALE
        case RaiseDispute(by=by, why=why):
            lock = status.dispute.enabled and status.dispute.kind in (DisputeKind.LOCK, DisputeKind.ARM)
            return DisputeRaised(HoldBy(by), agent, why) if lock else STALE
        case UndoDispute():
            undo = status.dispute.enabled and status.dispute.kind == DisputeKind.UNDO
            return DisputeUndone(agent) if undo else STALE
        case Choose(choice=choice, option=option):
            offered = any(one.id == choice and option in one.options for one in status.choices)
            return Chosen(choice, option) if same and offered else STALE
        case Act(action=action, purpose=purpose, language=language):
            if action not in status.actions:
                return NOT_NOW if same else STALE
            if not (same or action in PROTECT):
                return STALE
            if action == Action.SAID_YES and status.yes_by_agent and purpose not in status.yes_by_agent:
                return NOT_NOW
            if action in (Action.SAID_YES, Action.SAID_NO) and purpose:
                return SpokenAnswer(purpose, yes=action == Action.SAID_YES)
            event = ACTIONS.get(action)
            if isinstance(event, NoticeAgain) and language is not None:
                return replace(event, language=language) if language in languages else NOT_NOW
            return event if event else NOT_NOW
