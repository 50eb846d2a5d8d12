"""The figures of a call's connection, a page of the call: for who wonders why it sounds bad, or is asked by IT."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, MARGIN, SMALL
from softphone.ui.view import View
from softphone.ui.words.quality import quality_rows
from softphone.wire.snapshot import CallState

_ROWS = 8
"""of figures; the word for all of them is the title"""
_COPIED = 1500
"""ms that the button says so"""


class QualityPanel(QWidget):
    """What each figure is, and the figure as it is now. One press copies them all. closed()."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("qualityPanel")
        self.title = TextLabel("qualityTitle", size=BODY, strong=True)
        self.close_button = QuietButton("closeQuality", size=16)
        self.names = [TextLabel(f"qualityName_{row}", size=SMALL, role="muted") for row in range(_ROWS)]
        self.figures = [TextLabel(f"qualityFigure_{row}", size=BODY, tabular=True) for row in range(_ROWS)]
        self.copy = FilledButton("copyQuality", "plain", 40)
        self._view: View | None = None
        self._copied = QTimer(self, singleShot=True, interval=_COPIED)
        self._copied.timeout.connect(self._show_copy)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        card = Card("qualityFigures", "box")
        grid = QGridLayout(card)
        grid.setContentsMargins(14, 10, 14, 10)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for row, (name, figure) in enumerate(zip(self.names, self.figures, strict=True)):
            name.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(name, row, 0)
            grid.addWidget(figure, row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(card)
        layout.addWidget(self.copy)
        layout.addStretch(1)
        self.close_button.clicked.connect(lambda: self.closed.emit())
        self.copy.clicked.connect(self._copy)

    def controls(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [self.close_button, self.copy]

    def render_view(self, view: View, call: CallState) -> None:
        self._view, texts = view, view.texts
        self.close_button.show_as(view, "", icon="close", name=texts("quality.close"))
        if call.quality is not None:
            (_, word), *rows = quality_rows(texts, call.quality)
            self.title.setText(word)
            for name, figure, (what, value) in zip(self.names, self.figures, rows, strict=True):
                name.setText(what)
                figure.setText(value)
                figure.setAccessibleName(f"{what}: {value}")
                figure.setToolTip(value if figure.elided() else "")
        if not self._copied.isActive():
            self._show_copy()

    def _show_copy(self) -> None:
        if self._view is not None:
            self.copy.show_as(self._view, self._view.texts("quality.copy"), icon="copy")

    def _copy(self) -> None:
        if self._view is not None:
            rows = zip(self.names, self.figures, strict=True)
            figures = [f"{name.text()}: {figure.text()}" for name, figure in rows]
            QApplication.clipboard().setText("\n".join((self.title.text(), *figures)))
            self.copy.show_as(self._view, self._view.texts("quality.copied"), icon="check")
            self._copied.start()
