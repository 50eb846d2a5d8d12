"""A double press never does the next thing, though the engine has answered in between; a press that was meant always counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from softphone.domain.status import Action, DisputeButton, DisputeKind, OptOutButton, OptOutKind
from softphone.ui import controls
from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import Control
from softphone.ui.driver import DeskDriver, NotThereError
from softphone.ui.view import new_id
from softphone.wire import to_engine
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import (
    Act,
    Answer,
    EndCallBack,
    HoldCall,
    Mute,
    OptOut,
    RaiseDispute,
    SendDigits,
    UndoDispute,
)
from tests.ui import events as e
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id

V = s.RECORDING.version
SECOND_PRESS, LATER = 0.2, 0.5
"""seconds after the first: of a double click, and of a press of its own"""


class Clock:
    now = 1000.0

    def go(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[Clock]:
    """The hand's clock stands still until it is moved on; a double click lasts as long as on most machines."""
    clock = Clock()
    monkeypatch.setattr(controls, "monotonic", lambda: clock.now)
    before = qapp.doubleClickInterval()
    qapp.setDoubleClickInterval(400)
    yield clock
    qapp.setDoubleClickInterval(before)


@dataclass(frozen=True)
class Twice:
    """A press, what the engine makes of it, and what stands there then."""

    button: str
    key: Qt.Key | None
    before: CallState
    after: CallState
    first: object
    next: object

    @property
    def modifier(self) -> Qt.KeyboardModifier:
        """The moment's presses have keys of their own."""
        moments = self.key is Qt.Key.Key_1
        return Qt.KeyboardModifier.AltModifier if moments else Qt.KeyboardModifier.ControlModifier


ANSWERED = s.call(s.RECORDING)
READ = replace(s.READING, actions=(Action.NOTICE_READ, Action.VOICEMAIL))
OBLIGED = replace(s.ON_OBLIGATION, purposes={s.DOC: s.OBLIGED, s.TRAIN: s.DECLINED})
TWICE = [
    Twice(
        "optOut",
        Qt.Key.Key_O,
        ANSWERED,
        s.call(OBLIGED),
        OptOut("", "call-1", V, OptOutKind.TRAINING_ENDS),
        OptOut("", "call-1", V, OptOutKind.NOTE_REQUEST),
    ),
    Twice(
        "dispute", Qt.Key.Key_D, ANSWERED, s.LOCKED_CALL, RaiseDispute("", "call-1", V), UndoDispute("", "call-1", V)
    ),
    Twice(
        "pauseSensitive",
        Qt.Key.Key_P,
        ANSWERED,
        s.call(s.SENSITIVE),
        Act("", "call-1", V, Action.PAUSE_SENSITIVE),
        Act("", "call-1", V, Action.RESUME),
    ),
    Twice(
        "hold",
        Qt.Key.Key_H,
        ANSWERED,
        replace(ANSWERED, held_by_us=True),
        HoldCall("", "call-1", on=True),
        HoldCall("", "call-1", on=False),
    ),
    Twice(
        "mute",
        Qt.Key.Key_M,
        ANSWERED,
        replace(ANSWERED, muted=True),
        Mute("", "call-1", on=True),
        Mute("", "call-1", on=False),
    ),
    Twice("answer", None, s.INCOMING, ANSWERED, Answer("", "call-1"), HoldCall("", "call-1", on=True)),
    Twice(
        "personAnswered",
        Qt.Key.Key_1,
        s.call(s.NOBODY_YET),
        s.call(READ),
        Act("", "call-1", V, Action.PERSON_ANSWERED),
        Act("", "call-1", V, Action.NOTICE_READ),
    ),
    Twice(
        "playAgain",
        Qt.Key.Key_1,
        s.call(replace(s.NEWCOMER, actions=(Action.PLAY_AGAIN, Action.FINISH_ORALLY))),
        s.call(replace(s.NEWCOMER, actions=(Action.FINISH_ORALLY,))),
        Act("", "call-1", V, Action.PLAY_AGAIN),
        Act("", "call-1", V, Action.FINISH_ORALLY),
    ),
]
NAMED = [pytest.param(one, id=one.button) for one in TWICE]
KEYED = [pytest.param(one, id=one.button) for one in TWICE if one.key is not None]


def opened(scene: Scene, clock: Clock, state: CallState) -> None:
    scene.open(s.snapshot(state))
    stand(scene, clock)


def stand(scene: Scene, clock: Clock) -> None:
    """Everything has its place, and has had it for long."""
    scene.qtbot.wait(1)
    clock.go(60.0)


