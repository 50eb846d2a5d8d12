"""Every button sends exactly its command, with the version and kind that it showed, over the real wire."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from pytestqt.exceptions import TimeoutError as NothingCame

from softphone import wire
from softphone.domain.purpose import Direction, Purpose
from softphone.domain.status import Button, Choice, OptOutKind
from softphone.ui.driver import Hand, NotThereError
from softphone.wire import (
    Act,
    Answer,
    CallPhase,
    CallState,
    Choose,
    Decline,
    Dial,
    EndWrapUp,
    HangUp,
    Hold,
    Look,
    Mute,
    OptOut,
    PastCall,
    RaiseDispute,
    SaveSettings,
    SendDigits,
    UndoDispute,
    WatchLevels,
)
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id

V = s.RECORDING.version


@dataclass(frozen=True)
class Press:
    button: str
    call: CallState
    sends: object


def outgoing(status: s.Status) -> CallState:
    return s.call(status, direction=Direction.OUTBOUND)


TWO_ASKED = replace(s.CONSENT, purposes={s.DOC: s.ASKED, s.TRAIN: s.ASKED})
READABLE = replace(s.READING, actions=("notice_read", "voicemail"))
COMPLAINT = replace(s.ENDED.status or s.DELETED, choices=(Choice("kept_for_complaint", ("keep", "delete"), "keep"),))

PRESSES = [
    Press("answer", s.INCOMING, Answer("", "call-1")),
    Press("decline", s.INCOMING, Decline("", "call-1")),
    Press("popupAnswer", s.INCOMING, Answer("", "call-1")),
    Press("popupDecline", s.INCOMING, Decline("", "call-1")),
    Press("hangUp", s.call(s.RECORDING), HangUp("", "call-1")),
    Press("hangUp", s.call(None, CallPhase.DIALLING, answered=None), HangUp("", "call-1")),
    Press("mute", s.call(s.RECORDING), Mute("", "call-1", on=True)),
    Press("mute", replace(s.call(s.RECORDING), muted=True), Mute("", "call-1", on=False)),
    Press("hold", s.call(s.RECORDING), Hold("", "call-1", on=True)),
    Press("hold", replace(s.call(s.RECORDING), held_by_us=True), Hold("", "call-1", on=False)),
    Press("pauseSensitive", s.call(s.RECORDING), Act("", "call-1", V, "pause_sensitive")),
    Press("pauseSensitive", s.call(s.SENSITIVE), Act("", "call-1", V, "resume")),
    Press("resume", s.call(s.SENSITIVE), Act("", "call-1", V, "resume")),
    Press("moreTime", s.call(s.SENSITIVE), Act("", "call-1", V, "more_time")),
    Press("dispute", s.call(s.RECORDING), RaiseDispute("", "call-1", V, "controller")),
    Press("dispute", s.call(s.PLAYING), RaiseDispute("", "call-1", V, "controller")),
    Press("dispute", s.LOCKED_CALL, UndoDispute("", "call-1", V)),
    Press("choice_dispute_by_party", s.LOCKED_CALL, Choose("", "call-1", V, "dispute_by", "party")),
    Press("choice_dispute_by_controller", s.LOCKED_CALL, Choose("", "call-1", V, "dispute_by", "controller")),
    Press("noticeRead", outgoing(READABLE), Act("", "call-1", V, "notice_read")),
    Press("voicemail", outgoing(s.NOBODY_YET), Act("", "call-1", V, "voicemail")),
    Press("personAnswered", outgoing(s.NOBODY_YET), Act("", "call-1", V, "person_answered")),
    Press("saidYes", s.call(s.CONSENT), Act("", "call-1", V, "said_yes", Purpose.TRAINING)),
    Press("saidYes", s.call(TWO_ASKED), Act("", "call-1", V, "said_yes", Purpose.DOCUMENTATION)),
    Press("saidYesTraining", s.call(TWO_ASKED), Act("", "call-1", V, "said_yes", Purpose.TRAINING)),
    Press("askAgain", s.call(s.CONSENT), Act("", "call-1", V, "ask_again")),
    Press("playAgain", s.call(s.NEWCOMER), Act("", "call-1", V, "play_again")),
    Press("finishOrally", s.call(s.NEWCOMER), Act("", "call-1", V, "finish_orally")),
    Press(
        "readInstead",
        s.call(replace(s.NEWCOMER, actions=("read_instead",))),
        Act("", "call-1", V, "read_instead"),
    ),
    Press("lastOptOut", s.ENDED, OptOut("", "call-1", V, "objection")),
    Press("lastDispute", s.ENDED, RaiseDispute("", "call-1", V, "controller")),
    Press("withdrawTraining", s.ENDED, Act("", "call-1", V, "withdraw_training")),
    Press(
        "withdrawDocumentation",
        replace(s.ENDED, status=replace(COMPLAINT, actions=("withdraw_documentation",))),
        Act("", "call-1", V, "withdraw_documentation"),
    ),
    Press(
        "choice_kept_for_complaint_delete",
        replace(s.ENDED, status=COMPLAINT),
        Choose("", "call-1", V, "kept_for_complaint", "delete"),
    ),
    Press("endWrapUp", s.ENDED, EndWrapUp("", "call-1")),
    *(
        Press("optOut", s.call(replace(s.RECORDING, opt_out=Button(kind, enabled=True))), OptOut("", "call-1", V, kind))
        for kind in OptOutKind
        if kind is not OptOutKind.NONE
    ),
]


@pytest.mark.parametrize(
    "press", PRESSES, ids=[f"{p.button}-{type(p.sends).__name__}-{i}" for i, p in enumerate(PRESSES)]
)
def test_a_button_sends_its_command_and_no_other(scene: Scene, press: Press) -> None:
    scene.open(s.snapshot(press.call))
    scene.press(press.button)
    assert [without_id(command) for command in scene.sent()] == [press.sends]


def test_a_button_that_is_not_connected_is_found_out(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    desk.window.call.rights.opt_out.clicked.disconnect()
    scene.press("optOut")
    scene.press("mute")
    assert [type(command) for command in scene.sent()] == [Mute]


def test_each_command_has_an_id_of_its_own(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("mute")
    scene.press("mute")
    first, second = scene.sent(2)
    assert first.id != second.id


def test_a_double_press_carries_twice_what_was_shown_and_never_the_next_thing(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("optOut")
    scene.press("optOut")
    sent = [without_id(command) for command in scene.sent(2)]
    assert set(sent) == {OptOut("", "call-1", V, "training_ends")}


def test_every_action_of_the_menu_is_there_and_sends_itself(scene: Scene) -> None:
    state = replace(s.RECORDING, actions=("pause_sensitive", "new_person", "not_understood", "private_call", "object"))
    desk = scene.open(s.snapshot(s.call(state)))
    menu = desk.window.call.tools.menu
    assert [action.objectName() for action in menu.actions()] == [
        "action_new_person",
        "action_not_understood",
        "action_private_call",
        "action_object",
    ]
    scene.press("more")
    assert menu.isVisible()
    for action in menu.actions():
        assert isinstance(action, QAction)
        action.trigger()
    menu.close()
    sent = [without_id(command) for command in scene.sent(4)]
    assert sent == [Act("", "call-1", V, name) for name in ("new_person", "not_understood", "private_call", "object")]


@pytest.mark.parametrize("key", ["1", "5", "0", "*", "#"])
def test_the_keypad_sends_each_key_as_it_is_pressed(scene: Scene, key: str) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("keypad")
    scene.press({"*": "key_star", "#": "key_hash"}.get(key, f"key_{key}"))
    assert [without_id(command) for command in scene.sent()] == [SendDigits("", "call-1", key)]
    assert desk.window.call.keypad.pressed.text() == key


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("+45 20 12 34 56", "+4520123456"),
        ("70 10 20-30", "70102030"),
        ("mette@nordlys.example", "mette@nordlys.example"),
        ("Mette Holm", "+4520123456"),
        ("alma", "+4526371188"),
    ],
)
def test_the_dial_field_takes_a_number_an_address_or_a_name_of_today(scene: Scene, typed: str, target: str) -> None:
    desk = scene.open(s.snapshot())
    desk.window.ready.dial.target.setText(typed)
    scene.press("dial")
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", target, None)]


def test_enter_in_the_dial_field_calls(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.qtbot.keyClicks(desk.window.ready.dial.target, "70102030")
    scene.qtbot.keyClick(desk.window.ready.dial.target, Qt.Key.Key_Return)
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "70102030", None)]
    assert desk.window.ready.dial.target.text() == ""


def test_a_name_nobody_has_is_said_beside_the_field_and_nobody_is_called(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    desk.window.ready.dial.target.setText("Ingen")
    scene.press("dial")
    assert "Ingen" in desk.window.ready.dial.problem.text()
    assert desk.window.ready.dial.problem.isVisible()
    assert scene.commands() == []


def test_the_line_is_asked_for_only_where_the_accounts_own_number_decides_nothing(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    dial = desk.window.ready.dial
    assert dial.line.isVisible()
    dial.line.setCurrentIndex(dial.line.findData("service"))
    dial.target.setText("70102030")
    scene.press("dial")
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "70102030", "service")]
    account = replace(s.ACCOUNT, address="+4570102030@nordlys.example")
    known = s.snapshot()
    scene.show(replace(known, accounts=(replace(known.accounts[0], account=account),)))
    assert not dial.line.isVisible()
    dial.target.setText("70102031")
    scene.press("dial")
    assert without_id(scene.sent(2)[1]) == Dial("", "acc-1", "70102031", None)


def test_a_row_of_today_puts_its_number_into_the_dial_field(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("past_h4")
    assert desk.window.ready.dial.target.text() == "+4598120040"
    assert scene.commands() == []


def test_the_look_is_switched_by_the_engine_that_keeps_the_settings(scene: Scene) -> None:
    state = s.snapshot()
    scene.open(state)
    scene.press("toggleLook")
    wanted = replace(scene.dressed(state).settings, look=Look.DARK)
    assert [without_id(command) for command in scene.sent()] == [SaveSettings("", wanted)]


def test_levels_are_watched_while_the_settings_are_open_and_no_longer(scene: Scene) -> None:
    scene.open(s.snapshot())
    scene.press("openSettings")
    scene.press("testTone")
    scene.press("back")
    sent = [without_id(command) for command in scene.sent(3)]
    assert sent == [WatchLevels("", on=True), wire.TestTone(""), WatchLevels("", on=False)]


def test_nothing_is_sent_by_drawing(scene: Scene) -> None:
    scene.open(s.snapshot())
    for row, _, _ in s.ROWS.values():
        scene.show(s.snapshot(row))
    scene.show(s.snapshot(s.LOCKED_CALL))
    scene.show(s.READY)
    with pytest.raises(NothingCame):
        scene.qtbot.waitUntil(lambda: bool(scene.commands()), timeout=200)


def test_a_history_that_grows_keeps_each_row_pressable(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    newest = PastCall("h0", Direction.OUTBOUND, "Ny", "+4512345678", None, s.at("10:43"), 3, "unanswered")
    scene.show(s.snapshot(history=(newest, *s.HISTORY)))
    scene.press("past_h0")
    assert desk.window.ready.dial.target.text() == "+4512345678"


def test_a_hand_presses_what_a_person_could_press_and_nothing_else(scene: Scene) -> None:
    hand = Hand(scene.open(s.snapshot(s.call(s.NOT_DRAWN))))
    assert not hand.can_press("optOut")
    with pytest.raises(NotThereError):
        hand.press("optOut")
    with pytest.raises(NotThereError):
        hand.press("answer")
    hand.press("hangUp")
    assert [without_id(command) for command in scene.sent()] == [HangUp("", "call-1")]
