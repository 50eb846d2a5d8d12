"""The notice's text: its words marked as they are said; large to be read aloud; folded once it has been heard.

Below it stands what each purpose rests on.
"""

from __future__ import annotations

import html

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.purpose import Headline
from softphone.domain.status import InformedPhase
from softphone.ui.controls import QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.scale import factor
from softphone.ui.theme.style import BODY, READ_ALOUD, SMALL, font
from softphone.ui.view import View
from softphone.ui.words.moment import bases, notice_caption, notice_told, rests_on
from softphone.wire.snapshot import CallPhase, CallState, NoticeText

_READ_ALOUD_CHARACTERS = 55
_FOLD = 24
"""its height: as far from what stands above as all the rest"""


class NoticeView(QWidget):
    """opened(): by hand. Unfolded while the notice is given, and whenever somebody wants to see it."""

    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.fold = QuietButton("noticeFold", size=14)
        self.fold.fix_height(_FOLD)
        self.card = Card("noticeCard")
        self.caption = TextLabel("noticeCaption", size=SMALL, role="muted", wrap=True)
        self.text = TextLabel("noticeText", wrap=True)
        self.bases = TextLabel("noticeBases", size=SMALL, role="muted", wrap=True)
        """what each purpose rests on, for a party who asks"""
        self._open = False
        self._line = ""
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(14, 10, 14, 12)
        inside.setSpacing(6)
        inside.addWidget(self.caption)
        inside.addWidget(self.text)
        inside.addWidget(self.bases)
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
        self.opened.emit()

    @property
    def is_open(self) -> bool:
        return not self.isHidden() and not self.card.isHidden()

    def render_view(self, view: View, call: CallState) -> None:
        notice = call.status.notice if call.status else None
        text = call.notice
        if notice is None or text is None or call.phase is not CallPhase.CONNECTED or _beside_the_point(call):
            self.setVisible(False)
            self._open = False
            return
        self.setVisible(True)
        playing, reading = notice.told is InformedPhase.PLAYING, notice.told is InformedPhase.READING
        folded = not (playing or reading)
        self.fold.setVisible(folded)
        self.card.setVisible(not folded or self._open)
        if folded:
            state = notice_told(view, call)
            show = view.texts("notice.hide" if self._open else "notice.show")
            metrics, room = QFontMetricsF(font(SMALL, tabular=True)), self.width() / factor() - 24
            on = rests_on(view, call)
            ways = (*((f"{state} · {on}",) if on else ()), state, notice_told(view, call, short=True))
            shown = next((way for way in ways if metrics.horizontalAdvance(way) <= room), ways[-1])
            icon = "up" if self._open else "down"
            self.fold.show_as(view, shown, icon=icon, name=f"{state}. {show}")
        else:
            self._open = False
        sentence = bases(view, call) if folded else ""
        self.bases.setText(sentence)
        self.bases.setVisible(bool(sentence))
        caption = notice_caption(view, call)
        self.caption.setText(caption)
        self.caption.setVisible(bool(caption))
        self.text.set_size(READ_ALOUD if reading else BODY)
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


def _beside_the_point(call: CallState) -> bool:
    """A call that is not recorded needs no notice, and none was given: to a voicemail, after an early no."""
    status = call.status
    assert status is not None
    assert status.notice is not None
    not_begun = status.notice.told is InformedPhase.NOTHING and status.notice.heard_at is None
    return not_begun and status.headline is Headline.NOT_RECORDING


def marked(text: NoticeText, said: float, view: View) -> str:
    """The notice as rich text at `said` seconds from its start: what has been said, what is being said, what is to come.

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