def place(scene: Scene, name: str) -> QPoint:
    assert scene.desk is not None
    button = scene.widget(name)
    return button.mapTo(scene.desk.window, button.rect().center())


def under(scene: Scene, hand: QPoint) -> tuple[QWidget, QPoint]:
    """What is there now, and the hand's place on it."""
    assert scene.desk is not None
    found = scene.desk.window.childAt(hand)
    assert found is not None
    return found, found.mapFrom(scene.desk.window, hand)


def click(scene: Scene, hand: QPoint, *, again: bool = False) -> None:
    """With the mouse, wherever what was there has gone; `again`: as Qt tells of the second of a double click."""
    widget, at = under(scene, hand)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    (QTest.mouseDClick if again else QTest.mousePress)(widget, left, none, at)
    QTest.mouseRelease(widget, left, none, at)


def space(scene: Scene) -> None:
    assert scene.desk is not None
    scene.qtbot.keyClick(QApplication.focusWidget() or scene.desk.window, Qt.Key.Key_Space)


def so_far(scene: Scene) -> list[object]:
    """All commands that have been sent by now."""
    assert scene.desk is not None
    last = to_engine.TestTone(new_id())
    scene.desk.window.command.emit(last)
    scene.qtbot.waitUntil(lambda: last in scene.commands(), timeout=10_000)
    return [without_id(one) for one in scene.commands() if not isinstance(one, to_engine.TestTone)]


@pytest.mark.rule("G31")
@pytest.mark.parametrize("again", [True, False], ids=["double click", "two clicks"])
@pytest.mark.parametrize("twice", NAMED)
def test_the_second_click_does_nothing_though_the_engine_has_answered_and_a_later_one_counts(
    scene: Scene, clock: Clock, twice: Twice, again: bool
) -> None:
    opened(scene, clock, twice.before)
    hand = place(scene, twice.button)
    click(scene, hand)
    assert [without_id(one) for one in scene.sent()] == [twice.first]
    scene.show(s.snapshot(twice.after))
    clock.go(SECOND_PRESS)
    click(scene, hand, again=again)
    assert so_far(scene) == [twice.first]
    scene.qtbot.wait(1)
    clock.go(LATER)
    click(scene, hand)
    assert so_far(scene) == [twice.first, twice.next]


@pytest.mark.rule("G31")
@pytest.mark.parametrize("twice", KEYED)
def test_the_second_press_of_a_key_does_nothing_though_the_engine_has_answered_and_a_later_one_counts(
    scene: Scene, clock: Clock, twice: Twice
) -> None:
    assert twice.key is not None
    opened(scene, clock, twice.before)
    scene.keys(twice.key, twice.modifier)
    assert [without_id(one) for one in scene.sent()] == [twice.first]
    scene.show(s.snapshot(twice.after))
    clock.go(SECOND_PRESS)
    scene.keys(twice.key, twice.modifier)
    assert so_far(scene) == [twice.first]
    scene.qtbot.wait(1)
    clock.go(LATER)
    scene.keys(twice.key, twice.modifier)
    assert so_far(scene) == [twice.first, twice.next]


@pytest.mark.rule("G31")
@pytest.mark.parametrize("seconds", [SECOND_PRESS, LATER, 20.0])
def test_a_second_press_of_the_opt_out_that_goes_further_asks_first_by_key_and_by_mouse(
    scene: Scene, clock: Clock, seconds: float
) -> None:
    opened(scene, clock, ANSWERED)
    first = OptOut("", "call-1", V, OptOutKind.TRAINING_ENDS)
    scene.keys(Qt.Key.Key_O)
    assert [without_id(one) for one in scene.sent()] == [first]
    scene.show(s.snapshot(s.call(s.TRAINING_DECLINED)))
    button, sure = scene.widget("optOut"), scene.widget("optOutSure")
    assert isinstance(button, ActionButton)
    assert button.sub() == "spørger først"
    for _ in range(3):
        clock.go(seconds)
        scene.keys(Qt.Key.Key_O)
    hand = place(scene, "optOut")
    for _ in range(3):
        clock.go(seconds)
        click(scene, hand)
    assert so_far(scene) == [first]
    scene.qtbot.wait(1)
    clock.go(LATER)
    scene.keys(Qt.Key.Key_O)
    assert sure.isVisible()
    scene.qtbot.keyClick(QApplication.focusWidget() or sure, Qt.Key.Key_Escape)
    assert not sure.isVisible()
    scene.keys(Qt.Key.Key_O)
    scene.qtbot.wait(1)
    clock.go(LATER)
    scene.press("optOutYes")
    assert so_far(scene) == [first, OptOut("", "call-1", V, OptOutKind.OBJECTION)]
    assert not sure.isVisible()


