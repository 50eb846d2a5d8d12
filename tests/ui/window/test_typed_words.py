"""What an agent types stays with the call that it was typed for, whichever becomes active in the middle of a word."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCompleter, QWidget

from softphone.ui import note_field
from softphone.ui.note_field import NoteField
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Activate, SaveNote, SendDigits
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id

PLAIN = Qt.KeyboardModifier.NoModifier
OVER = replace(several.TALKING, phase=CallPhase.ENDED, ended_at=s.NOW, active=False)
NEXT = replace(several.OTHER, active=True, held_by_us=False, note="Den anden")
"""the other call, which takes the place of the first one without a press of the agent's"""


def note_of(scene: Scene) -> NoteField:
    desk = scene.open(several.snapshot(several.TALKING, several.OTHER))
    desk.window.resize(376, 800)
    QApplication.processEvents()
    scene.activate()
    note = desk.window.call.moment.beside.note
    note.setFocus()
    return note


def typed(scene: Scene, words: str) -> None:
    """Wherever the keyboard is."""
    assert scene.desk is not None
    QTest.keyClicks(QApplication.focusWidget() or scene.desk.window, words)


def wait_saved(scene: Scene, call: str, text: str) -> None:
    """As the last of what was saved."""

    def saved() -> list[tuple[str, str]]:
        return [(one.call, one.text) for one in scene.commands() if isinstance(one, SaveNote)]

    scene.qtbot.waitUntil(lambda: saved()[-1:] == [(call, text)], timeout=10_000)


def shown_completions(completer: QCompleter) -> QWidget:
    popup = completer.popup()
    assert popup is not None
    assert popup.isVisible(), "the names that fit are shown"
    return popup


def test_a_note_goes_on_where_it_was_begun_and_never_into_the_call_that_takes_its_place(scene: Scene) -> None:
    note = note_of(scene)
    typed(scene, "Ring ma")
    scene.show(several.snapshot(OVER, NEXT))
    assert scene.desk is not None
    assert scene.desk.window.call.party.name.text() == "Jens Bo Krogh"
    typed(scene, "ndag")
    wait_saved(scene, "call-1", "Ring mandag")
    assert (note.still.isVisible(), note.still.text()) == (True, "Du skriver stadig om Mette Holm")
    assert note.accessibleName() == note.still.text()
    assert note.sizeHint().height() <= note.height(), "its line has room above the words"
    # A break ends it: what is typed from then on is nobody's until the agent says whose.
    scene.qtbot.waitUntil(lambda: note.toPlainText() == "Den anden", timeout=note_field._BREAK + 2000)
    assert not note.still.isVisible()
    typed(scene, " Oprindeligt")
    assert note.toPlainText() == "Den anden"
    note.setFocus()
    typed(scene, "!")
    wait_saved(scene, NEXT.id, "!Den anden")
    # A text to be read takes its room, and what is typed on presses nothing.
    scene.show(several.snapshot(OVER, replace(NEXT, status=s.READING)))
    assert not note.isVisible()
    assert QApplication.focusWidget() in (None, note.window())


def test_a_press_to_another_call_ends_the_writing_and_another_program_s_window_does_too(scene: Scene) -> None:
    note = note_of(scene)
    typed(scene, "Den ene")
    scene.keys(Qt.Key.Key_2)
    scene.show(several.snapshot(several.WAITS, NEXT))
    assert note.toPlainText() == "Den anden"
    assert not note.hasFocus()
    typed(scene, " Oprindeligt")
    assert note.toPlainText() == "Den anden"
    assert [without_id(one) for one in scene.sent(2)] == [
        Activate("", NEXT.id),
        SaveNote("", "call-1", "Den ene"),
    ]
    # The keyboard is elsewhere as the call changes, and comes back to the window.
    note.setFocus()
    assert scene.desk is not None
    elsewhere = QWidget()
    scene.qtbot.addWidget(elsewhere)
    elsewhere.show()
    elsewhere.activateWindow()
    scene.qtbot.waitUntil(elsewhere.isActiveWindow, timeout=10_000)
    scene.show(several.snapshot(several.TALKING, several.OTHER))
    scene.activate()
    typed(scene, "Mere")
    assert note.toPlainText() == ""


def test_digits_go_to_whom_the_agent_talks_with_and_to_nobody_who_comes_after(scene: Scene) -> None:
    desk = scene.open(several.STATES["consultation"])
    scene.activate()
    scene.press("keypad")
    keypad = desk.window.call.keypad
    assert (keypad.to.isVisible(), keypad.to.text()) == (True, "Til Bo · Teknik")
    typed(scene, "42")
    assert [without_id(one) for one in scene.sent(2)] == [
        SendDigits("", "colleague", "4"),
        SendDigits("", "colleague", "2"),
    ]
    # The colleague's machine hangs up: the rest of the number is not for the customer.
    scene.show(several.STATES["colleague_busy"])
    assert not keypad.isVisible()
    typed(scene, "17")
    scene.press("keypad")
    assert not keypad.to.isVisible()
    assert keypad.pressed.text() == ""
    typed(scene, "3")
    assert [without_id(one) for one in scene.sent(3)[2:]] == [SendDigits("", "call-1", "3")]


def test_what_is_typed_to_transfer_a_call_transfers_no_other_and_is_there_when_it_comes_back(scene: Scene) -> None:
    desk = scene.open(several.snapshot(several.TALKING, several.OTHER))
    scene.activate()
    scene.press("transfer")
    target = desk.window.call.transfer.target
    typed(scene, "Kundes")
    names = shown_completions(target.completer())
    scene.show(several.snapshot(several.WAITS, NEXT))
    assert not names.isVisible()
    assert not target.isVisible()
    QTest.keyClick(target, Qt.Key.Key_Return)
    typed(scene, "ervice\r")
    assert scene.commands() == []
    scene.press("transfer")
    assert target.text() == "", "that one is to be transferred nowhere yet"
    scene.keys(Qt.Key.Key_Escape, PLAIN)
    scene.show(several.snapshot(several.TALKING, several.OTHER))
    scene.press("transfer")
    assert target.text() == "Kundes"
    scene.keys(Qt.Key.Key_Escape, PLAIN)
    scene.press("transfer")
    assert target.text() == "", "the agent has closed it"


def test_a_number_being_typed_is_not_called_into_a_call_that_comes(scene: Scene) -> None:
    desk = scene.open(s.READY)
    scene.activate()
    target = desk.window.ready.dial.target
    target.setFocus()
    typed(scene, "Nordk")
    names = shown_completions(target.completer())
    scene.show(s.snapshot(s.INCOMING))
    assert not names.isVisible()
    QTest.keyClick(target, Qt.Key.Key_Return)
    assert scene.commands() == []
    scene.show(s.READY)
    assert target.text() == "Nordk"
