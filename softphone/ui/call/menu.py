"""The menu of what is seldom needed in a call. What it always holds keeps its place and says why it is off; the rest comes and
goes with the moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from softphone.domain.purpose import Basis, Language, Purpose
from softphone.domain.status import PurposePhase, Status
from softphone.ui.call.earlier import EarlierMenu
from softphone.ui.call.moment import PLACED, in_the_menu, other_languages, reading
from softphone.ui.controls import Change
from softphone.ui.view import View, new_id, upper_first, version
from softphone.ui.words.speech import Speech
from softphone.wire import Act, CallState

_LIVE = (PurposePhase.PLANNED, PurposePhase.ASKED, PurposePhase.ACTIVE)
_ALWAYS = ("new_person", "not_understood", "keep_out_of_training", "private_call")
_ICONS = {
    "new_person": "person",
    "not_understood": "language",
    "keep_out_of_training": "training_off",
    "private_call": "private",
    "voicemail": "voicemail",
    "digits_wanted": "keypad",
    "play_again": "repeat",
    "stop_notice": "close",
    "party_asks_for_recording": "record",
    "object": "hand",
    "note_request": "note",
    "withdraw_documentation": "hand",
    "withdraw_training": "hand",
}
_GROUPS = (
    ("digits_wanted", "stop_notice", "play_again", "voicemail"),
    _ALWAYS,
    ("note_request", "object", "withdraw_documentation", "withdraw_training", "party_asks_for_recording"),
)


@dataclass(frozen=True, slots=True)
class _Entry:
    action: str
    name: str
    words: str
    icon: str
    enabled: bool = True
    more: str = ""
    """for the tooltip"""
    language: Language | None = None


class MoreMenu(QMenu):
    """command(Act | LockEarlier)."""

    command = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("moreMenu")
        self.setToolTipsVisible(True)
        self._built: object = None
        self._change = Change()
        self._call: CallState | None = None
        self.earlier = EarlierMenu("more", self)
        self.earlier.command.connect(self.command)

    def render_view(self, view: View, call: CallState, *, able: bool) -> None:
        """`able`: the call is going on and the engine is there. Built anew only where it changes: it may be open."""
        self._call = call
        self.earlier.render_view(view, call)
        groups: list[tuple[_Entry, ...]] = _groups(view, call) if able and call.status is not None else []
        wanted = (able, groups, view.theme.dark)
        if wanted == self._built:
            return
        self._built = wanted
        if self.isVisible():
            self._change.happened()  # another entry may have come under the hand
        self.clear()
        for group in groups:
            if self.actions():
                self.addSeparator()
            for entry in group:
                action = QAction(view.icons.icon(entry.icon, view.theme.text, 18), entry.words, self)
                action.setObjectName(entry.name)
                action.setEnabled(entry.enabled)
                action.setToolTip(entry.more or entry.words)
                action.triggered.connect(partial(self._act, entry))
                self.addAction(action)
        if able:
            self.addSeparator()
            self.addMenu(self.earlier)

    def _act(self, entry: _Entry, _checked: bool = False) -> None:
        if self._call and not self._change.is_fresh:
            act = Act(new_id(), self._call.id, version(self._call.status), entry.action, None, entry.language)
            self.command.emit(act)


def _groups(view: View, call: CallState) -> list[tuple[_Entry, ...]]:
    assert call.status is not None
    offered = call.status.actions
    placed = PLACED - in_the_menu(call)
    known = [action for group in _GROUPS for action in group]
    groups = [*_GROUPS[:-1], (*_GROUPS[-1], *(action for action in offered if action not in known))]
    made: list[tuple[_Entry, ...]] = []
    for group in groups:
        entries: list[_Entry] = []
        for action in group:
            if action in offered and action not in placed:
                entries.append(_entry(view, call, action))
            elif action in _ALWAYS:
                entries.append(_off(view, call, call.status, action))
            if action == "play_again" and reading(call):
                entries += [_entry(view, call, action, one) for one in other_languages(call, action)]
        if entries:
            made.append(tuple(entries))
    return made


def _entry(view: View, call: CallState, action: str, language: Language | None = None) -> _Entry:
    party = view.party(call)
    words = {"party": party, "Party": upper_first(party)}
    icon = _ICONS.get(action, "note")
    if language is not None:
        told = view.texts(f"action.{action}.language", language=view.texts(f"language.{language}"))
        return _Entry(action, f"action_{action}_{language}", told, icon, language=language)
    return _Entry(action, f"action_{action}", view.texts(f"action.{action}", **words), icon)


def _off(view: View, call: CallState, status: Status, action: str) -> _Entry:
    """It cannot be done now: dimmed, and why stands behind it."""
    entry = _entry(view, call, action)
    code = _why_off(Speech(view, call, status), action)
    told = f"{entry.words} – {view.texts(code)}"
    more = f"{told}. {view.texts(f'{code}.more')}" if f"{code}.more" in view.texts else ""
    return _Entry(action, entry.name, told, entry.icon, enabled=False, more=more)


def _why_off(speech: Speech, action: str) -> str:
    documentation = speech.status.purposes.get(Purpose.DOCUMENTATION)
    obliged = documentation is not None and documentation.basis is Basis.LEGAL_OBLIGATION
    live = any(speech.phase(purpose) in _LIVE for purpose in Purpose)
    if action == "private_call" and obliged and live:
        return "why_not.private_obligation"
    if action == "keep_out_of_training":
        return "why_not.no_training"
    if not live:
        return "why_not.nothing_recorded"
    return "why_not.notice_first" if action in ("new_person", "not_understood") else "why_not.not_now"
