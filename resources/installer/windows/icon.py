"""Draws Klartone's icon for Windows, in every size that it shows, from the SVG: icon.py TARGET.ico"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from description import ROOT, description


def draw(target: Path) -> None:
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication.instance() or QGuiApplication([])
    drawn = QSvgRenderer(str(ROOT / description()["icon"]))
    pictures: list[tuple[int, bytes]] = []
    for size in (16, 20, 24, 32, 40, 48, 64, 256):
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        drawn.render(painter)
        painter.end()
        into = QByteArray()
        buffer = QBuffer(into)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        pictures.append((size, bytes(into.data())))
    del application
    at = 6 + 16 * len(pictures)
    head = struct.pack("<HHH", 0, 1, len(pictures))
    for size, picture in pictures:
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    target.write_bytes(head + b"".join(picture for _, picture in pictures))


if __name__ == "__main__":
    draw(Path(sys.argv[1]).resolve())
