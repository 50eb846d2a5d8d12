"""What the moment needs, below the two buttons: answers, choices and presses in the slot, which never scrolls away; then what
happened, what to say, the notice.

The engine decides what a press does.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from softphone.domain.purpose import Language, Reason
from softphone.domain.status import Action, InformedPhase, Status
from softphone.ui.call.beside import Beside
from softphone.ui.call.choices import Answers, Choices
from softphone.ui.call.consultation import AskedToCall, ConsultationBox
from softphone.ui.call.notice import NoticeView
from softphone.ui.call.tiles import ActionButton
from softphone.ui.call.waiting import WaitingCall
from softphone.ui.controls import Control
from softphone.ui.fields import Card, TextLabel, high_at
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, MARGIN, SMALL
from softphone.ui.view import View, new_id, say_coded
from softphone.ui.words.moment import aside_lines, press_words, to_say, unclear_presses
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Act

KEYED = 4
"""this many of the moment's buttons have a key of their own: Alt+1 …"""
_PRESS_HEIGHT = 58


@dataclass(frozen=True, slots=True)
class Press:
    """A button of the moment: the action on the wire, the widget's name; `language`: the notice in another.

    It has no icon: those mark what stands on the page for the whole of a call.
    """

    action: Action
    name: str
    language: Language | None = None


