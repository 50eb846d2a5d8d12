"""The figures of a call's connection, a submenu of *More*: for who wonders why it sounds bad, or is asked by IT."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from softphone.ui.rows import Entry, RowMenu
from softphone.ui.view import View
from softphone.ui.words.quality import quality_rows
from softphone.wire.snapshot import CallState

_ROWS = 9


class QualityMenu(RowMenu):
    """It only shows. Its rows are always there, so that none jumps while it is open."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("qualityMenu")
        self.menuAction().setObjectName("moreQuality")
        self.rows = [Entry(self, f"quality_{number}") for number in range(_ROWS)]
        for row in self.rows:
            self.addAction(row)

    def render_view(self, view: View, call: CallState) -> None:
        texts, quality = view.texts, call.quality
        entry = self.menuAction()
        known = quality is not None and view.connected
        self.setTitle(texts("quality.connection") if known else texts("quality.not_yet"))
        self.setIcon(view.icons.icon("phone", view.theme.text, 18))
        entry.setEnabled(known)
        entry.setToolTip(texts("quality.menu.why"))
        if quality is not None and known:
            for row, (name, figure) in zip(self.rows, quality_rows(texts, quality), strict=True):
                row.show_as(view, name, figure, icon="phone")
