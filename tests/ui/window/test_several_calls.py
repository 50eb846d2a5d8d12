"""Several calls in one window: tabs, call waiting, a colleague, transfer. All in place, and each press is the engine's to do."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QApplication, QDialog

from softphone.domain.purpose import Direction
from softphone.ui.window import HEIGHT, WIDTH
from softphone.wire.to_engine import (
    Activate,
    Answer,
    BackToParty,
    CompleteTransfer,
    Consult,
    Decline,
    DeclineTransfer,
    Dial,
    FollowTransfer,
    HangUp,
    Join,
    OptOut,
    RaiseDispute,
    Transfer,
)
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id
from tests.ui.drawn import drawing
from tests.ui.window.places import place, places

V = s.RECORDING.version
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


def test_a_call_that_comes_in_another_moves_nothing_and_is_answered_or_declined_in_place(scene: Scene) -> None:
    desk = scene.open(s.snapshot(several.TALKING))
    at_first = places(desk.window)
    scene.show(several.STATES["call_waiting"])
    QApplication.processEvents()
    assert places(desk.window) == at_first
    tabs = desk.window.top.tabs.shown()
    assert [(tab.text(), tab.accessibleName().partition(". ")[0]) for tab in tabs] == [
        ("Mette Holm", "Mette Holm, 02:14"),
        ("+45 40 11 90 17", "+45 40 11 90 17, ringer"),
    ]
    waiting = desk.window.call.moment.waiting
    assert waiting.isVisible()
    assert waiting.since.text() == "Salgslinjen · ringer · 00:06"
    assert waiting.answer.toolTip().endswith("Mette Holm sættes på hold")
    assert desk.incoming.isVisible()  # for whoever types in another program
    assert desk.incoming.ringing.name.text() == "+45 40 11 90 17"
    scene.keys(Qt.Key.Key_2)  # to the tab of who rings: nothing is answered by that
    assert QApplication.focusWidget() is waiting.answer
    assert scene.commands() == []
    scene.press("waitingAnswer")
    scene.press("waitingDecline")
    scene.press("optOut")  # is about the party that the agent talks to
    assert [without_id(one) for one in scene.sent(3)] == [
        Answer("", "call-3"),
        Decline("", "call-3"),
        OptOut("", "call-1", V, s.OptOutKind.TRAINING_ENDS),
    ]


def test_each_call_has_its_tab_card_and_buttons_and_a_press_or_a_key_goes_to_it(scene: Scene) -> None:
    desk = scene.open(several.STATES["several_calls"])
    window = desk.window
    assert [tab.accessibleName().partition(". ")[0] for tab in window.top.tabs.shown()] == [
        "Mette Holm, 02:14",
        "Jens Bo Krogh, hold 01:20",
        "+45 40 11 90 17, ringer",
    ]
    scene.press("callTab_1")
    scene.keys(Qt.Key.Key_2)
    assert [without_id(one) for one in scene.sent(2)] == [Activate("", "call-2")] * 2
    assert window.call.party.name.text() == "Mette Holm"  # until the engine has done it
    scene.show(several.STATES["two_calls"])
    assert window.call.party.name.text() == "Jens Bo Krogh"
    words = window.call.card.words
    assert words is not None
    assert words.title == "På pause"
    scene.press("dispute")
    assert without_id(scene.sent(3)[2]) == RaiseDispute("", "call-2", V)
    scene.show(s.snapshot(several.TALKING))
    assert window.top.tabs.shown() == []
    assert window.account.isVisible()


def test_a_transfer_is_typed_in_place_and_talked_about_first_or_done_at_once(scene: Scene) -> None:
    desk = scene.open(s.snapshot(several.TALKING))
    at_first = places(desk.window)
    scene.keys(Qt.Key.Key_T)
    panel = desk.window.call.transfer
    assert panel.isVisible()
    assert places(desk.window) == at_first
    assert QApplication.focusWidget() is panel.target
    assert (panel.consult.isEnabled(), panel.consult.accessibleDescription()) == (
        False,
        "skriv først et navn eller nummer",
    )
    scene.keys(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not panel.isVisible()
    scene.press("transfer")
    assert panel.target.text() == ""
    scene.qtbot.keyClicks(panel.target, "ingen her")
    scene.press("consult")
    assert panel.problem.isVisible()
    assert "en kollega, du har talt med" in panel.problem.text(), "which names it knows"
    panel.target.clear()
    scene.qtbot.keyClicks(panel.target, "203")
    assert (panel.consult.is_filled, panel.blind.sub()) == (True, "optagelsen slutter")
    scene.press("consult")
    assert not panel.isVisible()
    scene.press("transfer")
    scene.qtbot.keyClicks(panel.target, "Kundes")
    scene.press("transferNow")
    assert [without_id(one) for one in scene.sent(2)] == [
        Consult("", "call-1", "203"),
        Transfer("", "call-1", "+4570102031"),
    ]
    assert [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible()] == []


def test_a_call_is_handed_to_colleagues_and_lines_with_their_numbers_and_to_no_customer(
    scene: Scene,
) -> None:
    bo = replace(s.HISTORY[0], id="bo", direction=Direction.INTERNAL, name="Bo · Teknik", number="203")
    other = replace(bo, id="other", number="204")
    desk = scene.open(s.snapshot(several.TALKING, history=(bo, other, replace(bo, id="again"), *s.HISTORY)))
    panel = desk.window.call.transfer
    scene.press("transfer")
    model = panel.target.completer().model()
    offered = [model.data(model.index(row, 0)) for row in range(model.rowCount())]
    assert offered == ["Bo · Teknik · 203", "Bo · Teknik · 204", "Kundeservice · +45 70 10 20 31"]
    for typed, said in (("Mette", "hverken"), ("Bo", "hverken"), ("+45 20 12 34 56", "kunden selv")):
        panel.target.setText(typed)
        panel.target.textEdited.emit(typed)
        scene.press("transferNow")
        assert said in panel.problem.text(), typed
    assert scene.commands() == []
    panel.target.setText(offered[1])
    panel.target.textEdited.emit(offered[1])
    scene.activate()
    panel.target.setFocus()
    scene.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    assert [without_id(one) for one in scene.sent()] == [Consult("", "call-1", "204")]
    # The keyboard stays beside what has come of it.
    scene.show(several.STATES["consultation"])
    box = desk.window.call.moment.consultation
    assert QApplication.focusWidget() is box
    assert box.accessibleName() == "Bo · Teknik, taler · 00:22"
    scene.keys(Qt.Key.Key_Tab, Qt.KeyboardModifier.NoModifier)
    assert QApplication.focusWidget() is box.complete


def test_a_colleague_is_a_box_on_the_partys_page_with_three_ways_on(scene: Scene) -> None:
    desk = scene.open(several.STATES["consultation_rings"])
    page, box = desk.window.call, desk.window.call.moment.consultation
    assert box.isVisible()
    assert (box.name.text(), box.state.text()) == ("Bo · Teknik", "ringer")
    assert (box.complete.isEnabled(), box.join.isEnabled(), box.back.isEnabled()) == (False, False, True)
    scene.show(several.STATES["consultation"])
    assert page.party.name.text() == "Mette Holm"
    words = page.card.words
    assert words is not None
    assert (words.title, words.sub) == ("På pause", "Du taler med en kollega")
    assert box.state.text() == "taler · 00:22"
    assert (box.complete.sub(), box.join.sub(), box.back.text()) == (
        "optagelsen slutter",
        "Bo skal have besked",
        "Tilbage til Mette",
    )
    assert desk.window.top.tabs.shown() == []  # a colleague is no call of its own here
    assert not page.tools.forward.isEnabled()
    for name in ("completeTransfer", "joinAll", "backToParty"):
        scene.press(name)
    scene.keys(Qt.Key.Key_1, ALT)
    assert [without_id(one) for one in scene.sent(4)] == [
        CompleteTransfer("", "colleague"),
        Join("", "colleague"),
        BackToParty("", "colleague"),
        CompleteTransfer("", "colleague"),
    ]
    scene.show(several.STATES["transfer_hangs"])
    words = page.card.words
    assert words is not None
    assert (words.sub, words.body.partition(".")[0]) == ("Omstillingen er i gang", "Du taler stadig med din kollega")
    assert (box.complete.isEnabled(), box.join.isEnabled(), box.back.isEnabled()) == (False, False, True)
    scene.show(several.STATES["conference"])
    assert box.state.text().startswith("konference")
    assert box.controls() == [box.complete, box.back]


def test_in_a_conference_all_that_is_pressed_stands_above_the_text_to_read_aloud_which_is_whole(scene: Scene) -> None:
    colleague = replace(several.COLLEAGUE, conference=True, active=False)
    talking = replace(several.TALKING, status=s.NEWCOMER, conference=True)
    desk = scene.open(several.snapshot(talking, colleague))
    desk.window.resize(WIDTH, HEIGHT)
    moment = desk.window.call.moment
    box, press = moment.consultation, moment.presses[next(one for one in moment.presses if one.name == "noticeRead")]
    assert box.state.text() == "konference · 00:22"
    scene.show(several.snapshot(replace(talking, status=s.READING, notice=s.call(s.READING).notice), colleague))
    reel = desk.window.call.first.reel
    scene.qtbot.waitUntil(lambda: reel.verticalScrollBar().maximum() == 0, timeout=10_000)
    assert place(press).bottom() < place(box).top()
    assert place(box).bottom() < place(moment.notice).top()
    assert place(box.complete).top() == place(box.back).top()
    assert box.state.text() == "00:22", "one row has no room for more"
    assert not box.complete.is_filled
    assert moment.first_presses()[0] is press
    assert moment.slot_chain().index(press) < moment.slot_chain().index(box.complete)


def test_a_colleague_who_is_not_there_and_a_transfer_under_way_are_said_and_the_party_is_a_press_away(
    scene: Scene,
) -> None:
    desk = scene.open(several.STATES["transfer_under_way"])
    box = desk.window.call.moment.consultation
    assert (box.name.text(), box.state.text()) == ("203", "stilles om · ringer")
    assert (box.back.text(), box.back.is_filled, box.words.isVisible()) == ("Tilbage til Mette", False, False)
    assert box.controls() == [box.back]
    words = desk.window.call.card.words
    assert words is not None
    assert (words.sub, words.body) == (
        "Omstillingen er i gang",
        "Kunden er ved at blive stillet om. Intet optages imens.",
    )
    forward = desk.window.call.tools.forward
    assert (forward.isEnabled(), forward.accessibleDescription()) == (False, "Samtalen er ved at blive stillet om")
    scene.press("backToParty")
    scene.show(several.STATES["transfer_taken_back"])
    assert box.words.text() == "Du har kunden igen. Svarer 203 alligevel, slutter samtalen her."
    assert box.controls() == []
    scene.show(several.STATES["colleague_busy"])
    assert box.words.text() == "Din kollega er ikke ledig. Kunden venter, til du tager samtalen tilbage."
    assert not desk.window.call.moment.aside.isVisible()
    assert box.back.is_filled
    scene.press("backToParty")
    scene.show(several.STATES["asked_to_call"])
    assert (
        desk.window.call.moment.asked_to_call.words.text()
        == "Kunden vil have dig til at ringe til +45 33 11 22 33 i stedet."
    )
    scene.press("followTransfer")
    scene.press("declineTransfer")
    assert [without_id(one) for one in scene.sent(4)] == [
        BackToParty("", "call-1"),
        BackToParty("", "call-1"),
        FollowTransfer("", "call-1", "+4533112233"),
        DeclineTransfer("", "call-1"),
    ]
    scene.show(s.snapshot(replace(s.ENDED, redirected_to="sip:205@pbx.example;user=phone")))
    assert desk.window.ready.wrap_up.instead.text() == "Ring til 205@pbx.example i stedet"
    scene.press("lastCallInstead")
    assert without_id(scene.sent(5)[4]) == Dial("", "acc-1", "sip:205@pbx.example;user=phone", "salg")


def test_narrow_tabs_are_told_apart_and_a_short_number_leaves_no_hole(scene: Scene) -> None:
    desk = scene.open(several.STATES["several_calls"])
    desk.window.resize(376, 760)
    QApplication.processEvents()
    tabs = desk.window.top.tabs
    read = [text.words for text in drawing(desk.window).texts if text.box.intersects(QRectF(place(tabs)))]
    assert [one for one in read if not one[0].isdigit() and ":" not in one] == ["Mette", "Jens", "… 11 90 17", "ringer"]
    desk.window.resize(480, 760)
    scene.show(s.snapshot(replace(several.TALKING, name="bo", number="bo")))
    party = desk.window.call.party
    QApplication.processEvents()
    assert party.number.width() < 30
    assert party.line.geometry().left() == party.number.geometry().right() + 1


def test_encrypted_and_a_bad_connection_are_said_only_where_they_are(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    party = desk.window.call.party
    assert (party.lock.isVisible(), party.quality.isVisible()) == (False, False)
    scene.show(s.snapshot(several.TALKING))
    assert (party.lock.isVisible(), party.lock.accessibleName()) == (True, "Krypteret")
    good = replace(several.BAD, word="good")
    scene.show(s.snapshot(replace(several.TALKING, quality=good)))
    assert not party.quality.isVisible()
    scene.show(several.STATES["bad_connection"])
    assert (party.quality.isVisible(), party.quality.text()) == (True, "Dårlig forbindelse")


def test_the_small_window_is_the_card_and_the_two_buttons_and_ends_with_the_call(scene: Scene) -> None:
    desk = scene.open(s.snapshot(several.TALKING))
    window = desk.window
    window.resize(400, 700)
    scene.press("toggleCompact")
    scene.qtbot.waitUntil(lambda: window.height() <= 290, timeout=10_000)
    assert window.width() <= 376
    assert not window.call.tools.isVisible()
    assert place(window.call.rights).bottom() < window.height()
    assert window.account.text() == "Mette Holm · 02:14"
    scene.press("stayOnTop")
    assert window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    scene.press("optOut")
    scene.keys(Qt.Key.Key_Backspace)
    scene.press("compactHangUp")
    assert [type(one) for one in scene.sent(3)] == [OptOut, HangUp, HangUp]
    scene.show(s.snapshot(replace(s.call(s.CONSENT))))
    assert window.top.compact.toolTip().endswith("Samtalen venter på et svar fra dig")
    scene.keys(Qt.Key.Key_1, ALT)  # shows what is asked before it is answered
    assert (window.width(), window.height()) == (400, 700)
    assert window.call.tools.isVisible()
    assert not window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert len(scene.commands()) == 3
    scene.keys(Qt.Key.Key_L)
    assert not window.call.tools.isVisible()
    scene.show(s.READY)
    assert (window.width(), window.height()) == (400, 700)
    assert window.settings_button.isVisible()


def test_hang_up_ends_the_call_that_is_heard_and_says_whose(scene: Scene) -> None:
    desk = scene.open(several.STATES["consultation"])
    hang_up = desk.window.call.hang_up
    assert "Læg på hos Bo" in hang_up.accessibleName()
    scene.press("hangUp")
    scene.keys(Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier)
    assert [without_id(one) for one in scene.sent(2)] == [BackToParty("", "colleague")] * 2
    scene.show(s.snapshot(s.ROWS["training_declined"][0]))
    assert hang_up.accessibleName().startswith("Læg på")
    assert "hos" not in hang_up.accessibleName()


def test_hanging_up_on_a_conference_asks_once_in_place(scene: Scene) -> None:
    desk = scene.open(several.STATES["conference"])
    sure = desk.window.call.rights.sure
    scene.press("hangUp")
    assert sure.isVisible()
    assert "Bo" in sure.question.text()
    assert not scene.commands()
    scene.keys(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not sure.isVisible()
    scene.press("hangUp")
    scene.show(s.snapshot(s.ROWS["training_declined"][0]))
    assert not sure.isVisible(), "the colleague has gone, and the question with it"
    scene.show(several.STATES["conference"])
    assert not sure.isVisible()
    scene.qtbot.wait(QApplication.doubleClickInterval())
    scene.press("hangUp")
    scene.qtbot.wait(QApplication.doubleClickInterval())
    scene.press("optOutYes")
    assert [without_id(one) for one in scene.sent()] == [HangUp("", "call-1")]
