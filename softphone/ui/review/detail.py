"""The open recording: who and when, its sound, its review; or a sentence if none is open. It keeps nothing itself."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from softphone.domain.archive.reviews import SampleRow
from softphone.ui.fields import Card, TextLabel, chain
from softphone.ui.review import words
from softphone.ui.review.comments import Comments
from softphone.ui.review.pills import KeyButton
from softphone.ui.review.scores import Scores
from softphone.ui.review.transport import Transport
from softphone.ui.review.waveform import Waveform
from softphone.ui.theme.style import BODY, HEADING, NAME, SMALL, font
from softphone.ui.view import View, upper_first

KEYS = (
    "space", "seek", "page", "list", "open", "next", "reviewed", "comment", "moment", "score", "step", "share", "speed", "skip",
    "filter", "search", "keys",
)  # fmt: skip
AGENT_KEYS = tuple(one for one in KEYS if one not in ("reviewed", "score", "step", "share", "filter"))
_STRONG = "font-weight:600"
_LOW = 490
"""px of the keys' height below which they stand closer together"""


class Placeholder(Card):
    """A sentence where the recording would be."""

    def __init__(self) -> None:
        super().__init__("place")
        self.heading = TextLabel("placeHeading", size=NAME, strong=True, wrap=True)
        self.more = TextLabel("placeMore", role="muted", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 32, 32, 32)
        layout.setSpacing(8)
        layout.addStretch(2)
        for label in (self.heading, self.more):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(label)
        layout.addStretch(3)

    def show_words(self, heading: str, more: str) -> None:
        self.heading.setText(heading)
        self.more.setText(more)


class Keys(Card):
    """Which key does what. It takes the focus, so that a screen reader reads it. left(): Enter closes it."""

    left = Signal()

    def __init__(self, keys: tuple[str, ...] = KEYS) -> None:
        super().__init__("keys")
        self._keys = keys
        self._view: View | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.heading = TextLabel("keysHeading", size=HEADING, strong=True)
        self.table = QLabel()
        self.table.setObjectName("keysTable")
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setFont(font(BODY))
        layout = QVBoxLayout(self)
        self.table.setWordWrap(True)
        layout.setContentsMargins(28, 8, 28, 2)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self.table)
        layout.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._view is not None:
            self.render_view(self._view)

    def render_view(self, view: View) -> None:
        self._view = view
        self.heading.setText(view.texts("review.keys"))
        apart = 0 if self.height() < _LOW else 2
        pairs = [(view.texts(f"review.keys.{name}"), self._does(view, name)) for name in self._keys]
        rows = "".join(
            f'<tr><td style="padding:{apart}px 24px {apart}px 0"><span style="{_STRONG}">{html.escape(key)}</span></td>'
            f'<td style="padding:{apart}px 0">{html.escape(does)}</td></tr>'
            for key, does in pairs
        )
        self.table.setText(f"<table>{rows}</table>")
        self.setAccessibleName(self.heading.text())
        self.setAccessibleDescription(". ".join(f"{key}: {does}" for key, does in pairs))

    def _does(self, view: View, key: str) -> str:
        theirs = f"review.keys.{key}.does.shared"
        return view.texts(theirs if self._keys is AGENT_KEYS and theirs in view.texts else f"review.keys.{key}.does")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left.emit()
        else:
            super().keyPressEvent(event)


