"""The window as a person meets it: what is in sight, what is off and why, nothing moves, the keyboard alone is enough."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QScrollBar, QWidget

from softphone.domain.purpose import Basis, Language, Reason
from softphone.domain.status import Button, OptOutKind, PurposePhase, Told
from softphone.ui.app import time_zone
from softphone.ui.controls import ActionButton, Chip, Control
from softphone.ui.fields import Words
from softphone.ui.view import View
from softphone.ui.window import HEIGHT, WIDTH, DeskWindow
from softphone.wire import (
    AccountState,
    Answer,
    CallPhase,
    CallState,
    Done,
    Fault,
    HangUp,
    Hold,
    Look,
    Mute,
    OptOut,
    RaiseDispute,
    Refused,
    Registration,
    Said,
    SendDigits,
    Snapshot,
    WatchLevels,
)
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene, without_id

V = s.RECORDING.version
CALLS = {
    **{name: row[0] for name, row in s.ROWS.items()},
    "locked": s.LOCKED_CALL,
    "incoming": s.INCOMING,
    **e.CALLS,
}


def places(window: DeskWindow) -> dict[str, tuple[QPoint, int]]:
    tools = window.call.tools
    parts: dict[str, QWidget] = {
        "party": window.call.party,
        "card": window.call.card,
        "optOut": window.call.rights.opt_out,
        "dispute": window.call.rights.dispute,
        "tools": window.call.tools,
        **{tool.objectName(): tool for tool in (tools.mute, tools.hold, tools.keys, tools.pause, tools.more)},
    }
    return {name: (part.mapTo(window, QPoint(0, 0)), part.width()) for name, part in parts.items()}


@pytest.mark.parametrize("width", [320, 376, 520])
def test_nothing_moves_when_the_state_changes(scene: Scene, width: int) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    desk.window.resize(width, 620)
    QApplication.processEvents()
    at_first = places(desk.window)
    for name, call in CALLS.items():
        scene.show(s.snapshot(call))
        QApplication.processEvents()
        assert places(desk.window) == at_first, name


@pytest.mark.parametrize("width", [320, 376])
@pytest.mark.parametrize("language", Language)
def test_no_words_are_cut_off_in_any_state(scene: Scene, width: int, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.snapshot())
    desk.window.resize(width, 700)
    for name, call in CALLS.items():
        scene.show(s.snapshot(call))
        QApplication.processEvents()
        assert not desk.window.call.card.overflows(), name
        for button in desk.window.call.findChildren(ActionButton):
            if button.isVisible():
                assert not button.overflows(), f"{name}: {button.text()} / {button.sub()}"
        for chip in desk.window.call.findChildren(Chip):
            assert chip.fits(), f"{name}: {chip.text()}"
            assert chip.mapTo(desk.window, QPoint(chip.width(), 0)).x() <= width - 16, chip.text()
        for words in (desk.window.call.party.name, desk.window.call.party.line):
            assert not words.elided(), f"{name}: {words.text()}"
        assert desk.window.width() == width
    scene.show(e.TO_CALL_BACK)
    QApplication.processEvents()
    for row in desk.window.ready.call_backs.rows.values():
        for words in (row.who, row.when, row.number):
            assert not words.elided(), words.text()


@pytest.mark.parametrize("language", Language)
def test_every_page_fits_the_narrowest_window_and_a_screen_at_200_percent(scene: Scene, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.READY)
    faulty = replace(s.READY, policy=s.PolicyState(s.PolicyPhase.FAULTY, faults=(Said("a", line=3, key="b"),)))
    states = (s.READY, faulty, e.TO_CALL_BACK, e.LAST_GOOD, e.UNSIGNED, e.WITH_REMARKS)
    for state in (*states, s.snapshot(s.LOCKED_CALL), s.snapshot(s.INCOMING)):
        scene.show(state)
        for opened in (False, True):
            if opened:
                desk.window.open_settings()
            QApplication.processEvents()
            assert desk.window.minimumSizeHint().width() <= 320
            assert desk.window.minimumSizeHint().height() <= 540  # 1080 pixels at 200 %
            desk.window.close_settings()


@pytest.mark.parametrize("width", [320, 376])
def test_long_danish_words_of_a_policy_stay_within_their_places(scene: Scene, width: int) -> None:
    why = (
        "Samtaler om skadesanmeldelser og dækningstilsagn i sundhedsforsikringsordningerne skal kunne dokumenteres i "
        "nævnet og over for enhver, der senere beder om at få sagen prøvet eller anmeldelsen genoptaget på ny"
    )
    party, line = "sundhedsforsikringstageren", "Sundhedsforsikringsselskabernes kundeservice"
    sales = replace(s.SALES, party={Language.DA: party}, name={Language.DA: line}, why={s.DOC: {Language.DA: why}})
    desk = scene.open(s.snapshot())
    desk.window.resize(width, 640)
    for name, call in CALLS.items():
        scene.show(replace(s.snapshot(replace(call, line="salg")), lines=(sales,)))
        QApplication.processEvents()
        assert desk.window.width() == width
        for button in desk.window.call.findChildren(ActionButton):
            if button.isVisible():
                assert not button.overflows(), f"{name}: {button.text()} / {button.sub()}"
        words = desk.window.call.card.words
        assert words is not None
        if desk.window.call.card.overflows():
            assert words.body in desk.window.call.card.toolTip()
    scene.show(replace(s.snapshot(s.call(s.DOCUMENTED)), lines=(sales,)))
    assert desk.window.call.card.shown_body().endswith("… · siden\N{NO-BREAK SPACE}10.42")
    assert why[1:] in desk.window.call.card.toolTip()


def test_a_name_too_long_for_the_window_is_shortened_and_pushes_nothing_out(scene: Scene) -> None:
    name = "Sundhedsforsikringsselskabernes Fællesadministration og Kundeservicecenter"
    desk = scene.open(s.snapshot(s.call(s.RECORDING, name=name)))
    desk.window.resize(320, 700)
    QApplication.processEvents()
    assert desk.window.width() == 320
    assert desk.window.call.party.name.elided()
    timer = desk.window.call.party.timer
    assert timer.mapTo(desk.window, QPoint(timer.width(), 0)).x() <= 320


@pytest.mark.parametrize("name", CALLS)
def test_whatever_is_off_says_why(scene: Scene, name: str) -> None:
    desk = scene.open(s.snapshot(CALLS[name]))
    for control in desk.window.findChildren(Control):
        if control.isVisible() and not control.isEnabled():
            assert control.accessibleDescription(), control.objectName()
            assert control.accessibleDescription() in control.toolTip()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("state", ["recording", "read_aloud", "ready", "settings"])
def test_every_control_has_a_name_for_a_screen_reader(scene: Scene, state: str, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.READY if state in ("ready", "settings") else s.snapshot(CALLS[state]))
    if state == "settings":
        scene.press("openSettings")
    for widget in desk.window.findChildren(QWidget):
        if (
            widget.isVisible()
            and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.objectName() != "qt_scrollarea"
        ):
            assert widget.accessibleName(), f"{widget.objectName()} of {type(widget).__name__}"


def test_the_title_carries_the_headline_and_the_party(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.windowTitle() == "Optages til dokumentation og uddannelse – Mette Holm – Klartone"
    scene.show(s.snapshot())
    assert desk.window.windowTitle() == "Klartone"


def test_a_changed_headline_is_announced_once_and_a_counting_second_is_not(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scene.open(s.snapshot(s.call(s.PLAYING)))
    said: list[str] = []
    monkeypatch.setattr(desk.window, "announce", said.append)
    for second in range(3):
        scene.show(s.snapshot(s.call(replace(s.PLAYING, until=s.NOW + s.timedelta(seconds=8 - second)))))
    assert said == []
    scene.show(s.snapshot(s.call(s.RECORDING)))
    scene.show(s.snapshot(s.call(s.RECORDING), version=8))
    scene.show(s.snapshot(s.LOCKED_CALL))
    assert said == [
        "Optages til dokumentation og uddannelse",
        "Optages kun til dokumentation. Kunden sagde nej til uddannelse kl. 10.44. Låst mod sletning · tvist siden 10.45",
    ]


def test_the_timer_runs_from_the_answer_in_digits_of_one_width(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.call.party.timer.text() == "02:14"
    assert desk.window.call.party.timer.font().isFeatureSet(desk.window.call.party.timer.font().featureTags()[0])


def test_one_click_copies_the_number(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    QApplication.clipboard().clear()
    scene.press("copyNumber")
    assert QApplication.clipboard().text() == "+45 20 12 34 56"
    assert desk.window.call.party.number.text() == "Kopieret"


# --- the notice ---------------------------------------------------------------------------------


def test_the_words_being_said_are_marked_and_the_lines_stay_where_they_are(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.PLAYING)))
    notice = desk.window.call.moment.notice
    half = notice.text.text()
    assert 'background-color:#FFF2D1">medarbejdere.</span>' in half
    height = notice.text.heightForWidth(300)
    early = replace(s.PLAYING, notice=replace(s.PLAYING.notice or s.TOLD, started_at=s.NOW))
    scene.show(s.snapshot(s.call(early)))
    assert 'background-color:#FFF2D1">Vi</span>' in notice.text.text()
    assert notice.text.heightForWidth(300) == height


def test_a_heard_notice_is_folded_and_opens_in_place(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    notice = desk.window.call.moment.notice
    assert notice.fold.text() == "Kunden fik besked kl. 10.41 · Vis teksten"
    assert not notice.card.isVisible()
    scene.press("noticeFold")
    assert notice.card.isVisible()
    assert notice.text.accessibleName() == s.TEXT


@pytest.mark.rule("G05")
def test_a_text_to_read_aloud_is_large_and_is_confirmed_only_after_its_time(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    assert desk.window.call.moment.notice.text.font().pixelSize() == 18
    button = scene.widget("noticeRead")
    assert isinstance(button, ActionButton)
    assert (button.isEnabled(), button.sub()) == (False, "om 4 sek.")
    scene.show(s.snapshot(s.call(replace(s.READING, actions=("notice_read",)))))
    assert button.isEnabled()
    assert scene.commands() == []


def test_what_to_say_stands_there_when_the_law_requires_the_recording(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["obliged_noted"]))
    assert desk.window.call.moment.to_say.isVisible()
    assert desk.window.call.moment.to_say_text.text() == e.CALLS["obliged_noted"].objection_answer
    scene.show(s.snapshot(s.call(s.ON_OBLIGATION)))
    assert not desk.window.call.moment.to_say.isVisible()


def test_no_microphone_is_said_in_the_call(scene: Scene) -> None:
    silent = replace(s.snapshot(s.call(s.RECORDING)), sound=s.SoundState(fault=Said("settings.sound.no_microphone")))
    desk = scene.open(silent)
    assert desk.window.call.moment.fault.isVisible()
    assert desk.window.call.moment.fault_text.text() == "Ingen mikrofon"


# --- the keyboard -------------------------------------------------------------------------------


def keys(scene: Scene, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.ControlModifier) -> None:
    assert scene.desk is not None
    window = scene.desk.window
    window.activateWindow()
    scene.qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    scene.qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)


def test_a_whole_call_by_the_keyboard_alone(scene: Scene) -> None:
    scene.open(s.snapshot(s.INCOMING))
    keys(scene, Qt.Key.Key_Return)
    scene.sent(1)
    scene.show(s.snapshot(s.call(s.RECORDING)))
    for key in (Qt.Key.Key_M, Qt.Key.Key_H, Qt.Key.Key_O, Qt.Key.Key_D):
        keys(scene, key)
    keys(scene, Qt.Key.Key_Backspace)
    assert [without_id(command) for command in scene.sent(6)] == [
        Answer("", "call-1"),
        Mute("", "call-1", on=True),
        Hold("", "call-1", on=True),
        OptOut("", "call-1", V, "training_ends"),
        RaiseDispute("", "call-1", V),
        HangUp("", "call-1"),
    ]


def test_digits_are_typed_while_the_keypad_is_open_and_escape_closes_it(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    keys(scene, Qt.Key.Key_K)
    assert desk.window.call.keypad_open
    scene.qtbot.keyClicks(desk.window.call, "12#")
    assert [without_id(command) for command in scene.sent(3)] == [SendDigits("", "call-1", key) for key in "12#"]
    keys(scene, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not desk.window.call.keypad_open


def test_the_moments_buttons_have_keys_of_their_own(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.NOBODY_YET)))
    keys(scene, Qt.Key.Key_1)
    keys(scene, Qt.Key.Key_2)
    assert [getattr(command, "action", "") for command in scene.sent(2)] == ["person_answered", "voicemail"]


def test_a_key_does_nothing_where_its_button_is_off(scene: Scene) -> None:
    scene.open(s.snapshot(s.call(s.NOT_DRAWN)))
    keys(scene, Qt.Key.Key_O)
    keys(scene, Qt.Key.Key_D)
    keys(scene, Qt.Key.Key_M)
    assert [type(command) for command in scene.sent(1)] == [Mute]


def test_tab_follows_the_order_of_the_page(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.LOCKED_CALL))
    window = desk.window
    window.activateWindow()
    scene.qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    window.settings_button.setFocus(Qt.FocusReason.TabFocusReason)
    order: list[str] = []
    for _ in range(16):
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
        "mute",
        "hold",
        "keypad",
        "pauseSensitive",
        "more",
        "hangUp",
    ]


def test_the_table_of_keys_in_the_documents_is_the_windows(qapp: QApplication) -> None:
    table = (RESOURCES.parent / "docs" / "agents.md").read_text(encoding="utf-8").partition("| keys |")[2]
    told = {key for row in re.findall(r"(?m)^\| ((?:Ctrl|Esc)[^|]*) \|", table) for key in row.split(", ")}
    window = DeskWindow()
    there = {shortcut.key().toString() for shortcut in window.findChildren(QShortcut)}
    window.deleteLater()
    assert {key.replace("Enter", "Return") for key in told} == there


def test_a_text_longer_than_its_place_is_read_to_its_end_by_the_keyboard_alone(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    window = desk.window
    window.resize(376, 545)
    window.activateWindow()
    scene.qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    window.call.rights.dispute.setFocus(Qt.FocusReason.TabFocusReason)
    before = window.grab().toImage()
    scene.qtbot.keyClick(window.call.rights.dispute, Qt.Key.Key_Tab)
    reel = window.call.reels[0]
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
    scene.qtbot.waitUntil(lambda: bar.maximum() == 0, timeout=2000)
    assert QApplication.focusWidget() is window  # not the neighbour


@pytest.mark.parametrize("width", [320, 376])
def test_the_bar_of_what_scrolls_covers_nothing(scene: Scene, width: int) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    desk.window.resize(width, 545)
    QApplication.processEvents()
    reel = desk.window.call.reels[0]
    bar = next(one for one in reel.findChildren(QScrollBar) if one.parent() is reel)
    assert bar.isVisible()
    for part in desk.window.call.moment.findChildren(QWidget):
        if part.isVisible():
            assert not place(part).intersects(place(bar)), part.objectName()


@pytest.mark.parametrize("language", Language)
def test_a_window_of_its_usual_size_shows_the_longest_text_to_read_aloud_whole(
    scene: Scene, language: Language
) -> None:
    scene.language = language
    desk = scene.open(s.snapshot(s.call(s.READING)))
    desk.window.resize(WIDTH, HEIGHT)
    QApplication.processEvents()
    assert desk.window.call.reels[0].verticalScrollBar().maximum() == 0


def test_a_button_that_goes_off_under_the_focus_does_not_hand_it_to_its_neighbour(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    button = desk.window.call.rights.opt_out
    desk.window.activateWindow()
    scene.qtbot.waitUntil(desk.window.isActiveWindow, timeout=2000)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    scene.show(s.snapshot(s.call(replace(s.RECORDING, opt_out=Button(OptOutKind.NONE, enabled=False, why_not="over")))))
    scene.qtbot.keyClick(QApplication.focusWidget() or desk.window, Qt.Key.Key_Space)
    scene.qtbot.keyClick(QApplication.focusWidget() or desk.window, Qt.Key.Key_Return)
    scene.press("mute")
    assert [type(command) for command in scene.sent()] == [Mute]


def test_the_keys_stand_in_the_tooltips(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    for name, key in {"optOut": "Ctrl+O", "dispute": "Ctrl+D", "mute": "Ctrl+M", "hangUp": "Ctrl+Backspace"}.items():
        assert key in scene.widget(name).toolTip()
    assert desk.window.call.answer.toolTip().count("Ctrl+Return") == 1


# --- pages, faults, languages -------------------------------------------------------------------


def test_language_and_look_change_at_run_time(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.call.hang_up.text() == "Læg på"
    scene.language, scene.look = Language.EN, Look.DARK
    scene.show(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.call.hang_up.text() == "Hang up"
    assert desk.window.windowTitle().startswith("Recording for documentation and training")
    assert desk.window.palette().color(desk.window.palette().ColorRole.Window).name() == "#14171b"


def said_by(window: DeskWindow) -> list[str]:
    """All that stands in the window, and all that a screen reader and the mouse are told."""
    told: list[str] = [window.windowTitle()]
    for part in window.findChildren(QWidget):
        told += [part.accessibleName(), part.accessibleDescription(), part.toolTip()]
        if isinstance(part, QLabel | QAbstractButton):
            told.append(part.text())
        if isinstance(part, QLineEdit):
            told.append(part.placeholderText())
    card = window.call.card.words
    menu = [action.text() for action in window.call.tools.menu.actions()]
    return sorted({*told, *menu, *(astuple(card)[:6] if card else ())})


ALL_STATES = {
    **{name: s.snapshot(call) for name, call in CALLS.items()},
    "wrap_up": s.READY,
    "call_backs": e.TO_CALL_BACK,
    "last_good": e.LAST_GOOD,
    "unsigned": e.UNSIGNED,
    "remarks": e.WITH_REMARKS,
}


def test_a_language_chosen_at_run_time_leaves_no_word_of_the_other(view_of: Callable[..., View]) -> None:
    switched, english = DeskWindow(), DeskWindow()
    for name, state in ALL_STATES.items():
        if name == "remarks":
            switched.open_settings()
            english.open_settings()
        for language in (Language.DA, Language.EN):
            switched.render_view(view_of(state, language))
        english.render_view(view_of(state, Language.EN))
        assert said_by(switched) == said_by(english), name
    for window in (switched, english):
        window.deleteLater()
        QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


def test_what_was_told_once_is_told_in_the_language_chosen_since(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.tell(Fault(Said("settings.sound.no_microphone")))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=2000)
    assert desk.window.note.text.text() == "Ingen mikrofon"
    scene.language = Language.EN
    scene.show(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.note.text.text() == "No microphone"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Registration.REGISTERED, "Klar · salg@nordlys.example"),
        (Registration.REGISTERING, "Logger på … · salg@nordlys.example"),
        (Registration.REFUSED, "Afvist af serveren (403) · salg@nordlys.example"),
        (Registration.UNREACHABLE, "Serveren svarer ikke – prøver igen · salg@nordlys.example"),
        (Registration.UNREGISTERED, "Klar uden server · salg@nordlys.example"),
        (Registration.NO_PASSWORD, "Adgangskoden mangler · salg@nordlys.example"),
    ],
)
def test_the_account_line_says_the_registration_in_words(scene: Scene, state: Registration, words: str) -> None:
    account = AccountState(s.ACCOUNT, state, code=403)
    desk = scene.open(replace(s.snapshot(), accounts=(account,)))
    assert desk.window.account.text() == words


@pytest.mark.parametrize(("width", "height"), [(320, 620), (376, 560), (376, 800)])
@pytest.mark.parametrize("page", ["call", "ready", "settings"])
def test_a_fault_is_an_outlined_card_that_covers_nothing_and_moves_only_what_scrolls(
    scene: Scene, page: str, width: int, height: int
) -> None:
    desk = scene.open(s.READY if page == "ready" else s.snapshot(s.call(s.READING)))
    if page == "settings":
        scene.press("openSettings")
    desk.window.resize(width, height)
    QApplication.processEvents()
    before = places(desk.window)
    scene.engine.tell(Fault(Said("ready.policy.missing")))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=2000)
    QApplication.processEvents()
    note = desk.window.note
    assert note.card.property("role") == "fault"
    assert note.text.height() >= note.text.heightForWidth(note.text.width())
    assert (desk.window.width(), desk.window.height()) == (width, height)
    assert places(desk.window) == before
    reel = {"call": desk.window.call.reels[0], "ready": desk.window.ready.reel, "settings": desk.window.settings.reel}
    taken = place(note.card)
    assert not taken.intersects(place(reel[page]))
    for button in desk.window.findChildren(QAbstractButton):
        if button.isVisible() and not reel[page].isAncestorOf(button) and button is not note.close_button:
            assert not taken.intersects(place(button)), button.objectName()
    scene.press("closeNote")
    assert not note.isVisible()


def test_a_window_too_low_for_a_note_grows_and_nothing_lies_over_another(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    desk.window.resize(320, 522)
    told(scene)
    desk.window.say(lambda texts: texts("close.connected"), desk.view().texts)
    QApplication.processEvents()
    call, note = desk.window.call, desk.window.note
    assert 522 < desk.window.height() <= 580
    assert note.text.height() >= note.text.heightForWidth(note.text.width())
    parts = (call.card, call.rights, call.reels[0], note, call.tools, call.hang_up)
    for above, below in pairwise(parts):
        assert place(above).bottom() < place(below).top()


def place(widget: QWidget) -> QRect:
    """Where it stands on its window."""
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


def told(scene: Scene) -> None:
    assert scene.desk is not None
    scene.engine.tell(Fault(Said("why_not.not_now")))
    scene.qtbot.waitUntil(scene.desk.window.note.isVisible, timeout=2000)


def test_a_note_goes_with_the_next_press_that_is_taken_and_not_with_one_made_before(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("mute")
    before = scene.sent(1)[0].id
    told(scene)
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=2000):
        scene.engine.tell(Done(before))
    assert desk.window.note.isVisible()
    scene.press("hold")
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=2000):
        scene.engine.tell(Done(scene.sent(2)[1].id))
    assert not desk.window.note.isVisible()


@pytest.mark.parametrize("after", [s.READY, s.snapshot(replace(s.INCOMING, id="call-2"))], ids=["over", "another"])
def test_a_note_does_not_outlive_the_call_it_was_told_in(scene: Scene, after: Snapshot) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    told(scene)
    scene.show(s.snapshot(s.call(s.DOCUMENTED)))
    assert desk.window.note.isVisible()
    scene.show(after)
    assert not desk.window.note.isVisible()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (s.call(s.RECORDING), "Samtalen er i gang, og den anden kan høre dig."),
        (replace(s.INCOMING, phase=CallPhase.DIALLING), "Der ringes op."),
        (replace(s.INCOMING, phase=CallPhase.RINGING), "Der ringes op."),
        (s.INCOMING, "Det ringer."),
    ],
    ids=lambda given: given.phase if isinstance(given, CallState) else "",
)
def test_the_window_stays_while_there_is_a_call_and_says_why(scene: Scene, call: CallState, words: str) -> None:
    desk = scene.open(s.snapshot(call))
    with scene.qtbot.assertNotEmitted(desk.window.closed):
        assert not desk.window.close()
    assert desk.window.isVisible()
    assert desk.window.note.text.text().startswith(words)
    scene.show(s.READY)
    with scene.qtbot.waitSignal(desk.window.closed, timeout=1000):
        assert desk.window.close()


def test_the_window_can_be_closed_while_the_engine_is_gone(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.endpoint = None
    with scene.qtbot.waitSignal(desk.bridge.disconnected, timeout=1000):
        scene.engine.die()
    desk.bridge.close()
    assert desk.window.close()


def test_a_refused_press_is_said(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.tell(Refused("1", Said("why_not.not_now")))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=2000)
    assert desk.window.note.text.text() == "Ikke muligt lige nu"


def test_a_caller_who_rings_while_the_settings_are_open_can_be_answered_by_the_keyboard(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    path = desk.window.settings.policy.path
    desk.window.activateWindow()
    scene.qtbot.waitUntil(desk.window.isActiveWindow, timeout=2000)
    path.setFocus()
    path.clear()
    scene.qtbot.keyClicks(path, "/hal")
    scene.show(s.snapshot(s.INCOMING))
    assert desk.window.pages.currentWidget() is desk.window.call
    keys(scene, Qt.Key.Key_Return)
    # Half a path has not become the policy's on the way.
    assert [type(command) for command in scene.sent(3)] == [WatchLevels, WatchLevels, Answer]
    assert path.text() == "/hal"


def test_settings_opened_while_it_rings_stay_open(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.INCOMING))
    scene.press("openSettings")
    scene.show(s.snapshot(s.INCOMING, version=30))
    assert desk.window.settings_open


def test_settings_in_a_call_keep_its_state_in_sight_and_go_back(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("openSettings")
    assert desk.window.strip.isVisible()
    assert desk.window.strip.text() == "Optages til dokumentation og uddannelse"
    scene.press("callStrip")
    assert desk.window.pages.currentWidget() is desk.window.call


def test_after_the_call_its_wrap_up_stands_on_the_ready_page(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.show(s.READY)
    assert desk.window.pages.currentWidget() is desk.window.ready
    wrap_up = desk.window.ready.wrap_up
    assert wrap_up.isVisible()
    assert wrap_up.rights.buttons.opt_out.isVisible()
    assert wrap_up.when.text() == "10.41 · 06:12"
    assert len(desk.window.ready.history.rows) == 5


def test_standing_faults_are_said_on_the_ready_page_and_lead_to_the_settings(scene: Scene) -> None:
    faulty = replace(s.snapshot(), policy=s.PolicyState(s.PolicyPhase.FAULTY, faults=(Said("a"), Said("b"))))
    desk = scene.open(faulty)
    assert desk.window.ready.fault_text.text().startswith("Der er 2 fejl i reglerne")
    scene.press("toSettings")
    assert desk.window.settings_open


def test_the_corner_window_shows_who_rings_and_takes_no_focus(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    desk.window.activateWindow()
    scene.qtbot.waitUntil(desk.window.isActiveWindow, timeout=2000)
    desk.window.ready.dial.target.setFocus()
    scene.show(s.snapshot(s.INCOMING))
    popup = desk.incoming
    assert popup.isVisible()
    assert popup.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert popup.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert popup.name.text() == "Mette Holm"
    assert popup.line.text() == "+45 20 12 34 56 · Salgslinjen"
    assert popup.waited.text() == "Indgående opkald · Har ventet 02:24"
    scene.show(s.snapshot(s.call(s.PLAYING)))
    assert not popup.isVisible()


def test_a_call_that_nobody_answered_leaves_no_corner_window(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.INCOMING))
    assert desk.incoming.isVisible()
    scene.show(s.snapshot())
    assert not desk.incoming.isVisible()


def test_a_text_in_the_window_is_never_a_bare_code(english: Scene) -> None:
    desk = english.open(s.READY)
    for state in (*[s.snapshot(call) for call in CALLS.values()], s.READY):
        english.show(state)
        for label in desk.window.findChildren(Words):
            if label.isVisible():
                assert not label.text().startswith(("card.", "reason.", "notice.", "press.", "outcome.", "kept.")), (
                    label.text()
                )
        for control in desk.window.findChildren(Control):
            assert "press." not in control.toolTip()
            assert "action." not in control.toolTip()


def test_a_text_to_be_read_has_the_room_of_a_second_row_and_playing_it_is_in_the_menu(scene: Scene) -> None:
    outgoing = replace(s.READING, actions=("voicemail", "play_again", "not_understood"))
    desk = scene.open(s.snapshot(s.call(outgoing)))
    page = desk.window.call
    shown = [button.objectName() for button in page.moment.first_presses()]
    assert shown == ["noticeRead", "voicemail"]
    offered = {action.objectName() for action in page.tools.menu.actions()}
    assert "action_play_again" in offered


# --- what happens in a call, and what holds between calls -----------------------------------------


def test_what_happened_and_what_to_say_are_announced_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = scene.open(s.snapshot(s.call(s.ON_OBLIGATION)))
    said: list[str] = []
    monkeypatch.setattr(desk.window, "announce", said.append)
    noted = e.CALLS["obliged_noted"]
    scene.show(s.snapshot(noted))
    scene.show(s.snapshot(noted, version=8))
    assert said == [
        "Ønsket er noteret. Optagelsen fortsætter, for loven kræver den. Loven kræver, at vi optager den her slags samtaler"
    ]


@pytest.mark.rule("G09")
def test_the_warning_before_recording_resumes_is_announced_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = scene.open(s.snapshot(s.call(s.SENSITIVE)))
    said: list[str] = []
    monkeypatch.setattr(desk.window, "announce", said.append)
    for left in (10, 9, 8):
        warned = replace(e.WARNED, until=s.NOW + timedelta(seconds=left))
        scene.show(s.snapshot(s.call(warned), version=left))
    assert len(said) == 1
    assert "Optagelsen fortsætter om 10 sek" in said[0]


@pytest.mark.rule("G09")
def test_more_time_stands_there_from_the_start_of_a_pause_and_can_be_pressed_at_its_end(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.SENSITIVE)))
    button = scene.widget("moreTime")
    assert (button.isVisible(), button.isEnabled()) == (True, False)
    place = button.geometry()
    scene.show(s.snapshot(e.CALLS["warned"]))
    QApplication.processEvents()
    assert (button.isEnabled(), button.geometry()) == (True, place)
    scene.show(s.snapshot(e.CALLS["by_hand"]))
    assert not button.isVisible()
    assert desk.window.call.moment.first_presses()[0].objectName() == "resume"


@pytest.mark.rule("G03")
def test_each_of_two_questions_has_its_keys_and_a_name_for_a_screen_reader(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["two_asked"]))
    for key in (Qt.Key.Key_1, Qt.Key.Key_4):
        keys(scene, key)
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


@pytest.mark.rule("G04")
def test_after_the_call_what_the_opt_out_does_stands_on_no_second_button(scene: Scene) -> None:
    active = s.purpose(PurposePhase.ACTIVE, Basis.CONSENT, Reason.CONSENT)
    stop = Button(OptOutKind.STOP_AND_DELETE, enabled=True)
    assert s.ENDED.status is not None
    status = replace(s.ENDED.status, purposes={s.DOC: s.OFF, s.TRAIN: active}, opt_out=stop)
    scene.open(s.snapshot(s.ENDED))
    assert scene.widget("last_withdraw_training").isVisible()
    scene.show(s.snapshot(replace(s.ENDED, status=status)))
    assert scene.widget("lastOptOut").isVisible()
    assert not scene.widget("last_withdraw_training").isVisible()


def test_a_machine_is_asked_about_until_a_person_has_answered_and_then_from_the_menu(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.NOBODY_YET)))
    assert scene.widget("voicemail").isVisible()
    scene.show(s.snapshot(s.call(replace(s.DOCUMENTED, actions=(*s.TALK, "voicemail")))))
    assert not scene.widget("voicemail").isVisible()
    assert "action_voicemail" in [action.objectName() for action in desk.window.call.tools.menu.actions()]


def test_no_notice_is_missed_where_none_was_to_be_given(scene: Scene) -> None:
    untold = replace(s.TOLD, told=Told.NOTHING, heard_at=None)
    desk = scene.open(s.snapshot(s.call(replace(e.VOICEMAIL, notice=untold))))
    assert not desk.window.call.moment.notice.isVisible()


def test_what_was_pressed_keeps_its_name_when_it_cannot_be_pressed_again(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["obliged_noted"]))
    button = desk.window.call.rights.opt_out
    assert (button.text(), button.sub(), button.isEnabled()) == ("Notér ønsket", "ønsket er noteret", False)


def test_a_refused_policy_is_a_calm_line_while_the_last_good_one_holds_and_leads_to_its_faults(scene: Scene) -> None:
    desk = scene.open(e.LAST_GOOD)
    ready = desk.window.ready
    assert not ready.faults.isVisible()
    assert ready.policy_text.text() == (
        "De nye regler har 2 fejl og er ikke taget i brug. De regler, der gjaldt før, gælder stadig."
    )
    scene.press("seeFaults")
    section = desk.window.settings.policy
    scene.qtbot.waitUntil(section.choose.hasFocus, timeout=2000)
    assert section.state.text() == "2 fejl i den nye fil. Reglerne for Nordlys El A/S fra før gælder stadig."
    assert section.faults.text().startswith("Linje 12 · line[1].training.retention · regel G10\n")
    top = section.mapTo(desk.window, QPoint(0, 0)).y()
    assert 0 <= top < desk.window.height() - 100
    # Its times are those of the policy that holds.
    assert time_zone(e.LAST_GOOD) == "Europe/Copenhagen"


def test_an_unsigned_policy_is_said_on_the_page_and_in_the_settings(scene: Scene) -> None:
    desk = scene.open(e.UNSIGNED)
    assert desk.window.ready.faults.isVisible()
    assert desk.window.ready.fault_text.text().startswith("Reglerne er ikke underskrevet")
    scene.press("openSettings")
    assert desk.window.settings.policy.state.text().startswith("Ikke underskrevet med nøglen nedenfor")


def test_who_is_to_be_called_back_stands_on_the_page_with_names_for_a_screen_reader(scene: Scene) -> None:
    desk = scene.open(e.TO_CALL_BACK)
    rows = list(desk.window.ready.call_backs.rows.values())
    assert [(row.who.text(), row.when.text()) for row in rows] == [
        ("Alma Friis", "Salgslinjen · 09.31"),
        ("+45 40 11 90 17", "24. nov. 2026"),
    ]
    assert rows[0].call.accessibleName() == "Ring tilbage til Alma Friis"
    assert rows[1].done.accessibleName() == "+45 40 11 90 17 skal ikke ringes op mere"
    scene.show(replace(e.TO_CALL_BACK, call_backs=e.CALL_BACKS[1:]))
    assert [row.entry.id for row in desk.window.ready.call_backs.rows.values()] == ["cb2"]
    scene.show(replace(e.TO_CALL_BACK, call_backs=(replace(e.CALL_BACKS[0], number=""),)))
    [row] = desk.window.ready.call_backs.rows.values()
    assert (row.who.text(), row.number.text(), row.call.isEnabled()) == ("Ukendt nummer", "", False)
    assert row.done.isEnabled()
    scene.show(s.snapshot())
    assert not desk.window.ready.call_backs.isVisible()


def test_tab_goes_through_the_page_between_calls_in_its_order(scene: Scene) -> None:
    desk = scene.open(e.TO_CALL_BACK)
    window = desk.window
    window.activateWindow()
    scene.qtbot.waitUntil(window.isActiveWindow, timeout=2000)
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
