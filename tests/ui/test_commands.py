"""Every button sends exactly its command, with the version and kind that it showed, over the real wire."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import TimeoutError as NothingCame

from softphone.domain.purpose import Direction, Language, Purpose, Reason
from softphone.domain.status import Action, Choice, OptOutButton, OptOutKind
from softphone.ui.call.moment import PLACED
from softphone.ui.call.tiles import ActionButton
from softphone.ui.driver import DeskDriver, NotThereError
from softphone.wire import to_engine
from softphone.wire.from_engine import Done, Fault, Refused, Snapshot
from softphone.wire.snapshot import (
    Account,
    AccountState,
    CallPhase,
    CallState,
    CodedText,
    Look,
    PastCall,
    Registration,
    Settings,
)
from softphone.wire.to_engine import (
    Act,
    Answer,
    Choose,
    Decline,
    Dial,
    EndCallBack,
    EndWrapUp,
    HangUp,
    HoldCall,
    Mute,
    OptOut,
    RaiseDispute,
    SaveSettings,
    SendDigits,
    UndoDispute,
)
from tests.ui import events as e
from tests.ui import several
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


READABLE = replace(s.READING, actions=(Action.NOTICE_READ, Action.VOICEMAIL))
COMPLAINT = replace(s.ENDED.status or s.DELETED, choices=(Choice("kept_for_complaint", ("keep", "delete"), "keep"),))

NEVER_REFUSED = replace(s.ENDED, status=replace(COMPLAINT, opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True)))

PRESSES = [
    Press("answer", s.INCOMING, Answer("", "call-1")),
    Press("decline", s.INCOMING, Decline("", "call-1")),
    Press("popupAnswer", s.INCOMING, Answer("", "call-1")),
    Press("popupDecline", s.INCOMING, Decline("", "call-1")),
    Press("hangUp", s.call(s.RECORDING), HangUp("", "call-1")),
    Press("hangUp", s.call(None, CallPhase.DIALLING, answered=None), HangUp("", "call-1")),
    Press("mute", s.call(s.RECORDING), Mute("", "call-1", on=True)),
    Press("mute", replace(s.call(s.RECORDING), muted=True), Mute("", "call-1", on=False)),
    Press("hold", s.call(s.RECORDING), HoldCall("", "call-1", on=True)),
    Press("hold", replace(s.call(s.RECORDING), held_by_us=True), HoldCall("", "call-1", on=False)),
    Press("pauseSensitive", s.call(s.RECORDING), Act("", "call-1", V, Action.PAUSE_SENSITIVE)),
    Press("pauseSensitive", s.call(s.SENSITIVE), Act("", "call-1", V, Action.RESUME)),
    Press("resume", s.call(s.SENSITIVE), Act("", "call-1", V, Action.RESUME)),
    Press("moreTime", e.CALLS["warned"], Act("", "call-1", V, Action.MORE_TIME)),
    Press("moreTime", e.CALLS["warned_by_hand"], Act("", "call-1", V, Action.MORE_TIME)),
    Press("sameCaller", e.CALLS["source_changed"], Act("", "call-1", V, Action.SAME_CALLER)),
    Press("endPolitely", e.CALLS["still_no_sound"], Act("", "call-1", V, Action.END_POLITELY)),
    Press("digitsOver", e.CALLS["digits"], Act("", "call-1", V, Action.DIGITS_OVER)),
    Press("endPolitely", e.CALLS["obligation_failed"], Act("", "call-1", V, Action.END_POLITELY)),
    Press("playAgainEn", e.CALLS["not_understood"], Act("", "call-1", V, Action.PLAY_AGAIN, language=Language.EN)),
    Press("readInsteadEn", e.CALLS["not_understood"], Act("", "call-1", V, Action.READ_INSTEAD, language=Language.EN)),
    Press("saidYesDocumentation", e.CALLS["two_asked"], Act("", "call-1", V, Action.SAID_YES, Purpose.DOCUMENTATION)),
    Press("saidNoDocumentation", e.CALLS["two_asked"], Act("", "call-1", V, Action.SAID_NO, Purpose.DOCUMENTATION)),
    Press("saidYesTraining", e.CALLS["two_asked"], Act("", "call-1", V, Action.SAID_YES, Purpose.TRAINING)),
    Press("saidNoTraining", e.CALLS["two_asked"], Act("", "call-1", V, Action.SAID_NO, Purpose.TRAINING)),
    Press("saidNoTraining", e.CALLS["by_key_alone"], Act("", "call-1", V, Action.SAID_NO, Purpose.TRAINING)),
    Press(
        "saidNoDocumentation",
        e.CALLS["documentation_asked"],
        Act("", "call-1", V, Action.SAID_NO, Purpose.DOCUMENTATION),
    ),
    Press("dispute", s.call(s.RECORDING), RaiseDispute("", "call-1", V, "controller")),
    Press("dispute", s.call(s.PLAYING), RaiseDispute("", "call-1", V, "controller")),
    Press("dispute", s.LOCKED_CALL, UndoDispute("", "call-1", V)),
    Press("choice_dispute_by_party", s.LOCKED_CALL, Choose("", "call-1", V, "dispute_by", "party")),
    Press("choice_dispute_by_controller", s.LOCKED_CALL, Choose("", "call-1", V, "dispute_by", "controller")),
    Press("noticeRead", outgoing(READABLE), Act("", "call-1", V, Action.NOTICE_READ)),
    Press("voicemail", outgoing(s.NOBODY_YET), Act("", "call-1", V, Action.VOICEMAIL)),
    Press("personAnswered", outgoing(s.NOBODY_YET), Act("", "call-1", V, Action.PERSON_ANSWERED)),
    Press("saidYesTraining", s.call(s.CONSENT), Act("", "call-1", V, Action.SAID_YES, Purpose.TRAINING)),
    Press("saidNoTraining", s.call(s.CONSENT), OptOut("", "call-1", V, OptOutKind.SAID_NO)),
    Press("askAgain", s.call(s.CONSENT), Act("", "call-1", V, Action.ASK_AGAIN)),
    Press("playAgain", s.call(s.NEWCOMER), Act("", "call-1", V, Action.PLAY_AGAIN)),
    Press("finishOrally", s.call(s.NEWCOMER), Act("", "call-1", V, Action.FINISH_ORALLY)),
    Press(
        "readInstead",
        s.call(replace(s.NEWCOMER, actions=(Action.READ_INSTEAD,))),
        Act("", "call-1", V, Action.READ_INSTEAD),
    ),
    Press("lastOptOut", NEVER_REFUSED, OptOut("", "call-1", V, OptOutKind.OBJECTION)),
    Press("lastDispute", s.ENDED, RaiseDispute("", "call-1", V, "controller")),
    Press("last_withdraw_training", s.ENDED, Act("", "call-1", V, Action.WITHDRAW_TRAINING)),
    Press(
        "last_withdraw_documentation",
        replace(s.ENDED, status=replace(COMPLAINT, actions=(Action.WITHDRAW_DOCUMENTATION,))),
        Act("", "call-1", V, Action.WITHDRAW_DOCUMENTATION),
    ),
    Press(
        "choice_kept_for_complaint_delete",
        replace(s.ENDED, status=COMPLAINT),
        Choose("", "call-1", V, "kept_for_complaint", "delete"),
    ),
    Press("endWrapUp", s.ENDED, EndWrapUp("", "call-1")),
    *(
        Press(
            "optOut",
            s.call(replace(s.RECORDING, opt_out=OptOutButton(kind, enabled=True))),
            OptOut("", "call-1", V, kind),
        )
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
    assert set(sent) == {OptOut("", "call-1", V, OptOutKind.TRAINING_ENDS)}


def entries(scene: Scene) -> dict[str, QAction]:
    """The menu's actions by their names, in order."""
    assert scene.desk is not None
    actions = [one for one in scene.desk.window.call.tools.menu.actions() if one.objectName().startswith("action_")]
    return {action.objectName().removeprefix("action_"): action for action in actions}