class Detail(QWidget):
    """next(), reviewed(): the buttons at the foot."""

    next = Signal()
    reviewed = Signal()

    def __init__(self, *, agent: bool = False) -> None:
        """`agent`: the call's own, who hears, reads and answers."""
        super().__init__()
        self._agent = agent
        self.title = QLabel()
        self.title.setObjectName("recordingTitle")
        self.title.setTextFormat(Qt.TextFormat.RichText)
        self.title.setFont(font(BODY))
        self.until = TextLabel("until", size=SMALL, role="muted", wrap=True)
        self.until.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.waveform = Waveform()
        self.marks = TextLabel("marks", size=SMALL - 1, role="muted", wrap=True)
        self.marks.setContentsMargins(10, 0, 10, 6)
        self.transport = Transport()
        self.fault = TextLabel("soundFault", size=SMALL, role="danger", wrap=True)
        self.fault.hide()
        self.transport.answers = agent
        self.comments = Comments(agent=agent)
        self.scores = Scores(agent=agent)
        self.foot = TextLabel("foot", size=SMALL - 1, role="muted", wrap=True)
        self.next_button = KeyButton("next", "N", "plain")
        self.reviewed_button = KeyButton("reviewed", "R", "accent")
        self.place = Placeholder()
        self.keys = Keys(AGENT_KEYS if agent else KEYS)

        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.title)
        head.addWidget(self.until, 1)
        sound = Card("soundCard")
        around = QVBoxLayout(sound)
        around.setContentsMargins(2, 2, 2, 2)
        around.setSpacing(0)
        around.addWidget(self.waveform, 1)
        around.addWidget(self.marks)
        said = QHBoxLayout()
        said.setSpacing(12)
        said.addWidget(self.comments, 11)
        said.addWidget(self.scores, 10)
        self.open_page = QWidget()
        opened = QVBoxLayout(self.open_page)
        opened.setContentsMargins(0, 0, 0, 0)
        opened.setSpacing(8)
        opened.addLayout(head)
        opened.addWidget(sound, 3)
        opened.addWidget(self.transport)
        opened.addWidget(self.fault)
        opened.addLayout(said, 4)
        self.pages = QStackedWidget()
        for page in (self.place, self.open_page, self.keys):
            self.pages.addWidget(page)
        self.forget()
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self.foot, 1)
        foot.addWidget(self.next_button)
        foot.addWidget(self.reviewed_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.pages, 1)
        layout.addLayout(foot)
        self.next_button.clicked.connect(self.next)
        self.reviewed_button.clicked.connect(self.reviewed)

    def render_view(
        self,
        view: View,
        row: SampleRow | None,
        line: str,
        party: str,
        *,
        can_next: bool,
        unheard: bool,
        shown: QWidget,
        others: tuple[str, ...] = (),
    ) -> None:
        """`row`: the open one. `unheard`: it was to count, and nothing of it has been heard. `shown`: the wanted page.
        `others`: who else has it open.
        """
        texts = view.texts
        self.pages.setCurrentWidget(shown)
        self.keys.render_view(view)
        opened = row is not None
        recording = row.recording if row is not None else ""
        self.next_button.show_as(
            view,
            texts("review.next"),
            enabled=can_next,
            why="" if can_next else texts("review.next.none"),
            means=f"next {recording}",
        )
        done = row is not None and row.reviewed_at is not None
        why = texts("review.reviewed.open_first") if not opened else texts("review.reviewed.done") if done else ""
        erases = row is not None and not done and not row.kept_reviewed
        self.reviewed_button.show_as(
            view,
            texts("review.reviewed.erases" if erases else "review.reviewed"),
            enabled=opened and not done,
            why=texts("review.reviewed.erases.why") if erases else why,
            means=f"{'reviewed unheard' if unheard else 'reviewed'} {recording}",
        )
        self.foot.set_role("" if unheard else "muted")
        foot = texts("review.unheard" if unheard else "review.foot", party=party, Party=upper_first(party))
        self.foot.setText(f"{texts('review.reviewed.erases.why')} {foot}" if erases and not unheard else foot)
        if self._agent:
            self.foot.setText(texts("review.foot.shared", party=party))
        if row is None:
            return
        agent = words.agent_name(row.agent) if row.agent else texts("review.no_agent")
        when = words.when(texts, row, view.now)
        text = " · ".join(part for part in (line, when[:1].lower() + when[1:]) if part)
        self.title.setText(f'<span style="{_STRONG}">{html.escape(agent)}</span> · {html.escape(text)}')
        self.title.setAccessibleName(f"{agent}, {text}")
        until = texts("review.until", day=row.expires_on) if row.expires_on else texts("review.until.unset")
        who = ", ".join(one or texts("review.someone") for one in others)
        beside = texts("review.others", who=who) if who else "" if self._agent else texts("review.unlocked")
        self.until.setText(" · ".join(part for part in (until, beside) if part))
        self.until.setToolTip(self.until.text())
        first = words.first_name(row.agent or "") or texts("review.the_agent")
        self.waveform.render_view(view, texts("review.agent"), party[:1].upper() + party[1:])
        text = words.marks(texts, self.waveform.marks)
        self.marks.setText(text)
        self.marks.setVisible(bool(text))
        self.comments.render_view(view)
        self.scores.render_view(view, first)

    def forget(self) -> None:
        """Nothing is open: nothing of a recording stays, even on a page that is not shown."""
        for label in (self.title, self.until, self.marks):
            label.clear()
            label.setAccessibleName("")
            label.setToolTip("")
        self.marks.hide()
        self.tell_fault("")

    def order_tabs(self) -> None:
        """Comments and questions come and go: Tab goes through them where they stand."""
        feet = (self.scores.share, self.next_button, self.reviewed_button)
        chain([self.transport.on, *self.comments.stops, self.scores.reel, *self.scores.rings, *feet])

    def tell_fault(self, sentence: str) -> None:
        """In place, beside what does not work; empty: nothing is wrong."""
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))
