"""Who was missed or lost while nobody looked: counted in the page, the title and the tray, until somebody is there again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Language
from softphone.ui.tray import sign
from softphone.ui.view import View
from softphone.wire.to_engine import Dial, Seen
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id

MISSED = tuple(
    replace(s.HISTORY[2], id=f"m{n}", number=number, unseen=True)
    for n, number in enumerate(("+4540119017", "+4531221009"))
)
AWAY = s.snapshot(history=(*MISSED, *s.HISTORY))
LOST = replace(s.HISTORY[3], broke_off=True, unseen=True)


def test_missed_calls_are_counted_in_page_title_and_tray_until_a_hand_is_at_the_window(
    scene: Scene, view_of: Callable[..., View]
) -> None:
    desk = scene.open(AWAY)
    window = desk.window
    said = "2 ubesvarede opkald"
    assert (window.ready.missed.text(), window.windowTitle()) == (said, f"{said} – Klartone")
    rows = {row.line.past.id: row.line for row in window.ready.history.rows}
    assert rows["m0"].past.unseen
    assert not rows["h3"].past.unseen
    light = view_of(AWAY)
    assert sign(light) == ("phone_missed", light.theme.amber.mark, said)
    assert sign(view_of(replace(AWAY, history=MISSED[:1]), Language.EN))[2] == "1 missed call"
    window.activateWindow()  # as a link that another program opens does
    QApplication.processEvents()
    scene.show(replace(AWAY, version=8))
    assert scene.commands() == []
    handle = window.windowHandle()
    for _ in range(2):  # once, until the engine has answered
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 5))
    assert [without_id(one) for one in scene.sent()] == [Seen("", ("m0", "m1"))]
    scene.show(replace(AWAY, version=9, history=tuple(replace(one, unseen=False) for one in AWAY.history)))
    assert (window.ready.missed.isVisible(), window.windowTitle()) == (False, "Klartone")
    assert sign(view_of(s.snapshot())) == ("phone", light.theme.muted, "")


def test_a_hand_in_a_call_has_not_seen_who_was_missed_in_it(scene: Scene) -> None:
    desk = scene.open(replace(AWAY, calls=(s.ROWS["recording"][0],)))
    QTest.mouseClick(
        desk.window.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 5)
    )
    QApplication.processEvents()
    assert scene.commands() == []
    assert desk.window.windowTitle().startswith("Optages")


def test_a_call_that_the_phone_broke_off_says_whom_to_call_and_one_press_does(scene: Scene) -> None:
    desk = scene.open(s.snapshot(history=(LOST, *s.HISTORY[:2])))
    (card,) = desk.window.ready.lost.cards.values()
    assert (card.caption.text(), card.name.text(), card.again.text()) == (
        "Samtalen blev afbrudt",
        "Nordkyst Byg ApS",
        "Ring op",
    )
    assert card.number.text() == "+45 98 12 00 40 · Salgslinjen"
    assert desk.window.windowTitle() == "Klartone"
    scene.press("lostCall_h4")
    scene.press("lostDone_h4")
    assert [without_id(one) for one in scene.sent(2)] == [
        Dial("", "acc-1", "+4598120040", "salg"),
        Seen("", ("h4",)),
    ]
    scene.show(s.snapshot(history=(replace(LOST, name="", number=""),)))
    assert (card.name.text(), card.number.text(), card.again.isEnabled()) == ("Skjult nummer", "Salgslinjen", False)
    scene.show(s.snapshot())
    assert not desk.window.ready.lost.isVisible()
