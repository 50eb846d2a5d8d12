"""The keyboard alone is enough: the keys of the buttons, the order of the tab key, and where the focus goes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QApplication

from softphone.domain.status import Action, OptOutButton, OptOutKind
from softphone.ui.window import DeskWindow
from softphone.wire.to_engine import Act, Answer, HangUp, HoldCall, Mute, OptOut, RaiseDispute, SendDigits
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene, without_id

V = s.RECORDING.version
ALT = Qt.KeyboardModifier.AltModifier


def test_a_whole_call_by_the_keyboard_alone(scene: Scene) -> None:
    scene.open(s.snapshot(s.INCOMING))
    scene.keys(Qt.Key.Key_Return)
    scene.sent(1)
    scene.show(s.snapshot(s.call(s.RECORDING)))
    for key in (Qt.Key.Key_M, Qt.Key.Key_H, Qt.Key.Key_O, Qt.Key.Key_D):
        scene.keys(key)
    scene.keys(Qt.Key.Key_Backspace)
    assert [without_id(command) for command in scene.sent(6)] == [
        Answer("", "call-1"),
        Mute("", "call-1", on=True),
        HoldCall("", "call-1", on=True),
        OptOut("", "call-1", V, OptOutKind.TRAINING_ENDS),
        RaiseDispute("", "call-1", V),
        HangUp("", "call-1"),
    ]


def test_digits_are_typed_into_the_window_while_the_keypad_is_open_and_escape_closes_it(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.keys(Qt.Key.Key_K)
    assert desk.window.call.keypad_open
    for key in (Qt.Key.Key_1, Qt.Key.Key_2):
        scene.keys(key, Qt.KeyboardModifier.NoModifier)  # wherever the focus is: nobody has put it into the page
    desk.window.call.rights.dispute.setFocus(Qt.FocusReason.TabFocusReason)
    scene.qtbot.keyClicks(desk.window.call.rights.dispute, "#")
    desk.window.settings_button.setFocus(Qt.FocusReason.TabFocusReason)
    scene.qtbot.keyClicks(desk.window.settings_button, "*")
    assert [without_id(command) for command in scene.sent(4)] == [SendDigits("", "call-1", key) for key in "12#*"]
    assert desk.window.call.keypad.pressed.text() == "12#*"
    scene.keys(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not desk.window.call.keypad_open
    scene.keys(Qt.Key.Key_3, Qt.KeyboardModifier.NoModifier)
    assert len(scene.commands()) == 4


def test_the_calls_keys_work_while_the_settings_are_open_and_what_came_of_it_is_shown(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    pages = desk.window.pages
    for key in (Qt.Key.Key_M, Qt.Key.Key_H):
        desk.window.open_settings()
        scene.keys(key)
        assert pages.currentWidget() is desk.window.settings
    for key in (Qt.Key.Key_O, Qt.Key.Key_D, Qt.Key.Key_P, Qt.Key.Key_K, Qt.Key.Key_Backspace):
        desk.window.open_settings()
        scene.keys(key)
        assert pages.currentWidget() is desk.window.call
    scene.qtbot.waitUntil(lambda: any(isinstance(one, HangUp) for one in scene.commands()), timeout=10_000)
    sent = [without_id(one) for one in scene.commands()]
    assert sent == [
        Mute("", "call-1", on=True),
        HoldCall("", "call-1", on=True),
        OptOut("", "call-1", V, OptOutKind.TRAINING_ENDS),
        RaiseDispute("", "call-1", V),
        Act("", "call-1", V, Action.PAUSE_SENSITIVE),
        HangUp("", "call-1"),
    ]
    assert desk.window.call.keypad_open
    desk.window.open_settings()
    scene.keys(Qt.Key.Key_E)
    menu = desk.window.call.tools.menu
    assert menu.isVisible()
    menu.close()


def test_a_key_for_what_the_moment_asks_first_shows_it_where_the_settings_cover_it(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.NOBODY_YET)))
    desk.window.open_settings()
    scene.keys(Qt.Key.Key_1, ALT)
    assert desk.window.pages.currentWidget() is desk.window.call
    assert scene.commands() == []
    scene.keys(Qt.Key.Key_1, ALT)
    scene.qtbot.waitUntil(lambda: any(isinstance(one, Act) for one in scene.commands()), timeout=10_000)


def test_the_moments_buttons_have_keys_of_their_own(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.NOBODY_YET)))
    scene.keys(Qt.Key.Key_1, ALT)
    scene.keys(Qt.Key.Key_2, ALT)
    assert [getattr(command, "action", "") for command in scene.sent(2)] == ["person_answered", "voicemail"]


@pytest.mark.rule("G03")
def test_each_of_two_questions_has_its_keys_and_a_name_for_a_screen_reader(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["two_asked"]))
    for key in (Qt.Key.Key_1, Qt.Key.Key_4):
        scene.keys(key, ALT)
    sent = [(getattr(one, "action", ""), getattr(one, "purpose", "")) for one in scene.sent(2)]
    assert sent == [("said_yes", s.DOC), ("said_no", s.TRAIN)]
    names = [chip.accessibleName() for chip in desk.window.call.moment.answers.chips()]
    assert names == [
        "Kunden sagde ja til dokumentation",
        "Kunden sagde nej til dokumentation",
        "Kunden sagde ja til uddannelse",
        "Kunden sagde nej til uddannelse",
    ]
    scene.show(s.snapshot(e.CALLS["by_key_alone"]))
    yes = scene.widget("saidYesTraining")
    assert not yes.isEnabled()
    assert yes.accessibleDescription() == "på denne linje kan der kun siges ja med tasten"


def test_a_key_does_nothing_where_its_button_is_off(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.NOT_DRAWN)))
    scene.keys(Qt.Key.Key_O)
    scene.keys(Qt.Key.Key_D)
    scene.keys(Qt.Key.Key_M)
    assert [type(command) for command in scene.sent(1)] == [Mute]


def test_tab_follows_the_order_of_the_page(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.LOCKED_CALL))
    window = desk.window
    scene.activate()
    window.settings_button.setFocus(Qt.FocusReason.TabFocusReason)
    order: list[str] = []
    for _ in range(18):
        scene.qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        if focus is not None:
            order.append(focus.objectName())
        if order[-1:] == ["hangUp"]:
            break
    assert order == [
        "copyNumber",
        "statusCard",
        "optOut",
        "dispute",
        "choice_dispute_by_party",
        "choice_dispute_by_controller",
        "noticeFold",
        "callNote",
        "mute",
        "hold",
        "keypad",
        "transfer",
        "pauseSensitive",
        "more",
        "hangUp",
    ]


def test_tab_goes_through_the_page_between_calls_in_its_order(scene: Scene) -> None:
    desk = scene.open(e.TO_CALL_BACK)
    window = desk.window
    scene.activate()
    window.ready.dial.target.setFocus(Qt.FocusReason.TabFocusReason)
    order: list[str] = []
    for _ in range(7):
        scene.qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        order.append(focus.objectName() if focus is not None else "")
    order = [name for name in order if name != "dialLine"]
    assert order[:6] == [
        "dial",
        "callBackDone_cb1",
        "callBackCall_cb1",
        "callBackDone_cb2",
        "callBackCall_cb2",
        "past_h1",
    ]


def test_the_table_of_keys_in_the_documents_is_the_windows(qapp: QApplication) -> None:
    table = (RESOURCES.parent / "docs" / "agents.md").read_text(encoding="utf-8").partition("| keys |")[2]
    told = {key for row in re.findall(r"(?m)^\| ((?:Alt|Ctrl|Esc)[^|]*) \|", table) for key in row.split(", ")}
    window = DeskWindow()
    there = {shortcut.key().toString() for shortcut in window.findChildren(QShortcut)}
    window.deleteLater()
    assert {key.replace("Enter", "Return") for key in told} == there


def test_the_keys_stand_in_the_tooltips(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    for name, key in {"optOut": "Ctrl+O", "dispute": "Ctrl+D", "mute": "Ctrl+M", "hangUp": "Ctrl+Backspace"}.items():
        assert key in scene.widget(name).toolTip()
    assert desk.window.call.answer.toolTip().count("Ctrl+Return") == 1


def test_a_text_longer_than_its_place_is_read_to_its_end_by_the_keyboard_alone(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    window = desk.window
    window.resize(376, 545)
    scene.activate()
    scene.qtbot.waitUntil(lambda: window.call.first.slot.focusPolicy() is Qt.FocusPolicy.NoFocus, timeout=10_000)
    window.call.rights.dispute.setFocus(Qt.FocusReason.TabFocusReason)
    before = window.grab().toImage()
    scene.qtbot.keyClick(window.call.rights.dispute, Qt.Key.Key_Tab)
    press = QApplication.focusWidget()
    assert press is not None
    assert press.objectName() == "voicemail"
    scene.qtbot.keyClick(press, Qt.Key.Key_Tab)
    reel = window.call.first.reel
    assert QApplication.focusWidget() is reel
    assert reel.accessibleName()
    edge = reel.mapTo(window, QPoint(1, reel.height() // 2))
    assert window.grab().toImage().pixelColor(edge).name() == "#1257c7"
    assert before.pixelColor(edge).name() != "#1257c7"
    bar = reel.verticalScrollBar()
    assert bar.maximum() > 0
    for _ in range(40):
        scene.qtbot.keyClick(reel, Qt.Key.Key_Down)
    assert bar.value() == bar.maximum()
    scene.show(s.snapshot(s.call(s.RECORDING)))
    scene.qtbot.waitUntil(lambda: bar.maximum() == 0, timeout=10_000)
    assert QApplication.focusWidget() is window  # not the neighbour


def test_a_button_that_goes_off_under_the_focus_does_not_hand_it_to_its_neighbour(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    button = desk.window.call.rights.opt_out
    scene.activate()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    scene.show(
        s.snapshot(s.call(replace(s.RECORDING, opt_out=OptOutButton(OptOutKind.NONE, enabled=False, why_not="over"))))
    )
    scene.qtbot.keyClick(QApplication.focusWidget() or desk.window, Qt.Key.Key_Space)
    scene.qtbot.keyClick(QApplication.focusWidget() or desk.window, Qt.Key.Key_Return)
    scene.press("mute")
    assert [type(command) for command in scene.sent()] == [Mute]


def test_a_caller_who_rings_while_the_settings_are_open_can_be_answered_by_the_keyboard(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    path = desk.window.settings.policy.path
    scene.activate()
    path.setFocus()
    path.clear()
    scene.qtbot.keyClicks(path, "/hal")
    scene.show(s.snapshot(s.INCOMING))
    assert desk.window.pages.currentWidget() is desk.window.call
    scene.keys(Qt.Key.Key_Return)
    # Half a path has not become the policy's on the way.
    assert [type(command) for command in scene.sent()] == [Answer]
    assert path.text() == "/hal"
