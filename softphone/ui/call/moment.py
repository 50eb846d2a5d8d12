"""What the moment needs, below the two buttons: answers and choices in place, presses, what happened, what to say, the
notice.

The engine decides what a press does.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.status import Action, InformedPhase, PurposePhase, Status
from softphone.ui.call.choices import Answers, Choices
from softphone.ui.call.notice import NoticeView
from softphone.ui.controls import ActionButton, Control
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, MARGIN, SMALL
from softphone.ui.view import View, new_id
from softphone.ui.words.moment import answers_wanted, aside_lines, press_words, to_say, unclear_presses
from softphone.wire import Act, CallPhase, CallState

KEYED = 4
"""this many of the moment's buttons have a key of their own: Ctrl+1 …"""


@dataclass(frozen=True, slots=True)
class Press:
    """A button of the moment: the action on the wire, the widget's name, its icon; `language`: the notice in another."""

    action: Action
    name: str
    icon: str
    language: Language | None = None


_PRESSES: tuple[Press, ...] = (
    Press(Action.PERSON_ANSWERED, "personAnswered", "person"),
    Press(Action.SAME_CALLER, "sameCaller", "person"),
    Press(Action.NOTICE_READ, "noticeRead", "check"),
    Press(Action.VOICEMAIL, "voicemail", "voicemail"),
    Press(Action.SAID_YES, "saidYes", "check"),
    Press(Action.ASK_AGAIN, "askAgain", "repeat"),
    Press(Action.DIGITS_OVER, "digitsOver", "keypad"),
    Press(Action.RESUME, "resume", "record"),
    Press(Action.MORE_TIME, "moreTime", "plus_time"),
    Press(Action.PLAY_AGAIN, "playAgain", "repeat"),
    Press(Action.READ_INSTEAD, "readInstead", "read"),
    *(
        Press(action, f"{name}{language.value.capitalize()}", icon, language)
        for language in Language
        for action, name, icon in (
            (Action.PLAY_AGAIN, "playAgain", "language"),
            (Action.READ_INSTEAD, "readInstead", "read"),
        )
    ),
    Press(Action.FINISH_ORALLY, "finishOrally", "quote"),
    Press(Action.END_POLITELY, "endPolitely", "hang_up"),
    Press(Action.OBJECT, "unclearObject", "hand"),
    Press(Action.PARTY_ASKS_FOR_RECORDING, "unclearGoOn", "record"),
)
_ALSO_IN_THE_MENU = {Action.OBJECT, Action.PARTY_ASKS_FOR_RECORDING}
"""they also stand here while a no by keys or SIP is unclear: the answers to what was meant"""
PLACED = frozenset(press.action for press in _PRESSES) - _ALSO_IN_THE_MENU | {Action.PAUSE_SENSITIVE, Action.SAID_NO}
"""actions that have a place of their own on the page (*said no*: the opt-out button, or an answer); the menu has the rest"""


def reading(call: CallState) -> bool:
    status = call.status
    return status is not None and status.notice is not None and status.notice.told is InformedPhase.READING


def in_the_menu(call: CallState) -> frozenset[Action]:
    """Placed actions that the menu holds for now: a text to be read aloud needs the second row, and once a person has
    answered nobody asks about a machine."""
    actions = frozenset(call.status.actions) if call.status else frozenset[Action]()
    if reading(call):
        return actions & ({Action.PLAY_AGAIN} if Action.VOICEMAIL in actions else set[Action]())
    return actions & (set[Action]() if Action.PERSON_ANSWERED in actions else {Action.VOICEMAIL})


def other_languages(call: CallState, action: Action) -> tuple[Language, ...]:
    """The languages in which this action too can give the notice."""
    able = (
        call.status is not None and action in call.status.actions and action in (Action.PLAY_AGAIN, Action.READ_INSTEAD)
    )
    return call.other_languages if able else ()