@pytest.mark.rule("G31")
def test_deleting_all_asks_first_where_the_party_has_refused_one_purpose_already(scene: Scene, clock: Clock) -> None:
    """Also in a window that was not there for the first press."""
    delete = replace(s.TRAINING_DECLINED, opt_out=OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True, asks=True))
    opened(scene, clock, s.call(delete))
    scene.press("optOut")
    assert so_far(scene) == []
    stand(scene, clock)
    scene.press("optOutNo")
    assert so_far(scene) == []
    stand(scene, clock)
    scene.press("optOut")
    stand(scene, clock)
    scene.press("optOutYes")
    assert so_far(scene) == [OptOut("", "call-1", V, OptOutKind.STOP_AND_DELETE)]


@pytest.mark.parametrize("twice", NAMED)
def test_space_pressed_twice_does_the_next_thing_no_more_than_a_double_click(
    scene: Scene, clock: Clock, twice: Twice
) -> None:
    opened(scene, clock, twice.before)
    scene.activate()
    scene.widget(twice.button).setFocus(Qt.FocusReason.TabFocusReason)
    space(scene)
    assert [without_id(one) for one in scene.sent()] == [twice.first]
    scene.show(s.snapshot(twice.after))
    clock.go(SECOND_PRESS)
    space(scene)
    assert so_far(scene) == [twice.first]


def test_a_button_that_goes_away_under_the_focus_does_not_hand_it_to_its_neighbour(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, s.call(s.NOBODY_YET))
    scene.activate()
    scene.widget("personAnswered").setFocus(Qt.FocusReason.TabFocusReason)
    space(scene)
    scene.sent()
    scene.show(s.snapshot(s.call(READ)))
    stand(scene, clock)
    space(scene)
    assert so_far(scene) == [Act("", "call-1", V, Action.PERSON_ANSWERED)]


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_a_key_held_down_presses_once(scene: Scene, clock: Clock, key: Qt.Key) -> None:
    opened(scene, clock, ANSWERED)
    scene.activate()
    button = scene.widget("mute")
    button.setFocus(Qt.FocusReason.TabFocusReason)
    scene.qtbot.keyClick(button, key)
    for _ in range(3):
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(button, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, "", True))
    assert so_far(scene) == [Mute("", "call-1", on=True)]


def test_a_screen_readers_press_counts_and_its_second_one_does_nothing(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, ANSWERED)
    button = scene.widget("dispute")
    assert isinstance(button, Control)
    reader = QAccessible.queryAccessibleInterface(button).actionInterface()
    reader.doAction("Press")
    assert [without_id(one) for one in scene.sent()] == [RaiseDispute("", "call-1", V)]
    scene.show(s.snapshot(s.LOCKED_CALL))
    clock.go(SECOND_PRESS)
    reader.doAction("Press")
    scene.qtbot.waitUntil(lambda: not button.isDown(), timeout=10_000)
    assert so_far(scene) == [RaiseDispute("", "call-1", V)]


def test_what_was_pressed_down_before_it_changed_is_not_pressed_when_it_is_let_go(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, ANSWERED)
    hand = place(scene, "optOut")
    widget, at = under(scene, hand)
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    scene.show(s.snapshot(s.call(s.TRAINING_DECLINED)))
    clock.go(LATER)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert so_far(scene) == []


def test_a_double_click_is_one_press_where_the_engine_has_yet_to_answer(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, ANSWERED)
    hand = place(scene, "mute")
    click(scene, hand)
    click(scene, hand, again=True)
    assert so_far(scene) == [Mute("", "call-1", on=True)]


def test_two_fast_digits_of_the_keypad_both_count(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, ANSWERED)
    scene.press("keypad")
    scene.qtbot.wait(1)
    hand = place(scene, "key_5")
    click(scene, hand)
    clock.go(SECOND_PRESS)
    click(scene, hand, again=True)
    assert so_far(scene) == [SendDigits("", "call-1", "5")] * 2


def test_the_next_in_a_list_that_has_moved_up_is_not_taken_off_too(scene: Scene, clock: Clock) -> None:
    scene.open(e.TO_CALL_BACK)
    stand(scene, clock)
    hand = place(scene, "callBackDone_cb1")
    click(scene, hand)
    scene.sent()
    scene.show(replace(e.TO_CALL_BACK, call_backs=e.CALL_BACKS[1:]))
    scene.qtbot.wait(1)
    assert under(scene, hand)[0].objectName() == "callBackDone_cb2"
    clock.go(SECOND_PRESS)
    click(scene, hand)
    assert so_far(scene) == [EndCallBack("", "cb1")]


