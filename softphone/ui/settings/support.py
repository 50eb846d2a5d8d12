"""Help, in the settings: a file for whoever helps from afar. It is written by somebody else, and sent by nobody."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QFileDialog

from softphone import __version__
from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.settings.forms import SaidLabel, Section
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View

VERSION = f"Klartone {__version__}"
_COPIED = 1500
"""ms that the button says so"""


class SupportSection(Section):
    """wanted(path): the file is to be written there. `written` and `failed` say what came of it."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("support")
        self.why = TextLabel("supportWhy", size=SMALL, role="muted", wrap=True)
        self.choose = FilledButton("saveSupport", "plain", 40)
        self.state = SaidLabel("supportState")
        self.version = QuietButton("copyVersion", size=15)
        self._copied = QTimer(self, singleShot=True, interval=_COPIED)
        self._copied.timeout.connect(self._show_version)
        self.body.addWidget(self.why)
        self.body.addSpacing(6)
        self.body.addWidget(self.choose)
        self.body.addSpacing(4)
        self.body.addWidget(self.state)
        self.body.addWidget(self.version, 0, Qt.AlignmentFlag.AlignLeft)
        self.version.clicked.connect(self._copy_version)
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
        if not self._copied.isActive():
            self._show_version()

    def _show_version(self) -> None:
        """What whoever helps on the telephone asks first."""
        if self._view is not None:
            self.version.show_as(self._view, VERSION, why=self._view.texts("settings.version.copy"))

    def _copy_version(self) -> None:
        if self._view is not None:
            QApplication.clipboard().setText(VERSION)
            self.version.show_as(self._view, self._view.texts("party.copied"))
            self._copied.start()

    def written(self, path: str) -> None:
        self._say("settings.support.done", path)

    def failed(self) -> None:
        self._say("settings.support.failed", role="danger")

    def _browse(self) -> None:
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = Path(documents) / f"klartone-support-{datetime.now():%Y%m%d-%H%M}.zip"  # noqa: DTZ005 - the user's own clock
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