IN_THE_MENU = (
    *(
        Action.STOP_NOTICE,
        Action.VOICEMAIL,
        Action.DIGITS_WANTED,
        Action.NEW_PERSON,
        Action.NOT_UNDERSTOOD,
        Action.KEEP_OUT_OF_TRAINING,
        Action.PRIVATE_CALL,
    ),
    *(
        Action.NOTE_REQUEST,
        Action.OBJECT,
        Action.WITHDRAW_DOCUMENTATION,
        Action.WITHDRAW_TRAINING,
        Action.PARTY_ASKS_FOR_RECORDING,
    ),
)


def test_every_action_of_the_menu_is_there_and_sends_itself(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(replace(s.RECORDING, actions=(Action.PAUSE_SENSITIVE, *IN_THE_MENU)))))
    menu = desk.window.call.tools.menu
    assert tuple(entries(scene)) == IN_THE_MENU
    scene.press("more")
    assert menu.isVisible()
    for action in entries(scene).values():
        assert not action.icon().isNull()
        action.trigger()
    menu.close()
    sent = [without_id(command) for command in scene.sent(len(IN_THE_MENU))]
    assert sent == [Act("", "call-1", V, name) for name in IN_THE_MENU]


def test_every_action_the_session_knows_has_a_place(scene: Scene) -> None:
    assert set(Action) - set(IN_THE_MENU) == set(PLACED) - {"voicemail"}


