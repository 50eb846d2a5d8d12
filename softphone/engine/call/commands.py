"""A desk's command about a call's recording into the session's event, or a refusal with its reason. Pure.

A command carries the version of what the desk showed, and what its button did. Where it would do something else by now, the
press is refused, so that a double press never does the next thing. Of an older version only what protects is carried out, and
only where it still does the same.
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
from softphone.domain.status import DisputeKind, OptOutKind, Status
from softphone.wire import Act, Choose, CodedText, OptOut, RaiseDispute, UndoDispute

RecordingCommand = OptOut | RaiseDispute | UndoDispute | Choose | Act

_ACTIONS: dict[str, Event] = {
    "person_answered": PersonAnswered(),
    "voicemail": VoicemailAnswered(),
    "stop_notice": NoticeStopped(),
    "play_again": NoticeAgain(),
    "read_instead": NoticeAgain(read=True),
    "finish_orally": FinishedOrally(),
    "ask_again": AskedAgain(),
    "digits_wanted": DigitsWanted(on=True),
    "digits_over": DigitsWanted(on=False),
    "keep_out_of_training": KeptOutOfTraining(),
    "pause_sensitive": SensitivePaused(),
    "more_time": MoreTime(),
    "resume": Resumed(),
    "new_person": NewPerson(),
    "same_caller": SameCaller(),
    "not_understood": NotUnderstood(),
    "private_call": PrivateCall(),
    "object": Objected(),
    "note_request": OptedOut(OptOutKind.NOTE_REQUEST),
    "notice_read": NoticeRead(),
    "withdraw_documentation": Withdrawn(Purpose.DOCUMENTATION),
    "withdraw_training": Withdrawn(Purpose.TRAINING),
}

BEYOND_THE_SESSION = ("end_politely", "party_asks_for_recording")
"""actions that the engine carries out: the one ends the call, the other asks the rulebook first"""
PROTECT = frozenset(
    {"stop_notice", "digits_wanted", "pause_sensitive", "more_time", "new_person", "object", "note_request"}
)
"""actions that neither start, widen nor delete anything: what they meant a moment ago they mean still"""
STALE = CodedText("refused.stale")
NOT_NOW = CodedText("refused.not_now")


def to_event(
    command: RecordingCommand, status: Status, agent: str, languages: tuple[Language, ...] = ()
) -> Event | CodedText:
    """`status` is what holds now, `agent` the id of who presses (the account; never a name), `languages` those in which the
    notice can be given too."""
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
            if action in ("said_yes", "said_no") and purpose:
                return SpokenAnswer(purpose, yes=action == "said_yes")
            event = _ACTIONS.get(action)
            if isinstance(event, NoticeAgain) and language is not None:
                return replace(event, language=language) if language in languages else NOT_NOW
            return event if event else NOT_NOW
