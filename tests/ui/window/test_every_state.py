"""Every state and every page, in both looks and languages, narrow, wide, and in the largest texts: what is painted is read back.

Nothing is under 13 px, cut off, on top of something else or hard to tell from its ground; everything that can be pressed has
a name and is reached by Tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QScrollArea, QWidget

from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.application import dress
from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import Control
from softphone.ui.segments import Chip
from softphone.ui.theme import scale
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import load_themes
from softphone.ui.view import View
from softphone.ui.window import DeskWindow
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Account, AccountState, QuitAsked, QuitPhase, Registration, TextSize
from tests.ui import events as e
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import RESOURCES
from tests.ui.drawn import Drawn, drawing
from tests.ui.window.places import place, places

TLS = Account("acc-2", "service@nordlys.example", transport="tls")
TWO_ACCOUNTS = replace(
    s.snapshot(),
    accounts=(AccountState(TLS, Registration.REGISTERED, s.NOW), AccountState(s.ACCOUNT, Registration.UNREACHABLE)),
    settings=replace(s.snapshot().settings, accounts=(TLS, s.ACCOUNT)),
)
MANAGED = replace(
    s.snapshot(),
    locked={
        key: f"/etc/klartone/settings.d/{n}0-nordlys.toml"
        for n, key in enumerate(("accounts", "policy", "look", "port"))
    },
)
CALLS: dict[str, Snapshot] = {
    **{name: several.snapshot(replace(call, encrypted=True)) for name, call in e.EVERY.items()},
    **several.STATES,
}
PAGES: dict[str, Snapshot] = {
    "ready": s.READY,
    "reopened": replace(s.snapshot(), calls=(s.REOPENED,)),
    "first_start": s.FIRST_START,
    "to_call_back": e.TO_CALL_BACK,
    "last_good": e.LAST_GOOD,
    "unsigned": e.UNSIGNED,
    "remarks": e.WITH_REMARKS,
    "two_accounts": TWO_ACCOUNTS,
    "managed": MANAGED,
    "missed": s.snapshot(
        history=tuple(replace(one, unseen=one.outcome == "missed") for one in s.HISTORY),
    ),
    "lost": s.snapshot(history=(replace(s.HISTORY[0], broke_off=True, unseen=True), *s.HISTORY[1:])),
}
SHORTENED = ("callTab_", "accountLine", "past_", "beside", "statusCard")
"""names of people, lines and accounts, where there is no room for all of them: what they are part of says them whole. The card
loses the last words of why; whether that is so in any state is asked by itself"""

_TURNS = 6
"""of the loop: a layout invalidates the one around it, and that one the next"""


@dataclass(frozen=True)
class Way:
    """How the window is looked at. `system`: the system's own text size, in times of its usual one."""

    language: Language
    dark: bool
    width: int
    size: TextSize = TextSize.NORMAL
    system: float = 1.0


WAYS = {
    "usual": Way(Language.DA, dark=False, width=376),
    "narrow": Way(Language.EN, dark=True, width=320),
    "narrow_da": Way(Language.DA, dark=True, width=320),
    "largest": Way(Language.EN, dark=False, width=480, size=TextSize.LARGEST),
    "double": Way(Language.DA, dark=True, width=640, size=TextSize.LARGEST, system=2.0),
}