def test_a_control_that_keeps_its_place_in_the_window_takes_a_press_whatever_grows_around_it(
    qtbot: QtBot, clock: Clock
) -> None:
    window = QWidget()
    panel = QWidget(window)
    panel.setGeometry(0, 100, 300, 200)
    control = Control("here", panel)
    control.setGeometry(0, 150, 100, 40)
    pressed = list[bool]()
    control.clicked.connect(pressed.append)
    qtbot.addWidget(window)
    window.show()
    clock.go(LATER)
    panel.setGeometry(0, 80, 300, 220)
    control.move(0, 170)
    control.click()
    assert len(pressed) == 1
    control.move(0, 150)
    control.click()
    assert len(pressed) == 1


def test_an_entry_of_the_open_menu_that_has_come_under_the_hand_is_not_pressed(scene: Scene, clock: Clock) -> None:
    desk = scene.open(s.snapshot(s.call(replace(s.RECORDING, actions=(Action.STOP_NOTICE, *s.TALK)))))
    stand(scene, clock)
    scene.press("more")
    scene.show(s.snapshot(ANSWERED))

    def private() -> None:
        menu = desk.window.call.tools.menu
        next(one for one in menu.actions() if one.objectName() == "action_private_call").trigger()

    clock.go(SECOND_PRESS)
    private()
    assert so_far(scene) == []
    clock.go(LATER)
    private()
    assert so_far(scene) == [Act("", "call-1", V, Action.PRIVATE_CALL)]
    desk.window.call.tools.menu.close()


def counting(seconds: float) -> CallState:
    status = s.LOCKED_CALL.status
    assert status is not None
    undo = DisputeButton(DisputeKind.UNDO, enabled=True, until=s.NOW + timedelta(seconds=seconds))
    return replace(s.LOCKED_CALL, status=replace(status, dispute=undo))


@pytest.mark.rule("G31")
def test_a_first_press_counts_on_what_has_stood_there_whatever_counts_down_or_happens_beside_it(
    scene: Scene, clock: Clock
) -> None:
    opened(scene, clock, counting(50))
    button = scene.widget("dispute")
    assert isinstance(button, ActionButton)
    before = button.sub()
    scene.show(s.snapshot(counting(49)))
    assert button.sub() != before
    scene.press("dispute")
    assert so_far(scene) == [UndoDispute("", "call-1", V)]
    # What is armed is locked with the first sample: the press is the same.
    scene.show(s.snapshot(s.call(s.PLAYING)))
    stand(scene, clock)
    scene.show(s.snapshot(ANSWERED))
    scene.press("dispute")
    assert so_far(scene)[1:] == [RaiseDispute("", "call-1", V)]


def test_the_line_that_goes_back_to_the_call_is_pressed_whatever_it_says_by_then(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, s.call(s.CONSENT))
    scene.press("openSettings")
    stand(scene, clock)
    before = scene.widget("callStrip").accessibleName()
    scene.show(s.snapshot(s.call(replace(s.CONSENT, until=s.NOW + timedelta(seconds=7)))))
    assert scene.widget("callStrip").accessibleName() != before
    scene.press("callStrip")
    assert scene.desk is not None
    assert not scene.desk.window.settings_open


def test_the_small_window_that_comes_under_the_hand_neither_answers_nor_declines_at_once(
    scene: Scene, clock: Clock
) -> None:
    opened(scene, clock, s.INCOMING)
    scene.show(s.snapshot())
    stand(scene, clock)
    scene.show(s.snapshot(s.INCOMING))
    clock.go(SECOND_PRESS)
    for name in ("popupAnswer", "popupDecline", "answer", "decline"):
        scene.press(name)
    assert so_far(scene) == []
    scene.qtbot.wait(1)
    clock.go(LATER)
    scene.press("popupAnswer")
    assert so_far(scene) == [Answer("", "call-1")]


def test_a_hand_waits_until_its_press_would_be_meant(scene: Scene, clock: Clock) -> None:
    opened(scene, clock, ANSWERED)
    assert scene.desk is not None
    hand = DeskDriver(scene.desk)
    assert hand.can_press("optOut")
    scene.show(s.snapshot(s.call(s.TRAINING_DECLINED)))
    assert not hand.can_press("optOut")
    with pytest.raises(NotThereError):
        hand.press("optOut")
    clock.go(LATER)
    assert hand.can_press("optOut")


