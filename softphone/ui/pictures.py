"""Pictures of the desk, as PNG, of snapshots that a real engine sent. The window is the real one; only the clock is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from softphone.domain.errors import EngineError
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.app import time_zone
from softphone.ui.application import dress, make_application
from softphone.ui.incoming import IncomingWindow
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import px
from softphone.ui.theme.tokens import load_themes
from softphone.ui.view import View
from softphone.ui.window import HEIGHT, WIDTH, DeskWindow
from softphone.wire.from_engine import Levels, Snapshot
from softphone.wire.snapshot import TextSize

_TALK = Levels(-21.0, -33.0)
"""as while two people talk: a snapshot has no sound"""
_LEVELS = 8
"""of layouts within each other, and some more"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: a snapshot as it looks at `at` (UTC), or with `connected` false as it looks when the engine is gone."""

    name: str
    snapshot: Snapshot
    at: datetime
    connected: bool = True
    settings: bool = False
    """the settings page instead"""
    policy: bool = False
    """the settings' part on the policy"""
    menu: bool = False
    """the call's menu is open"""
    corner: bool = False
    """the small window in the corner instead"""
    pressed: str = ""
    """the name of a button that has been pressed"""
    said: str = ""
    """the code of the message just shown"""
    then: Callable[[DeskWindow], object] = lambda _window: None
    """what else has happened to it"""


class Camera:
    """Draws snapshots into a window of its own and grabs it. `texts`, `icons`, `themes` are the resources' folders."""

    _worn: tuple[Camera | None, bool] = (None, False)
    """whose look the application has, and whether it is the dark one"""

    def __init__(
        self,
        texts: Path,
        icons: Path,
        themes: Path,
        *,
        width: int = WIDTH,
        height: int = HEIGHT,
        size: TextSize = TextSize.NORMAL,
        ratio: int = 1,
    ) -> None:
        """`width` and `height` in units; `ratio`: pixels of the screen for each of the window's, 2 at 200 %."""
        self._app = make_application()
        self._texts, self._icons = texts, Icons(icons)
        self._themes = dict(zip((False, True), load_themes(themes), strict=True))
        self._place, self._size, self._ratio = (width, height), size, ratio

    def _view(self, picture: Picture, language: Language, *, dark: bool) -> View:
        theme = self._themes[dark]
        if Camera._worn != (self, dark):
            Camera._worn = (self, dark)
            dress(theme, self._size)
        texts = Texts(self._texts, language, time_zone(picture.snapshot))
        return View(picture.snapshot, texts, theme, self._icons, picture.at, picture.connected)

    def window(self, picture: Picture, language: Language, *, dark: bool) -> DeskWindow:
        """The window in that state; the caller closes it."""
        view = self._view(picture, language, dark=dark)
        window = DeskWindow()
        window.resize(*(px(side) for side in self._place))
        window.render_view(view)
        window.show()
        if picture.settings:
            window.open_settings()
        if picture.policy:
            window.open_policy()
        window.setFocus()
        QApplication.processEvents()
        window.render_view(view)
        window.call.card.show_levels(_TALK)
        picture.then(window)
        _settle()
        if picture.said:
            window.say(lambda texts: texts(picture.said), view.texts)
            _settle()
        if picture.pressed:
            self._app.setDoubleClickInterval(0)  # nobody presses twice
            for button in window.findChildren(QAbstractButton, picture.pressed):
                if button.isVisible():
                    button.click()
            _settle()
        return window

    def take(self, picture: Picture, file: Path, language: Language, *, dark: bool) -> None:
        """Write `file` (PNG). Raises EngineError if it cannot be written."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if picture.corner:
            window = IncomingWindow()
            window.render_view(self._view(picture, language, dark=dark))
            QApplication.processEvents()
            saved = _drawn(window, self._ratio).save(str(file), "PNG")
            window.hide()
        else:
            window = self.window(picture, language, dark=dark)
            saved = _shown(window, self._ratio, menu=picture.menu).save(str(file), "PNG")
            window.leave()
        window.deleteLater()
        QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
        if not saved:
            raise EngineError("error.pictures.unwritable", path=str(file))


def _settle() -> None:
    """A layout invalidates the one around it, and that one the next, each in a turn of its own."""
    for _ in range(_LEVELS):
        QApplication.processEvents()


def _drawn(widget: QWidget, ratio: int) -> QPixmap:
    """As a screen of that many pixels for each of its own has it."""
    drawn = QPixmap(widget.size() * ratio)
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(widget.palette().color(widget.backgroundRole()))
    widget.render(drawn)
    return drawn


def _shown(window: DeskWindow, ratio: int, *, menu: bool) -> QPixmap:
    """The window; if its menu is open, with the menu over it, as on a screen."""
    drawn = _drawn(window, ratio)
    if not menu:
        return drawn
    tools = window.call.tools
    tools.open_menu()
    over = _drawn(tools.menu, ratio)
    corner = tools.more.mapTo(window, QPoint(tools.more.width() - tools.menu.width(), -tools.menu.height()))
    painter = QPainter(drawn)
    painter.drawPixmap(QPoint(max(0, corner.x()), corner.y()), over)
    painter.end()
    tools.menu.close()
    return drawn


def take_all(
    pictures: list[Picture],
    folder: Path,
    texts: Path,
    icons: Path,
    themes: Path,
    *,
    report: Callable[[Path], None] = lambda _path: None,
) -> list[Path]:
    """Each picture in both languages and both looks: `<folder>/<name>-<language>-<look>.png`. Returns the files written."""
    camera = Camera(texts, icons, themes)
    written: list[Path] = []
    for dark in (False, True):
        for language in Language:
            for picture in pictures:
                file = folder / f"{picture.name}-{language}-{'dark' if dark else 'light'}.png"
                camera.take(picture, file, language, dark=dark)
                written.append(file)
                report(file)
    return written
