"""The menu of what is seldom needed in a call. It grows upward from its foot.

Entries that this call always has keep their place at the foot, off while they cannot be used. Those that come and go stand
above. An entry that ends something for good says so below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from softphone.domain.status import Action, PurposePhase, Status
from softphone.ui.call.earlier import EarlierMenu
from softphone.ui.call.moment import PLACED, in_the_menu, other_languages, reading
from softphone.ui.controls import Change
from softphone.ui.rows import Entry, RowMenu
from softphone.ui.view import View, new_id, upper_first, version
from softphone.ui.words.rights import nothing_stored
from softphone.ui.words.speech import DOCUMENTATION, TRAINING, Speech
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Act

_LIVE = (PurposePhase.PLANNED, PurposePhase.ASKED, PurposePhase.ACTIVE)
_ICONS = {
    Action.NEW_PERSON: "person",
    Action.NOT_UNDERSTOOD: "language",
    Action.KEEP_OUT_OF_TRAINING: "training_off",
    Action.PRIVATE_CALL: "private",
    Action.VOICEMAIL: "voicemail",
    Action.DIGITS_WANTED: "keypad",
    Action.PLAY_AGAIN: "repeat",
    Action.STOP_NOTICE: "close",
    Action.PARTY_ASKS_FOR_RECORDING: "record",
    Action.OBJECT: "hand",
    Action.NOTE_REQUEST: "note",
    Action.WITHDRAW_DOCUMENTATION: "hand",
    Action.WITHDRAW_TRAINING: "hand",
}
_GROUPS = (
    (Action.PLAY_AGAIN, Action.STOP_NOTICE, Action.VOICEMAIL, Action.DIGITS_WANTED),
    (Action.NEW_PERSON, Action.NOT_UNDERSTOOD, Action.KEEP_OUT_OF_TRAINING, Action.PRIVATE_CALL),
    (
        Action.NOTE_REQUEST,
        Action.OBJECT,
        Action.WITHDRAW_DOCUMENTATION,
        Action.WITHDRAW_TRAINING,
        Action.PARTY_ASKS_FOR_RECORDING,
    ),
)
_ALWAYS = (Action.DIGITS_WANTED, *_GROUPS[1])


@dataclass(frozen=True, slots=True)
class _MenuEntry:
    """An entry as it is shown. `below`: what a press would end, or why it is off."""

    action: Action
    name: str
    words: str
    below: str
    icon: str
    enabled: bool
    more: str = ""
    """for the tooltip"""
    language: Language | None = None


class MoreMenu(RowMenu):
    """command(Act | LockEarlier), quality(): the connection's figures are asked for."""

    command = Signal(object)
    quality = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("moreMenu")
        self._built: object = None
        self._change = Change()
        self._call: CallState | None = None
        self.earlier = EarlierMenu("more", self)
        self.earlier.command.connect(self.command)
        self.connection = Entry(self, "moreQuality")
        self.connection.triggered.connect(lambda: self.quality.emit())

    def render_view(self, view: View, call: CallState, *, able: bool) -> None:
        """`able`: the call is going on and the engine is there. Rebuilt only where it changes, since it may be open. It closes
        with its call: what is chosen in it is meant for that one."""
        if self._call is not None and self._call.id != call.id:
            self._change.happened()
            self.close()
        self._call = call
        self.earlier.render_view(view, call)
        known = call.quality is not None and view.connected
        words = view.texts("quality.connection") if known else view.texts("quality.not_yet")
        why = view.texts("quality.menu.why")
        self.connection.show_as(view, words, "", icon="signal", enabled=known, more=why)
        groups = [group for group in _groups(view, call) if group] if able and call.status is not None else []
        wanted = (able, groups, view.theme.dark)
        if wanted == self._built:
            return
        self._built = wanted
        if self.isVisible():
            self._change.happened()  # another entry may have come under the hand
        self.removeAction(self.connection)  # what stands in it when it is cleared, and is its own, goes
        self.clear()
        for group in groups:
            if self.actions():
                self.addSeparator()
            for one in group:
                entry = Entry(self, one.name)
                entry.show_as(view, one.words, one.below, icon=one.icon, enabled=one.enabled, more=one.more)
                entry.triggered.connect(partial(self._act, one))
                self.addAction(entry)
        if able:
            self.addSeparator()
            self.addMenu(self.earlier)
            self.addAction(self.connection)

    def _act(self, one: _MenuEntry, _checked: bool = False) -> None:
        if self._call and not self._change.is_fresh:
            act = Act(new_id(), self._call.id, version(self._call.status), one.action, None, one.language)
            self.command.emit(act)


