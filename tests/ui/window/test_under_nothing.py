"""By geometry, in every state of a call and at every size: nothing lies under the dock, what can be pressed is whole in sight,
and nothing stands on its neighbour. Only what is to be read may scroll, and in a window of the usual size not even that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import pytest
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget

from softphone.domain.purpose import Language
from softphone.ui.controls import Control
from softphone.ui.theme import scale
from softphone.ui.window import HEIGHT, NARROWEST, WIDTH, DeskWindow
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import TextSize
from tests.ui import several
from tests.ui import states as s
from tests.ui.window.places import place
from tests.ui.window.test_every_state import CALLS, Look, Way

LOWEST = 680
"""units of height, in which all that can be pressed is in sight; a lower window scrolls it"""
READ_TOGETHER = replace(several.TALKING, status=s.READING, notice=s.call(s.READING).notice, conference=True)
COLLEAGUE = replace(several.COLLEAGUE, conference=True, active=False)
STATES: dict[str, Snapshot] = {
    **CALLS,
    "conference_reading": several.snapshot(READ_TOGETHER, COLLEAGUE),
    "consultation_locked": several.snapshot(replace(several.WAITS, status=s.LOCKED), several.COLLEAGUE),
    "ringing_in_conference": several.snapshot(
        replace(several.TALKING, status=s.RECORDING, conference=True), COLLEAGUE, several.RINGS
    ),
}
SCROLL = {"qt_scrollarea_viewport", "fade"}


@dataclass(frozen=True)
class Size:
    width: int
    height: int
    text: TextSize = TextSize.NORMAL
    system: float = 1.0


SIZES = {
    "usual": Size(WIDTH, HEIGHT),
    "smallest": Size(NARROWEST, LOWEST),
    "large": Size(WIDTH, HEIGHT, TextSize.LARGER),
    "largest": Size(NARROWEST, LOWEST, TextSize.LARGEST),
    "double": Size(NARROWEST, LOWEST, TextSize.LARGEST, 2.0),
}


@pytest.fixture(params=[(name, language) for name in SIZES for language in Language], ids=str)
def look(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[tuple[Look, Size]]:
    name, language = request.param
    size = SIZES[name]
    opened = Look(Way(language, dark=False, width=size.width, size=size.text, system=size.system))
    yield opened, size
    opened.close()
    qapp.setStyleSheet("")


def show(look: Look, state: Snapshot, size: Size) -> DeskWindow:
    look.window.resize(round(size.width * scale.factor()), round(size.height * scale.factor()))
    look.again(state)
    return look.window


def faults(window: DeskWindow) -> Iterator[str]:
    call = window.call
    dock, frame = place(call.foot), window.rect()
    parts = [one for one in call.findChildren(QWidget) if one.isVisible() and not _glides(one)]
    for part in parts:
        name = f"{part.objectName() or type(part).__name__} {place(part)}"
        is_read, in_dock = (
            call.moment.isAncestorOf(part),
            call.foot in (part, part.parent()) or call.foot.isAncestorOf(part),
        )
        if is_read:
            continue  # it scrolls in its reel, which is looked at itself
        if not in_dock and not part.isAncestorOf(call.foot) and place(part).intersects(dock):
            yield f"{name} lies under the dock"
        if not frame.contains(place(part)):
            yield f"{name} is outside of the window"
        if isinstance(part, Control) and part.visibleRegion().boundingRect() != part.rect():
            yield f"{name} is not whole in sight, but {part.visibleRegion().boundingRect()}"
    for part in (call, *parts):
        inside = [one for one in parts if one.parent() is part]
        for one, other in combinations(inside, 2):
            if one.geometry().intersects(other.geometry()):
                yield f"{one.objectName()} stands on {other.objectName()} in {part.objectName()}"


def _glides(part: QWidget) -> bool:
    """What lies over a reel, and takes no press."""
    return isinstance(part, QScrollBar) or part.objectName() in SCROLL or type(part).__name__ == "_Ring"


def test_nothing_lies_under_the_dock_and_every_press_is_whole_in_sight(look: tuple[Look, Size]) -> None:
    shown, size = look
    found: list[str] = []
    for name, state in STATES.items():
        window = show(shown, state, size)
        found += [f"{name}: {fault}" for fault in faults(window)]
        if size == SIZES["usual"] and window.call.first.reel.verticalScrollBar().maximum():
            found.append(f"{name}: the text scrolls")
    window = show(shown, STATES["recording"], size)
    for what, wanted in (("keypad", window.call.show_keypad), ("transfer", window.call.show_transfer)):
        wanted(wanted=True)
        shown.again(STATES["recording"])
        found += [f"{what}: {fault}" for fault in faults(window)]
    assert not found, "\n".join(found[:40])


def test_a_window_that_is_lower_still_scrolls_what_is_to_be_pressed_and_hides_none_of_it(qapp: QApplication) -> None:
    """As on a screen of 1080 pixels at 200 %."""
    look = Look(Way(Language.DA, dark=False, width=NARROWEST))
    size = Size(NARROWEST, 540)
    for name, state in STATES.items():
        window = show(look, state, size)
        slot, dock = window.call.first.slot, place(window.call.foot)
        assert place(slot).bottom() < place(window.call.first.reel).bottom() < dock.top(), name
        for control in window.call.moment.slot.findChildren(Control):
            if control.isVisible():
                slot.ensureWidgetVisible(control, 0, 0)
                assert control.visibleRegion().boundingRect() == control.rect(), f"{name}: {control.objectName()}"
    look.close()
    qapp.setStyleSheet("")
