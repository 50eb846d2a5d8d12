"""The Qt application of a process: its style, its words, its log, and the signals that end it. It knows no window."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from PySide6.QtCore import (
    QEvent,
    QLibraryInfo,
    QLocale,
    QMessageLogContext,
    QSocketNotifier,
    QTimer,
    QtMsgType,
    QTranslator,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Language
from softphone.system.paths import program_folder
from softphone.ui.theme.scale import rescale_all, set_text_size, take_system_size
from softphone.ui.theme.style import load_fonts, palette, set_fonts, sheet
from softphone.ui.theme.tokens import Theme
from softphone.wire.snapshot import TextSize

log = logging.getLogger(__name__)


@contextmanager
def ended_by_signals(app: QApplication) -> Generator[None]:
    """Within it a signal ends the loop, also in a call: the sender has decided already.

    Python runs a handler only when it gets a turn, and Qt's loop gives none while nothing happens. A byte on a socket does.
    """
    turn, bell = socket.socketpair()
    for end in (turn, bell):
        end.setblocking(False)
    notifier = QSocketNotifier(turn.fileno(), QSocketNotifier.Type.Read)

    def hear() -> None:
        with suppress(BlockingIOError):
            turn.recv(64)

    def end_loop(number: int, _frame: FrameType | None) -> None:
        # Later: a loop that has not begun cannot be ended.
        QTimer.singleShot(0, app, lambda: app.exit(128 + number))

    notifier.activated.connect(hear)
    before = {number: signal.signal(number, end_loop) for number in (signal.SIGINT, signal.SIGTERM)}
    rung = signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(rung)
        for number, handler in before.items():
            signal.signal(number, handler)
        notifier.setEnabled(False)
        turn.close()
        bell.close()


class Application(QApplication):
    """quits(): Qt is about to quit (macOS: its menu, and a log-out) and to ask all windows to close."""

    quits = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Quit:
            self.quits.emit()
        return super().event(event)


def make_application() -> QApplication:
    """The one application of this process, with the desk's style and fonts."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        qInstallMessageHandler(_log_qt)
        app = Application(sys.argv[:1])
        app.setApplicationName("klartone")
        app.setDesktopFileName("klartone")
        take_system_size(app.font().pointSizeF())
        load_fonts(program_folder("resources") / "fonts")
        _collects_on_this_thread(app)
    app.setStyle("Fusion")
    set_fonts(app)
    return app


def _collects_on_this_thread(app: QApplication) -> None:
    """Python ends objects in circles on whichever thread makes one too many. One of Qt's must not end beside its own thread."""
    gc.disable()
    timer = QTimer(app)
    timer.timeout.connect(_collect)
    timer.start(1000)


def _collect() -> None:
    full = [
        generation
        for generation, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if count > limit
    ]
    if full:
        gc.collect(max(full))


def wear_icon(resources: Path) -> None:
    """The program's own drawing, for its windows and where the system lists them."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setWindowIcon(QIcon(str(resources / "klartone.svg")))


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt's messages go into the log, not between the lines that a person reads, except its last words."""
    log.info("Qt %s: %s", context.category or "", message)
    if kind is QtMsgType.QtFatalMsg:
        print(message, file=sys.stderr, flush=True)  # noqa: T201


def dress(theme: Theme, size: TextSize = TextSize.NORMAL) -> None:
    """Give the whole application this look, in this size."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    resized = set_text_size(size)
    if resized:
        set_fonts(app)
    app.setPalette(palette(theme))
    app.setStyleSheet(sheet(theme))
    if resized:
        rescale_all()  # last: a new style sheet gives labels the fonts they had under the one before


def translate_qt(language: Language) -> None:
    """Qt's own words, such as the menus of a text field, in this language only."""
    app = QApplication.instance()
    assert app is not None
    for before in app.findChildren(QTranslator):
        app.removeTranslator(before)
        before.deleteLater()
    words = QTranslator(app)
    if words.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(words)


def system_language() -> Language:
    """Danish if the system speaks it, else English."""
    return Language.DA if QLocale.system().language() is QLocale.Language.Danish else Language.EN