class Look:
    """One window, shown state after state."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self._texts = Texts(RESOURCES / "translations", way.language, "Europe/Copenhagen")
        self._theme, self._icons = load_themes(RESOURCES / "themes")[way.dark], Icons(RESOURCES / "icons")
        scale.take_system_size(11.0 * way.system)
        dress(self._theme, way.size)
        self.window = DeskWindow()
        self.window.show()
        self.window.setUpdatesEnabled(False)  # it is drawn when it is read, and not before
        self.faults: list[str] = []

    def at(self, state: Snapshot) -> DeskWindow:
        # High enough for all of a page: what scrolls is another test's.
        self.window.resize(self.way.width, round(900 * scale.factor()))
        self.again(state)
        assert self.window.width() == self.way.width
        return self.window

    def again(self, state: Snapshot) -> None:
        view = View(state, self._texts, self._theme, self._icons, s.NOW, connected=True)
        self.window.render_view(view)
        QApplication.processEvents()
        self.window.render_view(view)
        for _ in range(_TURNS):
            QApplication.processEvents()

    def close(self) -> None:
        self.window.leave()
        self.window.deleteLater()
        QApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete.value)
        scale.take_system_size(11.0)
        dress(self._theme, TextSize.NORMAL)


@pytest.fixture(params=WAYS, ids=str)
def look(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Look]:
    opened = Look(WAYS[request.param])
    yield opened
    opened.close()
    qapp.setStyleSheet("")


def faults(window: QWidget, shortened: tuple[str, ...] = ()) -> Iterator[str]:
    """What a person would see or miss."""
    smallest, seen = 13 * scale.factor() - 0.5, drawing(window)
    scrolls = [(reel, reel.widget()) for reel in window.findChildren(QScrollArea) if reel.isVisible()]
    reels = [(place(reel), place(inside)) for reel, inside in scrolls if inside is not None]

    def in_sight(drawn: Drawn) -> bool:
        """What scrolls may be out of sight."""
        box = drawn.box.toAlignedRect()
        return not any(inside.intersects(box) and not reel.contains(box) for reel, inside in reels)

    texts = [text for text in seen.texts if in_sight(text)]
    asked = {field.placeholderText() for field in window.findChildren(QPlainTextEdit)}
    for text in texts:
        if text.pixels < smallest:
            yield f"{text.words!r} is {text.pixels} px"
        if (against := seen.contrast_of(text)) < 4.5:
            yield f"{text.words!r} has a contrast of {against:.2f}"
        if not QRect(0, 0, window.width(), window.height()).contains(text.box.toAlignedRect()):
            yield f"{text.words!r} is cut off at the window's edge"
        if (
            text.words.endswith("…")
            and text.words not in asked
            and not _stands_in(window, text, (*SHORTENED, *shortened))
        ):
            yield f"{text.words!r} is shortened"
    for icon in seen.icons:
        if in_sight(icon) and (against := seen.contrast_of(icon)) < 3.0:
            yield f"the icon {icon.words} has a contrast of {against:.2f}"
    for i, text in enumerate(texts):
        for other in texts[i + 1 :]:
            both = text.box.intersected(other.box)
            if both.width() > 1 and both.height() > 1:
                yield f"{text.words!r} stands on {other.words!r}"
    for label in window.findChildren(QLabel):
        wraps = label.isVisible() and label.wordWrap() and bool(label.text())
        if wraps and label.heightForWidth(label.width()) > label.height() + 1:
            yield f"{label.text()!r} is cut off"
    for button in window.findChildren(ActionButton):
        if button.isVisible() and button.overflows():
            yield f"{button.text()} / {button.sub()} does not fit"
    for chip in window.findChildren(Chip):
        if chip.isVisible() and not chip.fits():
            yield f"{chip.text()} does not fit"


def _stands_in(window: QWidget, text: Drawn, names: tuple[str, ...]) -> bool:
    found: QWidget | None = window.childAt(text.box.center().toPoint())
    while found is not None and not found.objectName().startswith(names):
        found = found.parentWidget()
    return found is not None


def unreachable(window: DeskWindow) -> Iterator[str]:
    """What can be pressed or filled in and has no name, or is not on Tab's way."""
    on_the_way, at = set[QWidget](), window.nextInFocusChain()
    while at is not None and at is not window:
        on_the_way.add(at)
        at = at.nextInFocusChain()
    for part in window.findChildren(QWidget):
        takes_focus = bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus) and part.objectName() != "qt_scrollarea"
        if not part.isVisible() or not (takes_focus or isinstance(part, Control)):
            continue
        interface = QAccessible.queryAccessibleInterface(part)
        if not interface.text(QAccessible.Text.Name).strip():
            yield f"{part.objectName()} has no name"
        if not part.isEnabled():
            if isinstance(part, Control) and not interface.text(QAccessible.Text.Description).strip():
                yield f"{part.objectName()} is off and does not say why"
            elif isinstance(part, Control) and part.accessibleDescription() not in " ".join(part.toolTip().split()):
                yield f"{part.objectName()} is off, and its tooltip does not say why"
        elif not part.focusPolicy() & Qt.FocusPolicy.TabFocus or part not in on_the_way:
            yield f"{part.objectName()} is not reached by Tab"


def checked(
    look: Look, name: str, more: Callable[[DeskWindow], object] | None = None, *, shortened: tuple[str, ...] = ()
) -> None:
    if more is not None:
        more(look.window)
    for _ in range(_TURNS):
        QApplication.processEvents()
    look.window.setUpdatesEnabled(True)  # without it a text field draws no text
    look.faults += [f"{name}: {fault}" for fault in (*faults(look.window, shortened), *unreachable(look.window))]
    look.window.setUpdatesEnabled(False)


def test_every_state_of_a_call_can_be_read_and_reached_and_moves_nothing(look: Look) -> None:
    at_first: dict[str, tuple[QPoint, int]] = {}
    for name, state in CALLS.items():
        window = look.at(state)
        # With a word on a bad connection a narrow window has no room for the line's name.
        checked(look, name, shortened=("lineName",) if name == "bad_connection" else ())
        if window.call.card.overflows():
            look.faults.append(f"{name}: the card's words do not fit")
        window.resize(window.width(), round(620 * scale.factor()))
        look.again(state)
        at_first = at_first or places(window)
        if places(window) != at_first:
            look.faults.append(f"{name}: something has moved")
    assert not look.faults, "\n".join(look.faults)


def test_every_page_and_part_that_opens_can_be_read_and_reached(look: Look) -> None:
    for name, state in PAGES.items():
        window = look.at(state)
        checked(look, name)
        window.open_settings()
        for section in (window.settings.account, window.settings.sound):
            section.more.click()
        look.again(state)
        reel = window.settings.reel.verticalScrollBar()
        for step in range(0, reel.maximum() + 1, 400):
            reel.setValue(step)
            checked(look, f"{name}, settings at {step}")
        window.close_settings()
    recorded = CALLS["training_declined"]
    window = look.at(recorded)
    checked(look, "asks first", lambda window: window.call.rights.opt_out.click())
    assert window.call.rights.sure.isVisible()
    checked(look, "keypad", lambda window: window.call.show_keypad(wanted=True))
    checked(look, "transfer", lambda window: window.call.show_transfer(wanted=True))
    checked(
        look, "notice", lambda window: (window.call.show_transfer(wanted=False), window.call.moment.notice.fold.click())
    )
    look.at(CALLS["bad_connection"])
    checked(look, "connection", lambda window: window.call.show_quality(wanted=True), shortened=("lineName",))
    look.at(CALLS["consultation"])
    checked(look, "keypad to a colleague", lambda window: window.call.show_keypad(wanted=True))
    window = look.at(recorded)
    asked = replace(recorded, quit_asked=QuitAsked(QuitPhase.WAITS))
    look.at(asked)
    checked(look, "an update waits")
    window = look.at(recorded)
    window.compact.toggle()
    look.again(recorded)
    checked(look, "compact")
    assert not look.faults, "\n".join(look.faults)
