"""What a widget paints, read back: each text with its size, colour and place, each icon. Qt draws it as SVG for that.

So a text that a control paints by itself is held to the same rules as a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree import ElementTree

from PySide6.QtCore import QBuffer, QPoint, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QTransform
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from softphone.ui.theme.icons import Icons

_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text, or an icon's name, as it stands on its window."""

    words: str
    colour: str
    pixels: float
    """the text's size"""
    box: QRectF


@dataclass(frozen=True, slots=True)
class Drawing:
    texts: list[Drawn]
    icons: list[Drawn]
    image: QImage

    def contrast_of(self, drawn: Drawn) -> float:
        """Against the colour that most of its place has, if not its own."""
        box = drawn.box.toAlignedRect().intersected(self.image.rect())
        pixels, seen = memoryview(self.image.constBits()).cast("I"), Counter[int]()
        for row in range(box.top(), box.bottom() + 1, 2):
            at = row * self.image.width()
            seen.update(pixels[at + box.left() : at + box.right() + 1])
        found = (contrast(ground, _over(QColor(drawn.colour), ground)) for ground in map(QColor, _most(seen)))
        return next((against for against in found if against > 1.2), 1.0)


def _most(seen: Counter[int]) -> list[int]:
    return [colour for colour, _ in seen.most_common(3)]


def _over(ink: QColor, ground: QColor) -> QColor:
    """What is to be seen of an ink that lets something through."""
    share = ink.alphaF()
    inks, grounds = (ink.red(), ink.green(), ink.blue()), (ground.red(), ground.green(), ground.blue())
    return QColor(*(round(one * share + other * (1 - share)) for one, other in zip(inks, grounds, strict=True)))


def luminance(colour: QColor) -> float:
    """As WCAG 2.2 has it."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def drawing(widget: QWidget) -> Drawing:
    """All of it as it is now."""
    icons: list[Drawn] = []
    with _icons_heard(icons):
        svg = _as_svg(widget)
    return Drawing(list(_texts(svg)), icons, widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32))


def _as_svg(widget: QWidget) -> bytes:
    held = QBuffer()
    held.open(QBuffer.OpenModeFlag.WriteOnly)
    into = QSvgGenerator()
    into.setOutputDevice(held)
    into.setSize(widget.size())
    into.setViewBox(QRect(QPoint(0, 0), widget.size()))
    painter = QPainter(into)
    widget.render(painter, QPoint(0, 0))
    painter.end()
    return bytes(held.data().data())


def _texts(svg: bytes) -> Iterator[Drawn]:
    for group in ElementTree.fromstring(svg).iter(f"{_SVG}g"):
        shape = group.get("transform", "matrix(1,0,0,1,0,0)").removeprefix("matrix(").removesuffix(")")
        at = QTransform(*(float(number) for number in shape.split(",")))
        for text in group.findall(f"{_SVG}text"):
            words = text.text or ""
            if not words.strip():
                continue
            used = QFont(text.get("font-family", ""))
            used.setPixelSize(int(text.get("font-size", "0")))
            used.setWeight(QFont.Weight(int(text.get("font-weight", "400"))))
            box = QFontMetricsF(used).tightBoundingRect(words)
            box.translate(float(text.get("x", "0")), float(text.get("y", "0")))
            ink = QColor(text.get("fill", ""))
            ink.setAlphaF(float(text.get("fill-opacity", "1")))
            yield Drawn(words, ink.name(QColor.NameFormat.HexArgb), used.pixelSize() * at.m22(), at.mapRect(box))


@contextmanager
def _icons_heard(heard: list[Drawn]) -> Generator[None]:
    draw = Icons.draw

    def hear(self: Icons, painter: QPainter, name: str, colour: str, box: QRectF) -> None:
        heard.append(Drawn(name, colour, box.height(), painter.deviceTransform().mapRect(box)))
        draw(self, painter, name, colour, box)

    Icons.draw = hear  # type: ignore[method-assign]
    try:
        yield
    finally:
        Icons.draw = draw  # type: ignore[method-assign]
