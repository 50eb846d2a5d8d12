"""Our own stroke icons, tinted with a colour of the look and drawn sharp at any scaling. It does not know what an icon
means."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer


class Icons:
    """The folder of 24 px SVGs. `name` is a file's stem, `colour` is `#rrggbb`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._renderers: dict[tuple[str, str], QSvgRenderer] = {}
        self._icons: dict[tuple[str, str, int], QIcon] = {}

    def draw(self, painter: QPainter, name: str, colour: str, box: QRectF) -> None:
        self._renderer(name, colour).render(painter, box)

    def pixmap(self, name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
        pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter, name, colour, QRectF(0, 0, size, size))
        painter.end()
        return pixmap

    def icon(self, name: str, colour: str, size: int = 20) -> QIcon:
        key = (name, colour, size)
        if key not in self._icons:
            icon = QIcon()
            for ratio in (1.0, 2.0, 3.0):
                icon.addPixmap(self.pixmap(name, colour, size, ratio))
            self._icons[key] = icon
        return self._icons[key]

    def _renderer(self, name: str, colour: str) -> QSvgRenderer:
        key = (name, colour)
        if key not in self._renderers:
            drawing = (self._folder / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
            self._renderers[key] = QSvgRenderer(QByteArray(drawing.encode()))
        return self._renderers[key]