_PRESSES: tuple[Press, ...] = (
    Press(Action.PERSON_ANSWERED, "personAnswered"),
    Press(Action.SAME_CALLER, "sameCaller"),
    Press(Action.NOTICE_READ, "noticeRead"),
    Press(Action.VOICEMAIL, "voicemail"),
    Press(Action.ASK_AGAIN, "askAgain"),
    Press(Action.DIGITS_OVER, "digitsOver"),
    Press(Action.RESUME, "resume"),
    Press(Action.MORE_TIME, "moreTime"),
    Press(Action.PLAY_AGAIN, "playAgain"),
    Press(Action.READ_INSTEAD, "readInstead"),
    *(
        Press(action, f"{name}{language.value.capitalize()}", language)
        for language in Language
        for action, name in ((Action.PLAY_AGAIN, "playAgain"), (Action.READ_INSTEAD, "readInstead"))
    ),
    Press(Action.FINISH_ORALLY, "finishOrally"),
    Press(Action.END_POLITELY, "endPolitely"),
    Press(Action.OBJECT, "unclearObject"),
    Press(Action.PARTY_ASKS_FOR_RECORDING, "unclearGoOn"),
)
_ASKED_FOR = (
    Action.PERSON_ANSWERED,
    Action.SAME_CALLER,
    Action.NOTICE_READ,
    Action.DIGITS_OVER,
    Action.RESUME,
    Action.PLAY_AGAIN,
    Action.END_POLITELY,
)
"""the press that gets on with the call: the first of these that stands there is filled, and no other"""
_ALSO_IN_THE_MENU = {Action.OBJECT, Action.PARTY_ASKS_FOR_RECORDING}
"""they also stand here while a no by keys or SIP is unclear: the answers to what was meant"""
PLACED = frozenset(press.action for press in _PRESSES) - _ALSO_IN_THE_MENU | {
    Action.PAUSE_SENSITIVE,
    Action.SAID_YES,
    Action.SAID_NO,
}
"""actions that have a place of their own on the page; the menu has the rest"""


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
    """What is to be read. `slot`, a widget of its own, has what is to be pressed. command(…): every command of the moment."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.consultation, self.asked_to_call = WaitingCall(), ConsultationBox(), AskedToCall()
        self.beside = Beside()
        self.answers = Answers()
        self.choices = Choices()
        self.presses = {press: ActionButton(press.name, height=_PRESS_HEIGHT) for press in _PRESSES}
        self.aside = TextLabel("aside", size=SMALL, wrap=True)
        self.to_say = Card("toSay")
        self.to_say_title = TextLabel(size=SMALL, role="muted")
        self.to_say_text = TextLabel("toSayText", size=BODY, wrap=True)
        self.notice = NoticeView()
        self.fault = Card("callFault", "fault")
        self.fault_text = TextLabel("callFaultText", size=SMALL, wrap=True)
        self._call: CallState | None = None
        self._low = False
        self._shown: list[ActionButton] = []
        self.slot = QWidget()
        self.slot.setObjectName("slot")
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        for press, button in self.presses.items():
            # Even without a place: a button without a parent is a window, and outlives this one.
            button.setParent(self.slot)
            button.hide()
            button.clicked.connect(lambda _checked=False, press=press: self._act(press))
        for part in (self.answers, self.choices, self.beside, *self._boxes()):
            part.command.connect(self.command)
        self.notice.opened.connect(self._yield)

        say = QVBoxLayout(self.to_say)
        say.setContentsMargins(12, 10, 12, 12)
        say.addWidget(self.to_say_title)
        say.addWidget(self.to_say_text)
        fault = QVBoxLayout(self.fault)
        fault.setContentsMargins(12, 8, 12, 8)
        fault.addWidget(self.fault_text)
        slot = QVBoxLayout(self.slot)
        slot.setContentsMargins(MARGIN, 0, MARGIN, 0)
        slot.setSpacing(10)
        for part in (self.waiting, self.asked_to_call, self.answers, self.choices):
            slot.addWidget(part)
        slot.addLayout(self._grid)
        slot.addWidget(self.consultation)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(10)
        layout.addWidget(self.fault)
        layout.addWidget(self.aside)
        layout.addWidget(self.to_say)
        layout.addWidget(self.notice, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.beside, 1)

    def first_presses(self) -> list[Control]:
        """The answers and buttons of the moment, for their keys."""
        boxes = [control for box in (self.waiting, self.asked_to_call) for control in box.controls()]
        return [*boxes, *self.answers.chips(), *self._shown, *self.consultation.controls()]

    def _boxes(self) -> tuple[WaitingCall, ConsultationBox, AskedToCall]:
        return self.waiting, self.consultation, self.asked_to_call

    def slot_height(self, width: int, *, low: bool) -> int:
        """px that the slot takes, 0 if the moment asks for nothing. `low`: with presses of one line."""
        rows = (len(self._shown) + 1) // 2
        saved = rows * px(_PRESS_HEIGHT - ActionButton.LOW) + sum(box.saved() for box in self._boxes())
        return high_at(self.slot, width) + (saved if self._low else 0) - (saved if low else 0)

    def be_low(self, wanted: bool) -> None:
        """In a window that has no room for a second line in each press. The tooltip has it."""
        if wanted != self._low:
            self._low = wanted
            for part in (*self.presses.values(), *self._boxes()):
                part.be_low(wanted)

    @property
    def asks(self) -> bool:
        """Whether something here waits for a press that is asked for."""
        return bool(self.answers.chips()) or any(button.is_filled for button in self._shown)

    def slot_chain(self) -> list[QWidget]:
        """All that can have the focus in the slot, in its order."""
        boxes = [control for box in (self.waiting, self.asked_to_call) for control in box.controls()]
        presses = [*self._shown, self.consultation, *self.consultation.controls()]
        return [*boxes, *self.answers.chips(), *self.choices.chips(), *presses]

    def tab_chain(self) -> list[QWidget]:
        """The same of what is to be read."""
        return [self.notice.fold, self.beside.note]

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        self.waiting.render_view(view)
        wanted = [press for press in _PRESSES if call.status is not None and _shown(call, call.status, press)]
        colleague, filled = view.consultation(call), _asked_for(call, wanted)
        if call.asked_to_call or (colleague is not None and not colleague.conference):
            filled = None  # the box above asks first
        is_first = filled is None and not reading(call)  # nothing is recorded before the text is read
        self.consultation.render_view(view, call, asks=is_first)
        self.asked_to_call.render_view(view, call)
        self.answers.render_view(view, call)
        self.choices.render_view(view, call)
        self._show_presses(view, call, wanted, filled)
        self.notice.render_view(view, call)
        # What the box above says is not said twice.
        aside = [line for line in aside_lines(view, call) if line != self.consultation.words.text()]
        self.aside.setText("\n".join(aside))
        self.aside.setVisible(bool(aside))
        sentence = to_say(view, call)
        self.to_say.setVisible(bool(sentence))
        self.to_say_title.setText(view.texts("say.title"))
        self.to_say_text.setText(sentence)
        fault = view.snapshot.sound.fault if view.snapshot else None
        self.fault.setVisible(fault is not None)
        if fault:
            self.fault_text.setText(say_coded(view.texts, fault))
        self.beside.render_view(view, call)
        self._yield()

    def _yield(self) -> None:
        """What stands beside the call gives way to what the call itself needs to show."""
        needed = self.notice.is_open or not (
            self.to_say.isHidden() and self.consultation.isHidden() and self.asked_to_call.isHidden()
        )
        self.beside.give_way(needed)

    def _show_presses(self, view: View, call: CallState, wanted: list[Press], filled: Press | None) -> None:
        status = call.status
        shown = [self.presses[press] for press in wanted]
        if shown != self._shown:
            self._place(shown)
        keyed = self.first_presses()
        for press, button in zip(wanted, shown, strict=True):
            assert status is not None
            place = keyed.index(button) + 1
            button.set_keys(f"Alt+{place}" if place <= KEYED else "")
            words = press_words(view, call, status, press.action, press.language)
            enabled = words.enabled and view.connected
            button.show_action(
                view,
                words.title,
                words.sub,
                enabled=enabled,
                why=words.why or ("" if view.connected else view.texts("why_not.no_engine")),
                filled=press is filled,
            )

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
        version = self._call.status.version
        self.command.emit(Act(new_id(), self._call.id, version, press.action, None, press.language))


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
    if press.action in _ALSO_IN_THE_MENU:
        return press.action in unclear_presses(status)
    return press.action in status.actions and press.action not in in_the_menu(call)


def _asked_for(call: CallState, shown: list[Press]) -> Press | None:
    """Nothing, if it stands there and cannot be made yet: then no other is what the moment asks for."""
    able = call.status.actions if call.status else ()
    plain = {press.action: press for press in shown if press.language is None}
    first = next((action for action in _ASKED_FOR if action in plain), None)
    return plain[first] if first is not None and first in able else None