@pytest.mark.rule("G31")
def test_an_entry_that_deletes_or_ends_for_good_says_so_in_its_second_line(scene: Scene) -> None:
    consent = s.purpose(s.PurposePhase.ACTIVE, s.Basis.CONSENT, Reason.CONSENT)
    every = (*s.TALK, Action.OBJECT, Action.WITHDRAW_TRAINING)
    scene.open(s.snapshot(s.call(replace(s.RECORDING, purposes={s.DOC: s.ACTIVE, s.TRAIN: consent}, actions=every))))
    told = {name: action.text().partition(" – ")[2] for name, action in entries(scene).items()}
    assert told["private_call"] == told["not_understood"] == "sletter det, der er optaget, for altid"
    assert told["keep_out_of_training"] == told["withdraw_training"] == "for hele samtalen; kan ikke fortrydes"
    assert told["object"] == "kan ikke fortrydes her"
    assert told["new_person"] == ""
    scene.show(s.snapshot(s.call(replace(s.RECORDING, purposes={s.DOC: s.OFF, s.TRAIN: consent}, actions=every))))
    told = {name: action.text().partition(" – ")[2] for name, action in entries(scene).items()}
    assert told["withdraw_training"] == "sletter det, der er optaget, for altid"
    # On obligation it is not deleted, and nothing says that it is.
    scene.show(s.snapshot(s.call(replace(s.ON_OBLIGATION, actions=(Action.NOT_UNDERSTOOD,)))))
    assert entries(scene)["not_understood"].text() == "Ikke forstået"