SHOWN = {
    "recorded": ANSWERED,
    "rings": s.INCOMING,
    "nobody yet": s.call(s.NOBODY_YET),
    "read aloud": s.call(READ),
    "newcomer": s.call(replace(s.NEWCOMER, actions=(Action.PLAY_AGAIN, Action.FINISH_ORALLY))),
    "consent": s.call(s.CONSENT),
    "asked to call": replace(ANSWERED, asked_to_call="+4533112233"),
    "colleague": several.WAITS,
}


def of_the_call(scene: Scene) -> list[Control]:
    """Every control on the call's page that could be pressed."""
    assert scene.desk is not None
    return [one for one in scene.desk.window.call.findChildren(Control) if one.isVisible() and one.isEnabled()]


@pytest.mark.rule("G31")
@pytest.mark.parametrize("state", SHOWN.values(), ids=SHOWN.keys())
def test_a_press_does_not_land_on_the_other_call_that_comes_under_the_hand(
    scene: Scene, clock: Clock, state: CallState
) -> None:
    """By whatever control and key: the two calls may stand at the very same place."""
    colleague = [several.COLLEAGUE] if state is several.WAITS else []
    others = [replace(one, id="other", consults_for="call-2") for one in colleague]
    two = replace(state, id="call-2")
    opened(scene, clock, state)
    scene.show(s.snapshot(state, *colleague, replace(two, active=False), *others))
    stand(scene, clock)
    before = of_the_call(scene)
    scene.show(s.snapshot(two, *others))
    clock.go(0.05)
    stood = [one for one in of_the_call(scene) if one in before]
    assert len(stood) > 2
    for one in stood:
        scene.qtbot.mouseClick(one, Qt.MouseButton.LeftButton)
    for key in (Qt.Key.Key_O, Qt.Key.Key_D, Qt.Key.Key_M, Qt.Key.Key_H, Qt.Key.Key_P):
        scene.keys(key)
    for key in (Qt.Key.Key_K, Qt.Key.Key_T, Qt.Key.Key_E, Qt.Key.Key_Return, Qt.Key.Key_Backspace):
        scene.keys(key)
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4):
        scene.keys(key, Qt.KeyboardModifier.AltModifier)
    assert so_far(scene) == []
    assert scene.desk is not None
    page = scene.desk.window.call
    assert [page.keypad_open, page.transfer_open, page.tools.menu.isVisible()] == [False] * 3
    clock.go(LATER)
    assert all(one.takes_presses for one in stood)


def test_what_was_opened_or_pressed_down_for_one_call_does_nothing_to_the_other(scene: Scene, clock: Clock) -> None:
    """The keypad and its digits, the field of a transfer, the menu, and a button that is still held."""
    desk, two = scene.open(s.snapshot(ANSWERED)), replace(ANSWERED, id="call-2")
    page = desk.window.call

    def changes(*, back: bool = False) -> None:
        scene.show(s.snapshot(ANSWERED if back else two))
        clock.go(0.05)

    stand(scene, clock)
    scene.press("keypad")
    key = scene.widget("key_5")
    changes()
    assert isinstance(key, Control)
    key.click()
    scene.keys(Qt.Key.Key_5, Qt.KeyboardModifier.NoModifier)
    stand(scene, clock)
    scene.press("transfer")
    scene.qtbot.keyClicks(scene.widget("transferTarget"), "203")
    stand(scene, clock)
    changes(back=True)
    scene.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    stand(scene, clock)
    scene.press("more")
    changes()
    assert not page.tools.menu.isVisible()
    next(one for one in page.tools.menu.actions() if one.objectName() == "action_private_call").trigger()
    page.tools.menu.earlier.by["party"].trigger()
    stand(scene, clock)
    for name in ("hangUp", "noticeFold"):
        hand = place(scene, name)
        widget, at = under(scene, hand)
        QTest.mousePress(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        changes(back=name == "hangUp")
        clock.go(LATER)
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert so_far(scene) == []


def test_another_that_rings_is_not_answered_by_the_press_that_was_for_the_first(scene: Scene, clock: Clock) -> None:
    """In the page's box, and in the small window."""
    scene.open(s.snapshot(ANSWERED, several.RINGS))
    stand(scene, clock)
    scene.show(s.snapshot(ANSWERED, replace(several.RINGS, id="call-4")))
    for name in ("waitingAnswer", "waitingDecline", "popupAnswer", "popupDecline"):
        scene.press(name)
    assert so_far(scene) == []
    clock.go(LATER)
    # A press for the one that rings counts, whatever becomes of the call that is shown.
    scene.show(s.snapshot(replace(ANSWERED, id="call-2"), replace(several.RINGS, id="call-4")))
    scene.press("waitingAnswer")
    assert so_far(scene) == [Answer("", "call-4")]
