"""A dispute about earlier calls: the entry of the call's menu, the button of wrap-up and of an opened row, and what is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu

from softphone.domain.purpose import Language
from softphone.ui.call.earlier import EarlierMenu
from softphone.ui.controls import FilledButton
from softphone.wire.from_engine import Done, Refused
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import LockEarlier
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id
from tests.ui.test_double_press import SECOND_PRESS, Clock, clock, stand

__all__ = ["clock"]

pytestmark = pytest.mark.rule("G10")


def click(scene: Scene, menu: QMenu, action: QAction) -> None:
    """As a person does: the entry must be in sight."""
    scene.qtbot.waitUntil(menu.isVisible, timeout=10_000)
    scene.qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def told(scene: Scene) -> str:
    assert scene.desk is not None
    note = scene.desk.window.note
    return "" if note.isHidden() else note.text.text()


@pytest.mark.parametrize("by", ["party", "controller"])
def test_the_calls_menu_asks_who_needs_it_and_sends_the_calls_id(scene: Scene, by: str) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    menu = desk.window.call.tools.menu
    scene.press("more")
    click(scene, menu, menu.earlier.menuAction())
    assert [one.text() for one in menu.earlier.actions()] == [
        "Kunden beder om det – kan ikke fortrydes her",
        "Vi har brug for det – kan ikke fortrydes her",
    ]
    click(scene, menu.earlier, next(one for one in menu.earlier.actions() if one.objectName() == f"moreEarlier_{by}"))
    assert [without_id(one) for one in scene.sent()] == [LockEarlier("", "call-1", by)]  # type: ignore[arg-type]
    assert not menu.isVisible()


def test_the_keyboard_alone_comes_to_it(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.keys(Qt.Key.Key_E)
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return):
        scene.qtbot.keyClick(QApplication.activePopupWidget(), key)
    assert [without_id(one) for one in scene.sent()] == [LockEarlier("", "call-1", "controller")]


@pytest.mark.parametrize(("prefix", "call"), [("last", s.ENDED), ("past", s.REOPENED)])
def test_after_the_call_a_button_does_the_same_below_its_neighbours(
    scene: Scene, prefix: str, call: s.CallState
) -> None:
    scene.open(s.snapshot(call))
    scene.press(f"{prefix}LockEarlier")
    menu = scene.widget(f"{prefix}EarlierMenu")
    assert isinstance(menu, EarlierMenu)
    click(scene, menu, menu.by["party"])
    assert [without_id(one) for one in scene.sent()] == [LockEarlier("", call.id, "party")]


def test_of_a_withheld_number_it_is_off_and_says_why(scene: Scene) -> None:
    desk = scene.open(s.snapshot(replace(s.call(s.RECORDING), number="")))
    entry = desk.window.call.tools.menu.earlier.menuAction()
    assert (entry.text(), entry.isEnabled()) == (
        "Lås tidligere samtaler – nummeret er skjult",
        False,
    )
    scene.show(s.snapshot(replace(s.ENDED, number="")))
    button = scene.widget("lastLockEarlier")
    assert not button.isEnabled()
    assert button.accessibleName() == "Lås tidligere samtaler med nummeret"
    assert button.accessibleDescription() == "nummeret er skjult"


def test_on_a_first_call_there_is_nothing_to_lock_and_it_is_not_offered(scene: Scene) -> None:
    desk = scene.open(s.snapshot(replace(s.call(s.RECORDING), recorded_before=False)))
    entry = desk.window.call.tools.menu.earlier.menuAction()
    assert (entry.text(), entry.isEnabled()) == ("Lås tidligere samtaler – der er ingen", False)
    scene.show(s.snapshot(replace(s.ENDED, recorded_before=False)))
    button = scene.widget("lastLockEarlier")
    assert not button.isVisible()
    # Before the archive has answered, and of a row, it is not known: then it is offered.
    scene.show(s.snapshot(s.ENDED))
    assert button.isVisible()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Done("1", {"locked": "1"}), "Én tidligere samtale med nummeret er låst mod sletning. "),
        (Done("1", {"locked": "3"}), "3 tidligere samtaler med nummeret er låst mod sletning. "),
        (
            Done("1", {"locked": "2", "unreadable": "1"}),
            "2 tidligere samtaler med nummeret er låst mod sletning. Kun databeskyttelsesfunktionen kan låse dem op igen. "
            "Én optagelse med nummeret blev ikke låst: ",
        ),
        (
            Refused("1", CodedText("refused.earlier.unreadable", {"count": 3})),
            "3 optagelser med nummeret blev ikke låst: ",
        ),
        (Refused("1", CodedText("refused.earlier.none")), "Der er ingen tidligere samtaler med dette nummer "),
        (
            Refused("1", CodedText("refused.earlier.locked")),
            "De tidligere samtaler med dette nummer er låst i forvejen.",
        ),
    ],
)
def test_how_many_were_locked_is_told_or_why_none(scene: Scene, answer: Done | Refused, said: str) -> None:
    scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.tell(answer)
    scene.qtbot.waitUntil(lambda: told(scene).startswith(said), timeout=10_000)


def test_a_double_click_on_the_button_chooses_nothing(scene: Scene, clock: Clock) -> None:
    scene.open(s.snapshot(s.ENDED))
    stand(scene, clock)
    scene.press("lastLockEarlier")
    menu = scene.widget("lastEarlierMenu")
    assert isinstance(menu, EarlierMenu)
    clock.go(SECOND_PRESS)
    click(scene, menu, menu.by["party"])
    scene.press("lastLockEarlier")
    clock.go(2)
    click(scene, menu, menu.by["controller"])
    assert [without_id(one) for one in scene.sent()] == [LockEarlier("", s.ENDED.id, "controller")]


@pytest.mark.parametrize("language", list(Language))
def test_the_button_fits_in_the_narrowest_window(scene: Scene, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.snapshot(s.ENDED))
    desk.window.resize(320, 640)
    scene.show(s.snapshot(s.ENDED))
    QApplication.processEvents()
    button = scene.widget("lastLockEarlier")
    assert isinstance(button, FilledButton)
    assert button.isVisible()
    assert button.width() >= button.sizeHint().width()
    assert button.mapTo(desk.window, QPoint(button.width(), 0)).x() <= 320 - 16 - 14
