"""The review's window: header, panel, list and the open recording, and the keys for all of it. It asks no archive."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from softphone.domain.archive.reviews import SampleFilter
from softphone.ui.controls import QuietButton
from softphone.ui.fields import Card, ComboBox, TextLabel, chain
from softphone.ui.note import Note
from softphone.ui.review.detail import Detail
from softphone.ui.review.panel import Panel
from softphone.ui.review.pills import Pill
from softphone.ui.review.samples import SampleList, SampleModel
from softphone.ui.review.undo import Undo
from softphone.ui.theme.style import GAP, MARGIN, NAME, SMALL
from softphone.ui.view import View

WIDTH, HEIGHT = 1180, 740
NARROWEST, LOWEST = 900, 640
_FRAME = 40
"""px of a screen's height for the window's own frame"""
_TYPED = 250
"""ms without a key after which the search begins"""
_KEYS = {
    "Space": "play",
    "Left": "back",
    "Right": "on",
    "C": "comment",
    ",": "comment_before",
    ".": "comment_after",
    "D": "share",
    "R": "reviewed",
    "Z": "undo",
    "N": "next",
    "S": "speed",
    "K": "skip",
    "V": "filter",
    "?": "keys",
    "Escape": "escape",
}


class _Teams(ComboBox):
    """A team is chosen in the opened list alone: an arrow in passing must not let go of the open recording."""

    OPENS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)

    def event(self, event: QEvent) -> bool:
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() in self.OPENS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in self.OPENS:
            self.showPopup()
        else:
            super().keyPressEvent(event)


class ReviewWindow(QWidget):
    """key(what): a key of the page was pressed. digit(n). searched(text), shown(Shown), team(id), look(), closed()."""

    key = Signal(str)
    digit = Signal(int)
    searched = Signal(str)
    shown = Signal(object)
    team = Signal(str)
    look = Signal()
    closed = Signal()

    def __init__(self, *, agent: bool = False) -> None:
        """`agent`: what is shared with the calls' own."""
        super().__init__()
        self.setObjectName("desk")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(NARROWEST, LOWEST)
        self.fit(self.screen().availableGeometry())
        self.heading = TextLabel("reviewHeading", size=NAME, strong=True)
        self.heading.setSizePolicy(self.heading.sizePolicy().Policy.Fixed, self.heading.sizePolicy().Policy.Preferred)
        self.about = TextLabel("about", size=SMALL, role="muted")
        self.teams = _Teams("teams")
        self.teams.setFixedWidth(220)
        self.search = QLineEdit()
        self.search.setObjectName("search")
        self.search.setFixedWidth(232)
        self.search.setClearButtonEnabled(True)
        self.keys_button = QuietButton("showKeys")
        self.look_button = QuietButton("toggleLook")
        self.panel = Panel()
        self.model = SampleModel(own=agent)
        self.list = SampleList(self.model)
        self.filters = {shown: Pill(f"filter_{shown}") for shown in SampleFilter}
        self.empty = TextLabel("emptyList", size=SMALL, role="muted", wrap=True)
        self.detail = Detail(agent=agent)
        self.undo = Undo()
        self.note = Note()
        self.holds: Callable[[], bool] = lambda: False
        """asked before it closes: whether it must stay open"""
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPED)
        self._agent = agent
        self._lay_out()
        for pill in self.filters.values():
            pill.setVisible(not agent)
        self._connect()
        self._make_keys()

    def fit(self, screen: QRect) -> None:
        """No larger than its screen."""
        self.resize(min(WIDTH, screen.width()), min(HEIGHT, screen.height() - _FRAME))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(self.heading)
        top.addWidget(self.about, 1)
        for widget in (self.teams, self.search, self.keys_button, self.look_button):
            top.addWidget(widget)
        chips = QHBoxLayout()
        chips.setContentsMargins(12, *((0, 12, 0) if self._agent else (12, 12, 10)))
        chips.setSpacing(6)
        for pill in self.filters.values():
            pill.setCheckable(True)
            pill.set_keys("V")
            chips.addWidget(pill)
        chips.addStretch(1)
        self.list_card = Card("listCard")
        self.list_card.setMinimumWidth(288)
        self.list_card.setMaximumWidth(400)
        listed = QVBoxLayout(self.list_card)
        listed.setContentsMargins(1, 1, 1, 8)
        listed.setSpacing(0)
        listed.addLayout(chips)
        self.empty.setContentsMargins(16, 12, 16, 12)
        listed.addWidget(self.empty)
        listed.addWidget(self.list, 1)
        around = QVBoxLayout()
        around.setContentsMargins(8, 6, 8, 0)
        around.addWidget(self.undo)
        listed.addLayout(around)
        body = QHBoxLayout()
        body.setSpacing(GAP)
        body.addWidget(self.list_card, 30)
        body.addWidget(self.detail, 70)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 10, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addLayout(top)
        layout.addWidget(self.panel)
        layout.addLayout(body, 1)
        layout.addWidget(self.note)
        detail = self.detail
        chain(
            [
                self.teams,
                self.search,
                self.keys_button,
                self.look_button,
                *self.filters.values(),
                self.list,
                self.undo.button,
                detail.waveform,
                *detail.transport.buttons.values(),
                detail.comments.line,
                detail.scores.share,
                detail.next_button,
                detail.reviewed_button,
            ]
        )

    def _connect(self) -> None:
        for shown, pill in self.filters.items():
            pill.clicked.connect(lambda _checked=False, shown=shown: self.shown.emit(shown))
        self.search.textChanged.connect(lambda: self._typing.start())
        self.search.returnPressed.connect(self._search_now)
        self._typing.timeout.connect(lambda: self.searched.emit(self.search.text()))
        self.teams.activated.connect(lambda: self.team.emit(str(self.teams.currentData())))
        self.keys_button.clicked.connect(lambda: self.key.emit("keys"))
        self.look_button.clicked.connect(self.look)
        self.note.close_button.clicked.connect(self.note.hide)
        detail = self.detail
        detail.next.connect(lambda: self.key.emit("next"))
        detail.reviewed.connect(lambda: self.key.emit("reviewed"))
        detail.transport.pressed.connect(self.key)

    def _search_now(self) -> None:
        self._typing.stop()
        self.searched.emit(self.search.text())
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_search(self, view: View) -> None:
        search = "review.search.shared" if self._agent else "review.search"
        self.search.setPlaceholderText(view.texts(search))
        self.search.setAccessibleName(view.texts(search))
        self.search.setAccessibleDescription(view.texts(f"{search}.why"))
        self.search.setToolTip(f"{view.texts(f'{search}.why')} (F)")

    # --- keyboard -------------------------------------------------------------------------------

    def _make_keys(self) -> None:
        """Keys of the page wherever the focus is; in a text field they are letters."""
        for keys, what in _KEYS.items():
            self._on(keys, lambda what=what: self.key.emit(what), repeats=what in ("back", "on"))
        for digit in range(10):
            self._on(str(digit), lambda digit=digit: self.digit.emit(digit))
        self._on("F", self._to_search)
        self._on("Up", lambda: self._move(-1), repeats=True)
        self._on("Down", lambda: self._move(1), repeats=True)

    def _on(self, keys: str, action: Callable[[], object], *, repeats: bool = False) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setAutoRepeat(repeats)
        shortcut.activated.connect(lambda: self._press(action))

    def _press(self, action: Callable[[], object]) -> None:
        """While the keys are shown, any of them closes them and does nothing else."""
        if self.detail.keys.isVisible():
            self.key.emit("keys")
        else:
            action()

    def _to_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _move(self, by: int) -> None:
        """Up and down in the list, from everywhere except where something scrolls."""
        here = QApplication.focusWidget()
        if isinstance(here, QScrollArea):
            bar = here.verticalScrollBar()
            bar.setValue(bar.value() + by * bar.singleStep())
            return
        self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        row = self.list.currentIndex().row() + by
        if 0 <= row < len(self.model.rows):
            self.list.setCurrentIndex(self.model.index(row))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.holds():
            event.ignore()
            return
        super().closeEvent(event)
        self.closed.emit()