def test_the_entries_of_one_call_keep_their_places_whatever_comes_and_goes(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    menu = desk.window.call.tools.menu

    def from_the_foot() -> dict[str, int]:
        return {
            one.objectName(): menu.sizeHint().height() - menu.actionGeometry(one).bottom()
            for one in menu.actions()
            if not one.isSeparator()
        }

    scene.press("more")
    places = from_the_foot()
    assert len(places) == 9
    menu.close()
    later = (
        replace(s.RECORDING, actions=(Action.STOP_NOTICE, *s.TALK)),
        replace(s.RECORDING, actions=(Action.DIGITS_WANTED,)),
        replace(s.TRAINING_DECLINED, actions=(Action.OBJECT, Action.PARTY_ASKS_FOR_RECORDING)),
        replace(s.DELETED, purposes=s.RECORDING.purposes, actions=(Action.PARTY_ASKS_FOR_RECORDING,)),
    )
    for status in later:
        scene.show(s.snapshot(s.call(status)))
        scene.press("more")
        now = from_the_foot()
        assert list(now)[-9:] == list(places)
        menu.close()


def test_the_menus_rows_are_reached_and_pressed_by_the_keyboard_alone(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.keys(Qt.Key.Key_E)
    for _ in range(3):
        scene.qtbot.keyClick(QApplication.activePopupWidget(), Qt.Key.Key_Down)
    scene.qtbot.keyClick(QApplication.activePopupWidget(), Qt.Key.Key_Return)
    assert [without_id(one) for one in scene.sent()] == [Act("", "call-1", V, Action.KEEP_OUT_OF_TRAINING)]


def test_what_the_menu_always_holds_says_why_it_is_off(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(replace(s.ON_OBLIGATION, actions=(Action.NEW_PERSON, Action.NOT_UNDERSTOOD)))))
    shown = {name: (action.text(), action.isEnabled()) for name, action in entries(scene).items()}
    assert shown["private_call"] == ("Privat samtale – loven kræver optagelse", False)
    assert shown["keep_out_of_training"] == ("Undtag fra uddannelse – intet at undtage", False)
    assert shown["new_person"] == ("Ny person eller tolk", True)
    assert shown["party_asks_for_recording"] == ("Kunden beder om optagelse – efter et nej", False)
    scene.show(s.snapshot(s.call(s.NOBODY_YET)))
    assert entries(scene)["new_person"].text() == "Ny person eller tolk – efter beskeden"
    scene.show(s.snapshot(s.call(s.NOT_DRAWN)))
    assert entries(scene)["not_understood"].text().endswith("intet optages")


def test_a_text_being_read_can_be_played_in_another_language_from_the_menu(scene: Scene) -> None:
    scene.open(s.snapshot(e.CALLS["newcomer"]))
    entries(scene)["play_again_en"].trigger()
    assert without_id(scene.sent()[0]) == Act("", "call-1", V, Action.PLAY_AGAIN, language=Language.EN)


def test_somebody_to_be_called_back_is_dialled_on_their_line_or_taken_off_the_list(scene: Scene) -> None:
    scene.open(e.TO_CALL_BACK)
    scene.press("callBackCall_cb1")
    scene.press("callBackDone_cb2")
    assert [without_id(command) for command in scene.sent(2)] == [
        Dial("", "acc-1", "+4526371188", "salg"),
        EndCallBack("", "cb2"),
    ]


def with_accounts(*addresses: str) -> Snapshot:
    accounts = (Account(f"acc-{n}", address) for n, address in enumerate(addresses, 1))
    return replace(e.TO_CALL_BACK, accounts=tuple(AccountState(one, Registration.REGISTERED) for one in accounts))


@pytest.mark.rule("N4")
@pytest.mark.parametrize(
    ("addresses", "chosen"),
    [
        (("+4570102031@pbx.example", "+4570102030@pbx.example"), "acc-2"),
        (("70102031@pbx.example", "204@pbx.example", "70102030@pbx.example"), "acc-3"),
        (("004570102031@pbx.example", "204@pbx.example"), "acc-2"),
    ],
)
def test_a_call_back_goes_out_from_an_account_that_lands_on_the_line_that_promised_it(
    addresses: tuple[str, ...], chosen: str, scene: Scene
) -> None:
    scene.open(with_accounts(*addresses))
    scene.press("callBackCall_cb1")
    assert [without_id(command) for command in scene.sent()] == [Dial("", chosen, "+4526371188", "salg")]


@pytest.mark.rule("N4")
def test_where_every_account_belongs_to_another_line_a_call_back_cannot_be_made_and_says_why(scene: Scene) -> None:
    desk = scene.open(with_accounts("+4570102031@pbx.example"))
    on_line, on_none = desk.window.ready.call_backs.rows.values()
    assert not on_line.call.isEnabled()
    assert not on_none.call.isEnabled()
    assert "ingen konto kan ringe op fra Salgslinjen" in on_line.call.toolTip()
    assert "ingen konto kan ringe op uden optagelse" in on_none.call.toolTip()
    assert on_line.done.isEnabled()


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
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", target, "salg")]


def test_enter_in_the_dial_field_calls(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.qtbot.keyClicks(desk.window.ready.dial.target, "70102030")
    scene.qtbot.keyClick(desk.window.ready.dial.target, Qt.Key.Key_Return)
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "70102030", "salg")]
    scene.engine.tell(Done(scene.commands()[0].id))
    scene.qtbot.waitUntil(lambda: desk.window.ready.dial.target.text() == "", timeout=10_000)


@pytest.mark.parametrize("code", ["error.dial.busy", "error.dial_failed"])
def test_a_number_that_the_engine_does_not_call_stays_in_the_field_and_can_be_called_again(
    scene: Scene, code: str
) -> None:
    desk = scene.open(s.snapshot())
    target = desk.window.ready.dial.target
    scene.qtbot.keyClicks(target, "70102030")
    for _ in range(2):
        scene.qtbot.keyClick(target, Qt.Key.Key_Return)
    with scene.qtbot.waitSignal(desk.bridge.refused, timeout=10_000):
        scene.engine.tell(Refused(scene.sent()[0].id, CodedText(code)))
    assert target.text() == "70102030"
    scene.qtbot.keyClick(target, Qt.Key.Key_Return)
    assert [without_id(command) for command in scene.sent(2)] == [Dial("", "acc-1", "70102030", "salg")] * 2


