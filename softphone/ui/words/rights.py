"""What the two buttons, opt-out and dispute, say they will do to *this* call; or why one is off."""

from __future__ import annotations

from dataclasses import dataclass

from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import (
    Action,
    DisputeButton,
    DisputeKind,
    InformedPhase,
    OptOutButton,
    OptOutKind,
    PurposePhase,
    Status,
)
from softphone.ui.view import View, upper_first, who
from softphone.ui.words.speech import DOCUMENTATION, TRAINING, Speech
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Act, Choose, HangUp, OptOut, RecordingCommand

_LONGEST_ON_A_BUTTON = 11
"""letters of one word"""
_PRESSED = {"request_noted": "opt_out.note_request", "objection_received": "opt_out.objection"}
_OPT_OUT_ICONS = {OptOutKind.CALL_BACK: "call_back", OptOutKind.NOTE_REQUEST: "note"}

_FURTHER = (OptOutKind.OBJECTION, OptOutKind.STOP_AND_DELETE, OptOutKind.CALL_BACK)

_STORE = (Reason.STORAGE_FAILED, Reason.RECORDER_FAILED, Reason.NO_KEY)


@dataclass(frozen=True, slots=True)
class ButtonWords:
    icon: str
    title: str
    sub: str
    enabled: bool
    why: str


def opt_out_words(view: View, call: CallState | None) -> ButtonWords:
    """What the opt-out button would do to this call."""
    texts, status = view.texts, call.status if call else None
    if status is None or not view.connected or call is None:
        why = _why_not(view, status, None)
        return ButtonWords("hand", texts("opt_out.none"), why, False, why)
    button, kind = status.opt_out, status.opt_out.kind
    icon = _OPT_OUT_ICONS.get(OptOutKind(kind), "hand") if kind in set(OptOutKind) else "hand"
    party = view.party(call)
    code = f"opt_out.{kind}"
    if kind == OptOutKind.NONE:
        code = _PRESSED.get(button.why_not or "", code)  # a pressed button keeps its name and icon
        icon = "note" if button.why_not == "request_noted" else icon
    if kind == OptOutKind.STOP_AND_DELETE:
        code = _last_purpose(call, status)
    title = texts(
        f"{code}.short" if kind == OptOutKind.SAID_NO and not fits_a_button(party) else code, Party=upper_first(party)
    )
    if not button.enabled or (kind == OptOutKind.OBJECTION and nothing_stored(status)):
        why = _why_not(view, status, button) if not button.enabled else texts("why_not.nothing_recorded")
        return ButtonWords(icon, title, _below(button, why), False, why)
    more = "" if call.phase is CallPhase.ENDED and kind == OptOutKind.NOTE_REQUEST else _told_more(view, kind, party)
    return ButtonWords(icon, title, texts(_opt_out_sub(Speech(view, call, status), code)), True, more)


def nothing_stored(status: Status) -> bool:
    """Nothing of the call could be stored, so there is nothing to lock, to object to or to pause.

    What was stored before the failure can be. A no to training counts all the same.
    """
    return not status.kept and status.headline is Headline.FAILED and status.reasons[0].reason in _STORE


def sure_words(view: View, call: CallState, proposed: RecordingCommand | HangUp) -> tuple[str, dict[str, str]]:
    """What is asked before it is sent, as a code and its words; no code if nothing is."""
    status, party = call.status, view.party(call)
    words = {"party": party, "Party": upper_first(party)}
    match proposed:
        case HangUp() if (colleague := view.consultation(call)) is not None and colleague.conference:
            return "sure.hang_up", {"who": who(view, call), "colleague": who(view, colleague)}
        case _ if status is None:
            return "", words
        case OptOut():
            asks = (
                status.opt_out.enabled
                and status.opt_out.asks
                and (proposed.kind, proposed.stays) == (status.opt_out.kind, status.opt_out.stays)
            )
            return (_question_code(status) if asks else ""), words
        case Act() if proposed.action in status.destroys:
            code = f"action.{proposed.action}"
            words["action"] = view.texts(f"{code}.short" if f"{code}.short" in view.texts else code, **words)
            return _sure_of(Speech(view, call, status), Action(proposed.action)), words
        case Choose() if any(it.id == proposed.choice and it.destroys == proposed.option for it in status.choices):
            return "opt_out.sure.stop_and_delete", words
        case _:
            return "", words


def _sure_of(speech: Speech, action: Action) -> str:
    if action is Action.OBJECT:
        return "sure.object"
    training = speech.phase(TRAINING) not in (PurposePhase.OFF, PurposePhase.ENDED)
    return "sure.documentation" if action is Action.WITHDRAW_DOCUMENTATION and training else "sure.delete"