class Moment(QWidget):
    """command(Act | Choose)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.answers = Answers()
        self.choices = Choices()
        self.presses = {press: ActionButton(press.name) for press in _PRESSES}
        self.aside = TextLabel("aside", size=SMALL, wrap=True)
        self.to_say = Card("toSay")
        self.to_say_title = TextLabel(size=SMALL, role="muted")
        self.to_say_text = TextLabel("toSayText", size=BODY, wrap=True)
        self.notice = NoticeView()
        self.fault = Card("callFault", "fault")
        self.fault_text = TextLabel("callFaultText", size=SMALL, wrap=True)
        self._call: CallState | None = None
        self._shown: list[ActionButton] = []
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        for press, button in self.presses.items():
            # Even without a place: a button without a parent is a window, and outlives this one.
            button.setParent(self)
            button.hide()
            button.clicked.connect(lambda _checked=False, press=press: self._act(press))
        self.answers.command.connect(self.command)
        self.choices.command.connect(self.command)

        say = QVBoxLayout(self.to_say)
        say.setContentsMargins(12, 10, 12, 12)
        say.addWidget(self.to_say_title)
        say.addWidget(self.to_say_text)
        fault = QVBoxLayout(self.fault)
        fault.setContentsMargins(12, 8, 12, 8)
        fault.addWidget(self.fault_text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(10)
        layout.addWidget(self.answers)
        layout.addWidget(self.choices)
        layout.addLayout(self._grid)
        layout.addWidget(self.fault)
        layout.addWidget(self.aside)
        layout.addWidget(self.to_say)
        layout.addWidget(self.notice)
        layout.addStretch(1)

    def first_presses(self) -> list[Control]:
        """The answers and buttons of the moment, for their keys."""
        return [*self.answers.chips(), *self._shown]

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in the page's order."""
        return [*self.answers.chips(), *self.choices.chips(), *self._shown, self.notice.fold]

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        self.answers.render_view(view, call)
        self.choices.render_view(view, call)
        self._show_presses(view, call)
        self.notice.render_view(view, call)
        aside = aside_lines(view, call)
        self.aside.setText("\n".join(aside))
        self.aside.setVisible(bool(aside))
        sentence = to_say(view, call)
        self.to_say.setVisible(bool(sentence))
        self.to_say_title.setText(view.texts("say.title"))
        self.to_say_text.setText(sentence)
        fault = view.snapshot.sound.fault if view.snapshot else None
        self.fault.setVisible(fault is not None)
        if fault:
            self.fault_text.setText(view.texts(fault.code, **fault.params))

    def _show_presses(self, view: View, call: CallState) -> None:
        status = call.status
        wanted = [press for press in _PRESSES if status is not None and _shown(call, status, press)]
        shown = [self.presses[press] for press in wanted]
        if shown != self._shown:
            self._place(shown)
        keyed = self.first_presses()
        for press, button in zip(wanted, shown, strict=True):
            assert status is not None
            place = keyed.index(button) + 1
            button.set_keys(f"Ctrl+{place}" if place <= KEYED else "")
            words = press_words(view, call, status, press.action, press.language)
            enabled = words.enabled and view.connected
            button.show_action(view, words.title, words.sub, icon=press.icon, enabled=enabled, why=words.why)

    def _place(self, shown: list[ActionButton]) -> None:
        for button in self.presses.values():
            self._grid.removeWidget(button)
            button.setVisible(button in shown)
        for i, button in enumerate(shown):
            wide = len(shown) % 2 == 1 and i == len(shown) - 1
            self._grid.addWidget(button, i // 2, i % 2, 1, 2 if wide else 1)
            button.show()
        self._shown = shown

    def _act(self, press: Press) -> None:
        if self._call is None or self._call.status is None:
            return
        status = self._call.status
        purpose = _asked(status) if press.action == Action.SAID_YES else None
        self.command.emit(Act(new_id(), self._call.id, status.version, press.action, purpose, press.language))


def _shown(call: CallState, status: Status, press: Press) -> bool:
    """Whether the button stands there. Some stand there before they can be pressed, so that they do not come under the hand."""
    if call.phase is not CallPhase.CONNECTED:
        return False
    if press.language is not None:
        return press.language in other_languages(call, press.action) and not reading(call)
    if press.action == Action.NOTICE_READ:
        return reading(call)
    if press.action == Action.MORE_TIME and Reason.SENSITIVE in status.pauses and status.until is not None:
        return True
    if press.action == Action.SAID_YES and answers_wanted(call):
        return False
    if press.action in _ALSO_IN_THE_MENU:
        return press.action in unclear_presses(status)
    return press.action in status.actions and press.action not in in_the_menu(call)


def _asked(status: Status) -> Purpose | None:
    phases = status.purposes
    return next((p for p in Purpose if p in phases and phases[p].phase is PurposePhase.ASKED), None)
