"""Help, in the settings: a file for whoever helps from afar. It is written by somebody else, and sent by nobody."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QFileDialog

from softphone.ui.controls import FilledButton
from softphone.ui.fields import TextLabel
from softphone.ui.settings.forms import SaidLabel, Section
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View


class SupportSection(Section):
    """wanted(path): the file is to be written there. `written` and `failed` say what came of it."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("support")
        self.why = TextLabel("supportWhy", size=SMALL, role="muted", wrap=True)
        self.choose = FilledButton("saveSupport", "plain", 40)
        self.state = SaidLabel("supportState")
        self.body.addWidget(self.why)
        self.body.addSpacing(6)
        self.body.addWidget(self.choose)
        self.body.addSpacing(4)
        self.body.addWidget(self.state)
        self.choose.clicked.connect(self._browse)
        self._said: tuple[str, str] = ("", "")
        """a code, and the path in its sentence"""
        self._view: View | None = None

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        self.why.setText(view.texts("settings.support.why"))
        works = self._said[0] == "settings.support.working"
        self.choose.show_as(
            view,
            view.texts("settings.support.save"),
            enabled=not works,
            why=view.texts("settings.support.working") if works else "",
        )
        code, path = self._said
        self.state.setText(view.texts(code, path=path) if code else "")

    def written(self, path: str) -> None:
        self._say("settings.support.done", path)

    def failed(self) -> None:
        self._say("settings.support.failed", role="danger")

    def _browse(self) -> None:
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = Path(documents) / f"klartone-support-{date.today():%Y%m%d}.zip"  # noqa: DTZ011 - the user's own day
        dialog = QFileDialog(self, self.choose.text(), str(name), "ZIP (*.zip)")
        dialog.setObjectName("supportDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.setModal(False)
        dialog.fileSelected.connect(self._chosen)
        dialog.show()

    def _chosen(self, path: str) -> None:
        self._say("settings.support.working")
        self.wanted.emit(path)

    def _say(self, code: str, path: str = "", role: str = "muted") -> None:
        self._said = code, path
        self.state.set_role(role)
        if self._view is not None:
            self.render_view(self._view)
