"""`python -m tests.pictures.reference`: the pictures that the window is compared with, anew. Look at them before they go in.

They are of snapshots made by hand, with the window's own font, so that they are the same on every Debian machine. What two
machines may differ in, how the edge of a letter is drawn, is within the tolerance; what a person would see is not.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from softphone.domain.purpose import Language
from softphone.ui.pictures import Camera, Picture
from softphone.wire.from_engine import Snapshot
from tests.ui import events, several, states

FOLDER = Path(__file__).with_name("reference")
RESOURCES = Path(__file__).parents[2] / "resources"
_BLOCK, _FARTHEST = 8, 16.0
"""px of a side; how far the mean of such a block may be off in a colour, of 255. Hinted or not, letters differ by up to 11; a
button moved by 6 px is 50 off"""
_MANY, _LEFT_OF_THEM = 200, 0.5
"""a colour that so many pixels have exactly must be there, on at least this part of them"""

DA, EN = Language.DA, Language.EN


@dataclass(frozen=True, slots=True)
class Reference:
    snapshot: Snapshot
    language: Language
    dark: bool
    width: int = 376
    settings: bool = False
    corner: bool = False
    pressed: str = ""


def _call(name: str) -> Snapshot:
    return several.snapshot(replace(events.EVERY[name], encrypted=True))


REFERENCES: dict[str, Reference] = {
    "recording": Reference(_call("recording_both"), DA, dark=False),
    "recording-dark": Reference(_call("recording_both"), EN, dark=True),
    "several-calls": Reference(several.STATES["several_calls"], DA, dark=False),
    "notice-playing": Reference(_call("notice_playing"), DA, dark=True),
    "consent-awaited": Reference(_call("consent_awaited"), EN, dark=False),
    "read-aloud-narrow": Reference(_call("read_aloud"), DA, dark=False, width=320),
    "not-recorded-muted": Reference(
        several.snapshot(replace(events.EVERY["not_in_sample"], muted=True)), EN, dark=True
    ),
    "paused": Reference(_call("paused_sensitive"), DA, dark=False),
    "consultation": Reference(several.STATES["consultation"], DA, dark=True),
    "failed": Reference(_call("storage_failed"), EN, dark=False),
    "ready": Reference(states.READY, DA, dark=False),
    "settings": Reference(states.READY, EN, dark=True, settings=True),
    "corner": Reference(states.snapshot(states.INCOMING), DA, dark=False, corner=True),
}


def taken(name: str, into: Path) -> QImage:
    """The picture as the window is now, also written to `into`."""
    one = REFERENCES[name]
    camera = Camera(*(RESOURCES / part for part in ("translations", "icons", "themes")), width=one.width, height=664)
    picture = Picture(name, one.snapshot, states.NOW, settings=one.settings, corner=one.corner, pressed=one.pressed)
    camera.take(picture, into, one.language, dark=one.dark)
    return QImage(str(into))


def differences(seen: QImage, wanted: QImage) -> Iterator[str]:
    """What a person would see too, in words; nothing if the two are alike."""
    if seen.size() != wanted.size():
        yield f"it is {seen.width()} x {seen.height()}, not {wanted.width()} x {wanted.height()}"
        return
    now, then = _pixels(seen), _pixels(wanted)
    off = np.abs(_means(now) - _means(then)).max(2)
    for row, column in np.argwhere(off > _FARTHEST)[:5]:
        at = f"{column * _BLOCK},{row * _BLOCK}"
        yield f"at {at} it is {off[row, column]:.0f} of 255 off"
    there = _colours(now)
    for colour, count in _colours(then).items():
        if count >= _MANY and there[colour] < count * _LEFT_OF_THEM:
            yield f"the colour #{colour:06x} was on {count} pixels and is on {there[colour]}"


def _pixels(image: QImage) -> np.ndarray:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.width(), 4)[:, :, 2::-1].astype(int)


def _means(pixels: np.ndarray) -> np.ndarray:
    """Of each block; the last ones are filled up with what stands at the edge."""
    high, wide = (-side % _BLOCK for side in pixels.shape[:2])
    whole = np.pad(pixels, ((0, high), (0, wide), (0, 0)), mode="edge")
    rows, columns = whole.shape[0] // _BLOCK, whole.shape[1] // _BLOCK
    return whole.reshape(rows, _BLOCK, columns, _BLOCK, 3).mean((1, 3))


def _colours(pixels: np.ndarray) -> Counter[int]:
    return Counter((pixels[:, :, 0] << 16 | pixels[:, :, 1] << 8 | pixels[:, :, 2]).ravel().tolist())


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for stale in FOLDER.glob("*.png"):
        stale.unlink()
    for name in REFERENCES:
        file = FOLDER / f"{name}.png"
        taken(name, file).convertToFormat(QImage.Format.Format_RGB888).save(str(file), quality=0)  # as small as it goes
        print(file)


if __name__ == "__main__":
    main()