def test_a_number_can_be_called_again_where_the_engine_went_before_it_answered(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    target = desk.window.ready.dial.target
    scene.qtbot.keyClicks(target, "70102030")
    scene.qtbot.keyClick(target, Qt.Key.Key_Return)
    scene.sent()
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: desk.bridge.attached and scene.engine.starts > 1, timeout=10_000)
    assert target.text() == "70102030"
    scene.qtbot.keyClick(target, Qt.Key.Key_Return)
    assert [without_id(command) for command in scene.sent(2)] == [Dial("", "acc-1", "70102030", "salg")] * 2


def test_a_name_nobody_has_is_said_beside_the_field_and_nobody_is_called(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    desk.window.ready.dial.target.setText("Ingen")
    scene.press("dial")
    assert "Ingen" in desk.window.ready.dial.problem.text()
    assert desk.window.ready.dial.problem.isVisible()
    assert scene.commands() == []


def test_the_line_last_chosen_is_remembered_over_a_start_and_no_line_holds_for_one_call_alone(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    dial = desk.window.ready.dial
    assert dial.line.currentText() == "Salgslinjen"
    scene.qtbot.keyClick(dial.line, Qt.Key.Key_Down)
    remembered = scene.sent()[0]
    assert isinstance(remembered, SaveSettings)
    assert remembered.settings.line == "service"
    scene.qtbot.keyClick(dial.line, Qt.Key.Key_Down)
    assert dial.line.currentText() == "Ingen linje · optages ikke"
    scene.show(replace(s.snapshot(), settings=remembered.settings))
    dial.target.setText("70102030")
    scene.press("dial")
    assert without_id(scene.sent(2)[1]) == Dial("", "acc-1", "70102030", None)
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(scene.commands()[1].id))
    scene.show(replace(s.snapshot(), settings=remembered.settings))
    assert dial.line.currentText() == "Kundeservice"


def test_dialling_without_a_line_asks_in_place_and_the_answer_calls(scene: Scene) -> None:
    fresh = replace(s.snapshot(), settings=Settings(accounts=(s.ACCOUNT,)))
    desk = scene.open(fresh)
    dial = desk.window.ready.dial
    assert dial.line.currentText() == "Vælg linje"
    scene.activate()
    dial.target.setFocus()
    scene.qtbot.keyClicks(dial.target, "70102030")
    scene.qtbot.keyClick(dial.target, Qt.Key.Key_Return)
    assert scene.commands() == []
    assert dial.which.isVisible()
    assert dial.which.question.text() == "Hvilken linje ringer du fra?"
    assert [chip.accessibleName() for chip in dial.which.chips] == [
        "Ring op: Salgslinjen",
        "Ring op: Kundeservice",
        "Ring op: Ingen linje · optages ikke",
    ]
    assert dial.which.chips[0].hasFocus()
    scene.qtbot.keyClick(dial.which.chips[0], Qt.Key.Key_Tab)
    focus = QApplication.focusWidget()
    assert focus is dial.which.chips[1]
    scene.qtbot.keyClick(focus, Qt.Key.Key_Space)
    saved, called = scene.sent(2)
    assert isinstance(saved, SaveSettings)
    assert saved.settings.line == "service"
    assert without_id(called) == Dial("", "acc-1", "70102030", "service")
    assert not dial.which.isVisible()


def test_of_sixteen_lines_one_is_chosen_from_the_list_where_two_of_one_name_have_their_numbers(scene: Scene) -> None:
    lines = tuple(
        replace(
            s.SALES,
            id=f"line{n}",
            name={s.DA: "Salgslinjen" if n in (0, 9) else f"Linje {n}"},
            numbers=(f"+457010{n:04}",),
        )
        for n in range(16)
    )
    out = replace(s.HISTORY[3], line="line9")
    desk = scene.open(replace(s.snapshot(history=(out,)), settings=Settings(accounts=(s.ACCOUNT,)), lines=lines))
    dial = desk.window.ready.dial
    dial.target.setText("70102030")
    scene.press("dial")
    assert dial.which.isVisible()
    assert dial.which.chips == []
    assert dial.line.view().isVisible()
    assert [dial.line.itemText(place) for place in range(4)] == [
        "Vælg linje",
        "Salgslinjen · +45 70 10 00 09",
        "Salgslinjen · +45 70 10 00 00",
        "Linje 1",
    ]
    assert dial.line.count() == 18
    QTest.keyClick(dial.line.view(), Qt.Key.Key_Down)
    QTest.keyClick(dial.line.view(), Qt.Key.Key_Return)
    saved, called = scene.sent(2)
    assert isinstance(saved, SaveSettings)
    assert without_id(called) == Dial("", "acc-1", "70102030", "line9")
    assert not dial.which.isVisible()


def test_the_only_line_is_chosen_and_one_that_is_gone_is_asked_for_anew(scene: Scene) -> None:
    fresh = replace(s.snapshot(), settings=Settings(accounts=(s.ACCOUNT,)), lines=(s.SERVICE,))
    desk = scene.open(fresh)
    dial = desk.window.ready.dial
    assert dial.line.currentText() == "Kundeservice"
    dial.target.setText("70102030")
    scene.press("dial")
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "70102030", "service")]
    gone = replace(s.snapshot(), settings=Settings(accounts=(s.ACCOUNT,), line="gone"))
    scene.show(gone)
    assert dial.line.currentText() == "Vælg linje"