def _question_code(status: Status) -> str:
    kind = status.opt_out.kind
    if kind == OptOutKind.STOP_AND_DELETE and status.opt_out.stays:
        return "opt_out.sure.stop"
    return f"opt_out.sure.{kind if kind in _FURTHER else OptOutKind.OBJECTION}"


def _last_purpose(call: CallState, status: Status) -> str:
    """What a no to the last purpose does: under a lock it deletes nothing."""
    if not status.recordings:
        return "opt_out.not_at_all"  # nothing to delete yet
    if status.opt_out.stays:
        return "opt_out.keeps" if call.phase is CallPhase.ENDED else "opt_out.stop_and_keep"
    return "opt_out.delete" if call.phase is CallPhase.ENDED else "opt_out.stop_and_delete"


def _opt_out_sub(speech: Speech, code: str) -> str:
    kind, status = speech.status.opt_out.kind, speech.status
    over = speech.call.phase is CallPhase.ENDED
    if status.opt_out.stays and kind in (OptOutKind.STOP_AND_DELETE, OptOutKind.SAID_NO):
        return f"opt_out.stays.{status.opt_out.stays}"
    if kind == OptOutKind.STOP_AND_DELETE and status.recordings and speech.lock():
        return "opt_out.stop_and_delete.locked"  # ours, and for training alone: such a lock does not stand against a no
    if kind == OptOutKind.TRAINING_ENDS:
        if speech.held_from_training:
            return "opt_out.training_ends.locked"  # the lock keeps training out for now; a no does for good
        if over:
            return "opt_out.training_ends.ended"
        if speech.phase(DOCUMENTATION) is PurposePhase.ASKED:
            return "opt_out.training_ends.asked"
        return f"{code}.sub" if _told(status) else "opt_out.training_ends.early"
    if kind == OptOutKind.SAID_NO:
        if len(speech.asked()) > 1:
            return "opt_out.said_no.both"
        if speech.phase(DOCUMENTATION) in (PurposePhase.PLANNED, PurposePhase.ACTIVE):
            return "opt_out.training_ends.sub"  # the question is on training, and so is the no
    if kind == OptOutKind.GROUNDS and over:
        return "opt_out.grounds.ended"
    if kind == OptOutKind.GROUNDS and speech.phase(TRAINING) is PurposePhase.PLANNED:
        return "opt_out.grounds.early"
    return f"{code}.sub"


def ended_by_opt_out(status: Status) -> Purpose | None:
    """The purpose whose yes the opt-out button takes back, or None if it does something else."""
    if status.opt_out.kind not in (OptOutKind.TRAINING_ENDS, OptOutKind.STOP_AND_DELETE):
        return None
    training = status.purposes.get(TRAINING)
    live = training is not None and training.phase not in (PurposePhase.OFF, PurposePhase.ENDED)
    return TRAINING if live else DOCUMENTATION


def _told_more(view: View, kind: str, party: str) -> str:
    """For the tooltip: what an agent may want to know before pressing."""
    code = f"opt_out.{kind}.why"
    return view.texts(code, party=party) if code in view.texts else ""


def dispute_words(view: View, call: CallState | None) -> ButtonWords:
    """What the dispute button would do to this call."""
    texts, status = view.texts, call.status if call else None
    if status is None or not view.connected:
        why = _why_not(view, status, None)
        return ButtonWords("lock", texts("dispute.none"), why, False, why)
    button, kind = status.dispute, status.dispute.kind
    title = texts(f"dispute.{kind}")
    unstored = kind in (DisputeKind.LOCK, DisputeKind.ARM) and nothing_stored(status)
    if not button.enabled or unstored:
        why = texts("why_not.nothing_kept") if unstored else _why_not(view, status, button)
        return ButtonWords("lock", title, _below(button, why), False, why)
    seconds = view.seconds_to(button.until)
    icon = "unlock" if kind == DisputeKind.UNDO else "lock"
    return ButtonWords(icon, title, texts(f"dispute.{kind}.sub", seconds=seconds, count=seconds), True, "")


def fits_a_button(party: str) -> bool:
    """Whether the policy's word for the party fits a button, even in the narrowest window."""
    return max((len(word) for word in party.split()), default=0) <= _LONGEST_ON_A_BUTTON


def _told(status: Status) -> bool:
    return status.notice is not None and status.notice.told is InformedPhase.INFORMED


def _below(button: OptOutButton | DisputeButton, why: str) -> str:
    """While it rings both are grey, and that says enough."""
    return "" if button.why_not == "not_answered" else why


def _why_not(view: View, status: Status | None, button: OptOutButton | DisputeButton | None) -> str:
    if not view.connected:
        return view.texts("why_not.no_engine")
    if status is None or button is None:
        return view.texts("why_not.no_call_yet")
    unclear = button.why_not == "objection_received" and "object" in status.actions
    code = "why_not.unclear" if unclear else f"why_not.{button.why_not}"
    return view.texts(code) if code in view.texts else view.texts("why_not.not_now")
