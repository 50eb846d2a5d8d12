"""What became of the sample, in figures and a sentence on what they mean (G33, G34). It counts nothing itself."""

from __future__ import annotations

import html
from datetime import date

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.archive.reviews import Figures
from softphone.domain.sampling import Verdict
from softphone.ui.fields import Card
from softphone.ui.theme.style import NAME, SMALL, font
from softphone.ui.view import View

_LONG = 15
"""letters that fit on one line"""
_SOON = 7
"""days in which one that waits expires, from which on it is wrong that none has been reviewed"""
COUNTED = ("drawn", "recorded", "declined", "reviewed", "waiting", "expired_unseen")


class _Count(QWidget):
    """A number over its word."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.number = QLabel()
        self.number.setObjectName(f"count_{name}")
        self.number.setFont(font(NAME, strong=True, tabular=True))
        self.word = QLabel()
        self.word.setFont(font(SMALL - 1))
        self.word.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.number)
        layout.addWidget(self.word)
        layout.addStretch(1)


class Panel(Card):
    """The card over the list."""

    def __init__(self) -> None:
        super().__init__("reviewPanel")
        self.figures: Figures | None = None
        self.house = False
        """whether all desks of the house are counted"""
        self.counts = {name: _Count(name) for name in COUNTED}
        self.verdict = QLabel()
        self.verdict.setObjectName("verdict")
        self.verdict.setWordWrap(True)
        self.verdict.setFont(font(SMALL))
        self.verdict.setTextFormat(Qt.TextFormat.RichText)
        self.verdict.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.period = QLabel()
        self.period.setObjectName("period")
        self.period.setFont(font(SMALL - 1))
        self.period.setProperty("role", "muted")
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedWidth(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.setSpacing(16)
        counted = QWidget()
        beside = QHBoxLayout(counted)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(16)
        for count in self.counts.values():
            beside.addWidget(count)
        layout.addWidget(self.period)
        layout.addWidget(counted, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(rule)
        layout.addWidget(self.verdict, 1)
        self.setMinimumHeight(64)

    def render_view(self, view: View) -> None:
        figures = self.figures
        period = "review.period.house" if self.house else "review.period"
        self.period.setText(_folded(view.texts(period)))
        self.period.setAccessibleName(view.texts(period))
        self.period.setToolTip(view.texts(f"{period}.why"))
        for name, count in self.counts.items():
            number = getattr(figures, name) if figures is not None else None
            count.number.setText("–" if number is None else str(number))
            word = view.texts(f"review.count.{name}")
            count.word.setText(_folded(word))
            count.setAccessibleName(f"{count.number.text()} {word}")
        if figures is None:
            counting = view.texts("review.verdict.counting")
            self.verdict.setText(html.escape(counting))
            self.verdict.setAccessibleName(counting)
            return
        head, rest, colour = _verdict(view, figures)
        strong = f'<span style="color:{colour};font-weight:600">{html.escape(head)}</span>'
        self.verdict.setText(f'{strong} <span style="color:{view.theme.muted}">{html.escape(rest)}</span>')
        self.verdict.setAccessibleName(f"{head} {rest}")


def _folded(words: str) -> str:
    """Long ones on two lines of about the same length: the sentence beside them needs the room."""
    spaces = [at for at, letter in enumerate(words) if letter == " "]
    if len(words) <= _LONG or not spaces:
        return words
    middle = min(spaces, key=lambda at: abs(at - len(words) / 2))
    return f"{words[:middle]}\n{words[middle + 1 :]}"


def _verdict(view: View, figures: Figures) -> tuple[str, str, str]:
    """The finding in a word or three, what follows from it, and the colour of the first."""
    texts, theme = view.texts, view.theme
    waiting = texts("review.waiting", count=figures.waiting)
    week = round(figures.reviewed_a_week)
    pace = texts("review.pace", count=week) if week else texts("review.pace.none")
    end = _end(view, figures.oldest_expires) if figures.waiting else ""
    match figures.verdict:
        case Verdict.FITS:
            more = texts("review.fits.more", waiting=waiting, pace=pace, end=end)
            # Green only where reviews bear it out: what was promised (capacity) is no figure yet.
            return (
                (texts("review.fits"), more, theme.ok)
                if week or not figures.waiting
                else (texts("review.fits.promised"), more, theme.text)
            )
        case Verdict.TOO_MANY:
            more = texts("review.too_many.more", waiting=waiting, pace=pace, end=end)
            return texts("review.too_many"), more, theme.danger
        case Verdict.UNSEEN:
            more = texts("review.unseen.more", waiting=waiting, pace=pace)
            return texts("review.unseen", count=figures.expired_unseen), more, theme.danger
        case Verdict.UNREVIEWED:
            more = texts("review.unreviewed.more", waiting=waiting, end=end)
            soon = (days := _days_to(view, figures.oldest_expires)) is not None and days <= _SOON
            return texts("review.unreviewed"), more, theme.danger if soon else theme.text
        case Verdict.NONE:
            return texts("review.none"), texts("review.none.more"), theme.text


def _days_to(view: View, on: date | None) -> int | None:
    return (on - view.now.astimezone(view.texts.zone).date()).days if on is not None else None


def _end(view: View, on: date | None) -> str:
    days = _days_to(view, on)
    if days is None:
        return ""
    return view.texts("review.oldest", count=days) if days > 0 else view.texts("review.oldest.today")