def test_the_line_is_asked_for_only_where_the_accounts_own_number_decides_nothing(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    dial = desk.window.ready.dial
    assert dial.line.isVisible()
    known = s.snapshot()
    accounts = replace(known.accounts[0], account=replace(s.ACCOUNT, address="17@nordlys.example"))
    named = replace(
        known, accounts=(accounts,), lines=(s.SERVICE, replace(s.SALES, numbers=("17", "salg@nordlys.example")))
    )
    scene.show(named)
    assert not dial.line.isVisible()
    scene.show(replace(named, accounts=(*named.accounts, replace(accounts, account=replace(s.ACCOUNT, id="acc-2")))))
    assert not dial.line.isVisible()
    elsewhere = replace(accounts, account=replace(s.ACCOUNT, id="acc-2", address="17@other.example"))
    scene.show(replace(named, accounts=(*named.accounts, elsewhere)))
    assert dial.line.isVisible()
    account = replace(s.ACCOUNT, address="+4570102030@nordlys.example")
    scene.show(replace(known, accounts=(replace(known.accounts[0], account=account),)))
    assert not dial.line.isVisible()
    dial.target.setText("70102031")
    scene.press("dial")
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "70102031", None)]


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
    scene.qtbot.waitUntil(lambda: scene.watched() == [True, False], timeout=10_000)
    assert [without_id(command) for command in scene.sent()] == [to_engine.TestTone("")]


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
    hand = DeskDriver(scene.open(s.snapshot(s.call(s.NOT_DRAWN))))
    assert not hand.can_press("optOut")
    with pytest.raises(NotThereError):
        hand.press("optOut")
    with pytest.raises(NotThereError):
        hand.press("answer")
    hand.press("hangUp")
    assert [without_id(command) for command in scene.sent()] == [HangUp("", "call-1")]


def test_a_colleague_who_is_but_a_number_is_not_called_by_its_first_digits(scene: Scene) -> None:
    unnamed = replace(several.COLLEAGUE, name="+45 20 12 34 56", number="+4520123456")
    scene.open(several.snapshot(replace(several.WAITS, name="+45 31 22 10 09"), unnamed))
    join, back = scene.widget("joinAll"), scene.widget("backToParty")
    assert isinstance(join, ActionButton)
    assert isinstance(back, ActionButton)
    assert join.sub() == "Kollegaen skal have besked"
    assert back.text() == "Tilbage til +45 31 22 10 09"


def test_the_menu_closes_when_its_call_ends(scene: Scene) -> None:
    """What stood in it would be pressed on a call that is over."""
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("more")
    assert desk.window.call.tools.menu.isVisible()
    scene.show(s.READY)
    assert not desk.window.call.tools.menu.isVisible()


def test_who_has_no_name_has_the_number_once_and_what_the_engine_says_has_it_as_people_write_it(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING, name="")))
    party = desk.window.call.party
    assert (party.name.text(), party.number.text()) == ("+45 20 12 34 56", "Kopiér nummeret")
    scene.engine.tell(Fault(CodedText("fault.transfer.busy", {"target": "+4523456789"})))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    assert desk.window.note.text.text().startswith("+45 23 45 67 89 ")


def test_a_screen_reader_hears_no_seconds_in_a_name(scene: Scene) -> None:
    scene.open(s.snapshot(s.LOCKED_CALL))
    undo = scene.widget("dispute")
    assert isinstance(undo, ActionButton)
    assert (undo.accessibleName(), undo.sub()) == ("Fortryd tvist", "48 sek.")
