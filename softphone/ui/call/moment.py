"""What the moment needs, below the two buttons: a choice in place, the presses of this moment, the notice, a sentence to say."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.purpose import Basis, Purpose
from softphone.domain.status import Choice, PurposePhase, Status, Told
from softphone.ui.controls import ActionButton, Chip, QuietButton
from softphone.ui.fields import Card, Words
from softphone.ui.theme.style import BODY, MARGIN, READ_ALOUD, SMALL, font
from softphone.ui.view import View, new_id, upper_first
from softphone.ui.words import fits_a_button
from softphone.wire import Act, CallPhase, CallState, Choose, NoticeText

_READ_ALOUD_CHARACTERS = 55
_PRESSES: tuple[tuple[str, str, str], ...] = (
    # action on the wire, the widget's name, icon
    ("person_answered", "personAnswered", "person"),
    ("notice_read", "noticeRead", "check"),
    ("voicemail", "voicemail", "voicemail"),
    ("said_yes", "saidYes", "check"),
    ("ask_again", "askAgain", "repeat"),
    ("resume", "resume", "record"),
    ("more_time", "moreTime", "plus_time"),
    ("play_again", "playAgain", "repeat"),
    ("read_instead", "readInstead", "read"),
    ("finish_orally", "finishOrally", "quote"),
)
PLACED = frozenset(action for action, _, _ in _PRESSES) | {"pause_sensitive", "said_no"}
"""actions that have a place of their own on the page (*said no* is the opt-out button's); the rest is in the menu"""


def reading(call: CallState) -> bool:
    status = call.status
    return status is not None and status.notice is not None and status.notice.told is Told.READING


def in_the_menu(call: CallState) -> frozenset[str]:
    """Placed actions that the menu holds for now: a text to be read aloud needs the room of a second row."""
    crowded = reading(call) and call.status is not None and "voicemail" in call.status.actions
    return frozenset({"play_again"}) if crowded else frozenset()


class ChoiceRow(QWidget):
    """A choice that remains, as buttons in place. chosen(choice, option)."""

    chosen = Signal(str, str)

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.setObjectName(f"choice_{choice.id}")
        self._choice = choice
        self.question = Words(size=SMALL, role="muted", wrap=True)
        self.options = {option: Chip(f"choice_{choice.id}_{option}") for option in choice.options}
        row = self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(8)
        for option, chip in self.options.items():
            chip.setCheckable(True)
            chip.clicked.connect(lambda _checked=False, option=option: self._press(option))
            row.addWidget(chip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.question)
        layout.addLayout(row)

    def render_view(self, view: View, choice: Choice, party: str) -> None:
        self._choice = choice
        words = {"party": party, "Party": upper_first(party)}
        self.question.setText(view.texts(f"choice.{choice.id}", **words))
        for option, chip in self.options.items():
            chip.setChecked(option == (choice.chosen or choice.default))
            told = "" if option != choice.default else view.texts("choice.default")
            chip.show_as(view, view.texts(f"choice.{choice.id}.{option}", **words), enabled=view.connected, why=told)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Side by side where both can be read so, else one below the other."""
        needed = sum(chip.sizeHint().width() for chip in self.options.values()) + 8 * (len(self.options) - 1)
        narrow = needed > self.width()
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def _press(self, option: str) -> None:
        # What is chosen is the engine's to say: the mark moves with the next snapshot.
        for name, chip in self.options.items():
            chip.setChecked(name == (self._choice.chosen or self._choice.default))
        self.chosen.emit(self._choice.id, option)


class Choices(QWidget):
    """All choices of a call. command(Choose)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[tuple[str, tuple[str, ...]], ChoiceRow] = {}
        self._call: CallState | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        wanted = {(choice.id, choice.options): choice for choice in call.status.choices} if call.status else {}
        for key in [key for key in self._rows if key not in wanted]:
            row = self._rows.pop(key)
            self._layout.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        for key, choice in wanted.items():
            if key not in self._rows:
                row = self._rows[key] = ChoiceRow(choice)
                row.chosen.connect(self._choose)
                self._layout.addWidget(row)
                row.show()
            self._rows[key].render_view(view, choice, view.party(call))
        self.setVisible(bool(wanted))

    def chips(self) -> list[Chip]:
        """The buttons as they stand, in their order."""
        return [chip for row in self._rows.values() for chip in row.options.values()]

    def _choose(self, choice: str, option: str) -> None:
        if self._call and self._call.status:
            self.command.emit(Choose(new_id(), self._call.id, self._call.status.version, choice, option))


class Moment(QWidget):
    """command(Act | Choose)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.choices = Choices()
        self.presses = {action: ActionButton(name) for action, name, _ in _PRESSES}
        self.said_yes_training = ActionButton("saidYesTraining")
        self.to_say = Card("toSay")
        self.to_say_title = Words(size=SMALL, role="muted")
        self.to_say_text = Words("toSayText", size=BODY, wrap=True)
        self.notice = NoticeView()
        self.fault = Card("callFault", "fault")
        self.fault_text = Words("callFaultText", size=SMALL, wrap=True)
        self._call: CallState | None = None
        self._shown: list[ActionButton] = []
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        for action, button in self.presses.items():
            button.hide()
            button.clicked.connect(lambda _checked=False, action=action: self._act(action))
        self.said_yes_training.hide()
        self.said_yes_training.clicked.connect(lambda: self._act("said_yes", Purpose.TRAINING))

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
        layout.addWidget(self.choices)
        layout.addLayout(self._grid)
        layout.addWidget(self.fault)
        layout.addWidget(self.to_say)
        layout.addWidget(self.notice)
        layout.addStretch(1)

    def first_presses(self) -> list[ActionButton]:
        """The buttons of the moment as they stand, for their shortcuts."""
        return self._shown

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in the page's order."""
        return [*self.choices.chips(), *self._shown, self.notice.fold]

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        self.choices.render_view(view, call)
        self._show_presses(view, call)
        self.notice.render_view(view, call)
        sentence = self._sentence(view, call)
        self.to_say.setVisible(bool(sentence))
        self.to_say_title.setText(view.texts("say.title"))
        self.to_say_text.setText(sentence)
        fault = view.snapshot.sound.fault if view.snapshot else None
        self.fault.setVisible(fault is not None)
        if fault:
            self.fault_text.setText(view.texts(fault.code, **fault.params))

    def _show_presses(self, view: View, call: CallState) -> None:
        status = call.status
        actions = set(status.actions) if status and call.phase is CallPhase.CONNECTED else set[str]()
        if reading(call):
            actions |= {"notice_read"}
        actions -= in_the_menu(call)
        shown: list[ActionButton] = []
        for action, _, icon in _PRESSES:
            button = self.presses[action]
            if action not in actions or status is None:
                button.hide()
                continue
            title, sub, why, enabled = self._press_words(view, call, status, action)
            button.show_action(view, title, sub, icon=icon, enabled=enabled and view.connected, why=why)
            shown.append(button)
            if action == "said_yes" and len(_asked(status)) > 1:
                told = view.texts("press.said_yes.training"), view.texts("press.said_yes.sub.training")
                self.said_yes_training.show_action(view, *told, icon=icon, enabled=view.connected)
                shown.append(self.said_yes_training)
        if shown != self._shown:
            for button in [*self.presses.values(), self.said_yes_training]:
                self._grid.removeWidget(button)
                button.setVisible(button in shown)
            for i, button in enumerate(shown):
                wide = len(shown) % 2 == 1 and i == len(shown) - 1
                self._grid.addWidget(button, i // 2, i % 2, 1, 2 if wide else 1)
                button.show()
            self._shown = shown
        for i, button in enumerate(shown[:2]):
            button.set_keys(f"Ctrl+{i + 1}")

    def _press_words(self, view: View, call: CallState, status: Status, action: str) -> tuple[str, str, str, bool]:
        party = view.party(call)
        words: dict[str, object] = {"party": party, "Party": upper_first(party)}
        if action == "notice_read" and status.notice and "notice_read" not in status.actions:
            left = view.seconds_to(status.notice.readable_at)
            sub = view.texts("press.notice_read.wait", seconds=max(1, left), count=max(1, left))
            return view.texts("press.notice_read"), sub, view.texts("press.notice_read.why"), False
        sub = f"press.{action}.sub"
        if action == "said_yes":
            asked = _asked(status)
            sub = f"{sub}.{asked[0]}" if asked else sub
            if not fits_a_button(party):
                return view.texts("press.said_yes.short"), view.texts(sub, **words), "", True
        return view.texts(f"press.{action}", **words), view.texts(sub, **words), "", True

    def _sentence(self, view: View, call: CallState) -> str:
        """What to say where the party asks for what cannot be done."""
        status = call.status
        if status is None or call.phase is not CallPhase.CONNECTED or "request_noted" not in status.notes:
            return ""
        documentation = status.purposes.get(Purpose.DOCUMENTATION)
        obliged = documentation is not None and documentation.basis is Basis.LEGAL_OBLIGATION
        return view.texts("say.obligation" if obliged else "say.noted")

    def _act(self, action: str, purpose: Purpose | None = None) -> None:
        if self._call is None or self._call.status is None:
            return
        if action == "said_yes" and purpose is None:
            purpose = next(iter(_asked(self._call.status)), None)
        self.command.emit(Act(new_id(), self._call.id, self._call.status.version, action, purpose))


class NoticeView(QWidget):
    """The notice: its words marked as they are said; large, to be read aloud; folded once it has been heard."""

    def __init__(self) -> None:
        super().__init__()
        self.fold = QuietButton("noticeFold", size=14)
        self.card = Card("noticeCard")
        self.caption = Words("noticeCaption", size=SMALL, role="muted")
        self.text = Words("noticeText", wrap=True)
        self._open = False
        self._line = ""
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(14, 10, 14, 12)
        inside.setSpacing(6)
        inside.addWidget(self.caption)
        inside.addWidget(self.text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.card)
        self.fold.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.fold.clicked.connect(self._toggle)

    def _toggle(self) -> None:
        self._open = not self._open
        self.card.setVisible(self._open)

    def render_view(self, view: View, call: CallState) -> None:
        notice = call.status.notice if call.status else None
        text = call.notice
        if notice is None or text is None or call.phase is not CallPhase.CONNECTED:
            self.setVisible(False)
            self._open = False
            return
        self.setVisible(True)
        party = view.party(call)
        words = {"party": party, "Party": upper_first(party)}
        playing, reading = notice.told is Told.PLAYING, notice.told is Told.READING
        folded = not (playing or reading)
        self.fold.setVisible(folded)
        self.card.setVisible(not folded or self._open)
        if folded:
            at = view.texts.clock(notice.heard_at) if notice.heard_at else ""
            state = view.texts("notice.told" if at else "notice.not_told", time=at, **words)
            show = view.texts("notice.hide" if self._open else "notice.show")
            self.fold.show_as(view, f"{state} · {show}", icon="up" if self._open else "down", name=f"{state}. {show}")
            self.fold.updateGeometry()
            self.caption.setText(view.texts("notice.caption"))
        else:
            self._open = False
            self.caption.setText(view.texts("notice.playing", **words))
        self.caption.setVisible(not reading)
        self.text.setFont(font(READ_ALOUD if reading else BODY))
        width = QFontMetricsF(self.text.font()).averageCharWidth() * _READ_ALOUD_CHARACTERS
        self.text.setMaximumWidth(round(width))
        started = notice.started_at
        said = (view.now - started).total_seconds() if playing and started else None
        line = marked(text, said, view) if said is not None and text.words else html.escape(text.text)
        if line != self._line:
            self._line = line
            self.text.setTextFormat(Qt.TextFormat.RichText)
            self.text.setText(line)
            self.text.setAccessibleName(text.text)


def marked(text: NoticeText, said: float, view: View) -> str:
    """The notice as rich text at `said` seconds from its start: what has been said, the words being said, what is to come.

    Only colours change, never weight: the lines must not move while somebody reads along.
    """
    now = next((word for word in text.words if word.at <= said < word.until), None)
    done = max([word.end for word in text.words if word.until <= said], default=0)
    start, end = (now.start, now.end) if now else (done, done)
    theme = view.theme
    parts = [
        f'<span style="color:{theme.text}">{html.escape(text.text[:start])}</span>',
        f'<span style="color:{theme.amber.ink};background-color:{theme.amber.fill}">{html.escape(text.text[start:end])}</span>',
        f'<span style="color:{theme.muted}">{html.escape(text.text[end:])}</span>',
    ]
    return "".join(parts)


def _asked(status: Status) -> list[Purpose]:
    return [
        purpose
        for purpose in Purpose
        if purpose in status.purposes and status.purposes[purpose].phase is PurposePhase.ASKED
    ]