def _groups(view: View, call: CallState) -> list[list[_MenuEntry]]:
    assert call.status is not None
    speech = Speech(view, call, call.status)
    known = [action for group in _GROUPS for action in group]
    rest = tuple(action for action in call.status.actions if action not in known and action not in PLACED)
    return [
        [entry for action in group if _stands(speech, action) for entry in _entries(view, speech, action)]
        for group in (*_GROUPS[:-1], (*_GROUPS[-1], *rest))
    ]


def _stands(speech: Speech, action: Action) -> bool:
    """Whether this call has such an entry at all. Its plan decides, which does not change during the call. Only the two at
    the top come and go with the notice."""
    status, call = speech.status, speech.call
    placed = PLACED - in_the_menu(call)
    bases = {purpose: state.basis for purpose, state in status.purposes.items()}
    if action in _ALWAYS or (action in status.actions and action not in PLACED):
        return True
    if action in (Action.STOP_NOTICE, Action.PLAY_AGAIN):
        return action in status.actions and (action not in placed or reading(call))
    if action == Action.VOICEMAIL:
        return call.direction is Direction.OUTBOUND or action in status.actions
    if action == Action.NOTE_REQUEST:
        return speech.has(Reason.SPECIAL_CIRCUMSTANCES)
    if action == Action.OBJECT:
        return (basis := bases.get(DOCUMENTATION)) is not None and basis.can_be_objected_to
    if action.startswith("withdraw_"):
        return bases.get(Purpose(action.removeprefix("withdraw_"))) is Basis.CONSENT
    return any(basis is not None for basis in bases.values())  # the party asks for recording


def _entries(view: View, speech: Speech, action: Action) -> Iterator[_MenuEntry]:
    party, enabled = view.party(speech.call), action in speech.status.actions
    enabled = enabled and not (action == Action.OBJECT and nothing_stored(speech.status))
    words = view.texts(f"action.{action}", party=party, Party=upper_first(party))
    below, more = speech.say(code) if (code := _for_good(speech, action)) else "", ""
    if not enabled:
        code = _why_off(speech, action)
        below = view.texts(code)
        more = f"{words} – {below}. {view.texts(f'{code}.more')}" if f"{code}.more" in view.texts else ""
    icon = _ICONS.get(action, "note")
    if action != Action.PLAY_AGAIN or action in in_the_menu(speech.call):
        yield _MenuEntry(action, f"action_{action}", words, below, icon, enabled, more)
    for one in other_languages(speech.call, action) if reading(speech.call) else ():
        text = view.texts(f"action.{action}.language", language=view.texts(f"language.{one}"))
        yield _MenuEntry(action, f"action_{action}_{one}", text, "", icon, enabled, language=one)


def _for_good(speech: Speech, action: Action) -> str:
    """The code of what a press would delete, or end for good; empty if neither."""
    live = [purpose for purpose in Purpose if speech.phase(purpose) in _LIVE]
    obliged = _obliged(speech.status) and DOCUMENTATION in live
    there = bool(speech.status.recordings) and speech.status.kept
    all_of_it = "for_good.deletes" if there else "for_good.not_recorded"
    match action:
        case Action.PRIVATE_CALL:
            return all_of_it
        case Action.NOT_UNDERSTOOD | Action.VOICEMAIL if there and not obliged:
            return "for_good.deletes"
        case Action.VOICEMAIL:
            return "for_good.not_recorded"
        case Action.KEEP_OUT_OF_TRAINING | Action.WITHDRAW_TRAINING:
            return "for_good.training" if DOCUMENTATION in live else all_of_it
        case Action.WITHDRAW_DOCUMENTATION:
            return "for_good.documentation" if TRAINING in live else all_of_it
        case Action.OBJECT:
            return "for_good.objection"
        case _:
            return ""


def _obliged(status: Status) -> bool:
    documentation = status.purposes.get(DOCUMENTATION)
    return documentation is not None and documentation.basis is Basis.LEGAL_OBLIGATION


def _why_off(speech: Speech, action: Action) -> str:
    live = any(speech.phase(purpose) in _LIVE for purpose in Purpose)
    if action == Action.PRIVATE_CALL and _obliged(speech.status) and live:
        return "why_not.private_obligation"
    if action == Action.KEEP_OUT_OF_TRAINING or (
        action == Action.WITHDRAW_TRAINING and speech.phase(TRAINING) not in _LIVE
    ):
        return "why_not.no_training"
    if action == Action.OBJECT and "objection_received" in speech.status.notes:
        return "why_not.objection_received"
    if action == Action.NOTE_REQUEST and "request_noted" in speech.status.notes:
        return "why_not.request_noted"
    if action == Action.PARTY_ASKS_FOR_RECORDING:
        return "why_not.after_a_no"
    if not live or (action == Action.OBJECT and nothing_stored(speech.status)):
        return "why_not.nothing_recorded"
    return "why_not.notice_first" if action in (Action.NEW_PERSON, Action.NOT_UNDERSTOOD) else "why_not.not_now"
