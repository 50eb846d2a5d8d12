"""The agent's note in the window: saved as it is written, whatever comes in between, and never another call's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QToolTip

from softphone.ui.note_field import NoteField
from softphone.wire.from_engine import Refused
from softphone.wire.snapshot import NOTE_LENGTH, CallState, CodedText, TextSize
from softphone.wire.to_engine import SaveNote
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import Scene

KEYS = Qt.Key
PLAIN = Qt.KeyboardModifier.NoModifier


def opened(scene: Scene, *calls: CallState) -> NoteField:
    desk = scene.open(several.snapshot(*(calls or (several.TALKING,))))
    desk.window.resize(376, 800)
    QApplication.processEvents()
    scene.activate()
    note = desk.window.call.moment.beside.note
    assert note.isVisible()
    note.setFocus()
    return note


def saved(scene: Scene, count: int = 1) -> list[tuple[str, str]]:
    return [(one.call, one.text) for one in scene.sent(count) if isinstance(one, SaveNote)]


def test_a_note_is_saved_as_it_is_written_and_no_snapshot_takes_a_word_away(scene: Scene) -> None:
    note = opened(scene)
    scene.qtbot.keyClicks(note, "Ring ma")
    assert saved(scene) == [("call-1", "Ring ma")]
    scene.qtbot.keyClicks(note, "ndag ")
    # What the engine knows comes late, and without the space that is being written behind.
    scene.show(several.snapshot(replace(several.TALKING, note="Ring ma")))
    assert note.toPlainText() == "Ring mandag "
    assert saved(scene, 2)[-1] == ("call-1", "Ring mandag ")
    scene.show(several.snapshot(replace(several.TALKING, note="Ring mandag")))
    scene.qtbot.keyClicks(note, "kl. 9")
    assert note.toPlainText() == "Ring mandag kl. 9"
    # With the focus elsewhere it is saved at once, and shows what the engine has.
    note.clearFocus()
    scene.show(several.snapshot(replace(several.TALKING, note="Ring mandag kl. 9")))
    scene.show(several.snapshot(replace(several.TALKING, note="")))
    assert saved(scene, 3)[-1] == ("call-1", "Ring mandag kl. 9")
    assert note.toPlainText() == ""


def test_a_note_outlives_the_engine_s_absence_and_the_desk_s_end(scene: Scene) -> None:
    note = opened(scene)
    desk = scene.desk
    assert desk is not None
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
    assert note.isReadOnly()
    scene.qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
    scene.qtbot.waitUntil(lambda: not note.isReadOnly(), timeout=10_000)
    note.setFocus()
    scene.qtbot.keyClicks(note, "Til sidst")
    desk.close()
    assert saved(scene) == [("call-1", "Til sidst")]
    # Closed again, once Qt has taken away what the first time let go.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    desk.close()


def test_a_note_whose_call_an_engine_took_along_is_saved_once_the_next_one_knows_the_call(scene: Scene) -> None:
    note = opened(scene)
    desk, without = scene.desk, replace(several.snapshot(several.TALKING), calls=())
    assert desk is not None
    scene.qtbot.keyClicks(note, "Vigtigt")
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
    scene.engine.snapshot = replace(without, history=())
    scene.qtbot.waitUntil(lambda: desk.bridge.attached and not note.isVisible(), timeout=10_000)
    assert not [one for one in scene.commands() if isinstance(one, SaveNote)]
    scene.show(replace(without, history=(replace(several.EARLIER[0], id="call-1", note=""),)))
    assert saved(scene) == [("call-1", "Vigtigt")]


def test_a_desk_does_not_close_over_a_note_that_nobody_has_without_saying_so(scene: Scene) -> None:
    note = opened(scene)
    desk = scene.desk
    assert desk is not None
    scene.qtbot.keyClicks(note, "Vigtigt")
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
    scene.engine.endpoint = None  # the next one takes its time
    desk.window.close()
    assert desk.window.isVisible()
    assert "er ikke gemt endnu" in desk.window.note.text.text()
    assert "»Vigtigt«" in desk.window.note.text.text()
    desk.window.close()
    assert not desk.window.isVisible()


def test_a_note_that_a_dying_engine_did_not_say_it_has_goes_to_the_next_one_too(scene: Scene) -> None:
    note = opened(scene)
    desk = scene.desk
    assert desk is not None
    scene.qtbot.keyClicks(note, "Vigtigt")
    assert saved(scene) == [("call-1", "Vigtigt")]
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
    scene.qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
    assert saved(scene, 2) == [("call-1", "Vigtigt")] * 2


def test_a_note_that_the_engine_refuses_is_said_not_to_be_saved(scene: Scene) -> None:
    note = opened(scene)
    assert scene.desk is not None
    scene.qtbot.keyClicks(note, "Ring mandag")
    command = next(one for one in scene.sent() if isinstance(one, SaveNote))
    scene.engine.tell(Refused(command.id, CodedText("refused.no_such_call", {})))
    message = scene.desk.window.note
    scene.qtbot.waitUntil(message.isVisible, timeout=10_000)
    assert "Din note er ikke gemt" in message.text.text()
    assert "Ring mandag" in message.text.text()


def test_who_writes_as_the_call_ends_writes_on_in_its_wrap_up(scene: Scene) -> None:
    note = opened(scene)
    assert scene.desk is not None
    scene.qtbot.keyClicks(note, "Ring ma")
    scene.show(several.snapshot(replace(several.TALKING, phase=s.CallPhase.ENDED, ended_at=s.NOW, active=False)))
    last = scene.desk.window.ready.wrap_up.note
    assert last.hasFocus()
    scene.qtbot.keyClicks(last, "ndag")
    assert saved(scene, 2)[-1] == ("call-1", "Ring mandag")


def test_what_is_pasted_beyond_the_note_s_room_is_cut_and_said_and_can_be_undone(scene: Scene) -> None:
    note = opened(scene)
    note.insertPlainText("begin end")
    cursor = note.textCursor()
    cursor.setPosition(6)
    note.setTextCursor(cursor)
    QApplication.clipboard().setText("😀" * NOTE_LENGTH)
    note.paste()
    assert note.toPlainText() == "begin " + "😀" * (NOTE_LENGTH - 9) + "end"
    assert QToolTip.text() == "Der er plads til 500 tegn. Resten er skåret fra."
    assert saved(scene)[-1][1] == note.toPlainText()
    note.undo()
    assert note.toPlainText() == "begin end"


def test_what_stands_beside_a_call_asks_for_no_layout_while_nothing_of_it_changes(scene: Scene) -> None:
    """There is room for one of two rows: whoever tries the other one has all of it laid out at each drawing."""
    note = opened(scene)
    desk, asked = scene.desk, list[QObject]()
    assert desk is not None
    beside = desk.window.call.moment.beside

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() is QEvent.Type.LayoutRequest:
                asked.append(watched)
            return False

    low = next(high for high in range(700, 500, -2) if _shown_at(scene, high) == 1)
    watch = Watch()
    for widget in (beside, beside.card):
        widget.installEventFilter(watch)
    for _ in range(5):
        desk.draw()
        QApplication.processEvents()
    assert beside.shown == 1, low
    assert asked == []
    assert beside.card.height() == beside.card.sizeHint().height()
    _shown_at(scene, next(high for high in range(low, 500, -2) if _shown_at(scene, high) == 0 and note.isVisible()))
    assert beside.card.height() == beside.card.sizeHint().height()
    _shown_at(scene, low)
    assert note.mapTo(beside, note.rect().bottomLeft()).y() < beside.height()


def _shown_at(scene: Scene, height: int) -> int:
    assert scene.desk is not None
    scene.desk.window.resize(376, height)
    for _ in range(3):
        QApplication.processEvents()
    return scene.desk.window.call.moment.beside.shown


def test_a_note_stands_in_the_middle_of_its_field_in_every_size(scene: Scene) -> None:
    note = opened(scene)
    assert scene.desk is not None
    try:
        for size in TextSize:
            state = several.snapshot(several.TALKING)
            scene.show(replace(state, settings=replace(state.settings, text_size=size)))
            scene.desk.window.resize(700, 1300)
            scene.qtbot.waitUntil(note.isVisible, timeout=10_000)
            QApplication.processEvents()
            line = note.cursorRect().translated(note.viewport().pos())
            above, below = line.top(), note.height() - 1 - line.bottom()
            assert abs(above - below) <= 2, (size, above, below)
    finally:
        scene.show(several.snapshot())  # the size is one for the whole program


@pytest.mark.rule("G10")
def test_a_note_has_room_for_so_many_characters_and_the_keys_in_it_are_its_own(scene: Scene) -> None:
    note = opened(scene)
    note.setPlainText("x" * NOTE_LENGTH)
    scene.qtbot.keyClicks(note, "y")
    assert note.toPlainText() == "x" * NOTE_LENGTH
    note.setPlainText("to ord")
    note.moveCursor(note.textCursor().MoveOperation.End)
    scene.keys(KEYS.Key_Backspace)  # Ctrl+Backspace hangs up elsewhere
    assert note.toPlainText() == "to "
    scene.qtbot.keyClick(note, KEYS.Key_Tab, PLAIN)
    assert not note.hasFocus()
    assert {type(one) for one in scene.sent()} == {SaveNote}
    assert note.accessibleName() == "Din note"
    assert note.placeholderText() == "Skriv en note …"


def test_the_last_call_and_an_earlier_one_in_its_row_have_their_note(scene: Scene) -> None:
    ended = replace(s.call(s.RECORDING), phase=s.CallPhase.ENDED, ended_at=s.NOW, note="Vil have den blå")
    desk = scene.open(several.snapshot(ended))
    last = desk.window.ready.wrap_up.note
    assert (last.isVisible(), last.toPlainText()) == (True, "Vil have den blå")
    scene.activate()
    last.setFocus()
    last.selectAll()
    scene.qtbot.keyClick(last, KEYS.Key_Delete, PLAIN)
    assert saved(scene) == [(ended.id, "")]
    row = next(one for one in desk.window.ready.history.rows if not one.line.past.kept)
    row.toggle.click()
    scene.qtbot.waitUntil(lambda: row.note is not None and row.note.isVisible(), timeout=10_000)
    assert row.note is not None
    assert row.note in row.tab_chain()
    row.note.setFocus()
    scene.qtbot.keyClicks(row.note, "Senere")
    assert saved(scene, 2)[-1] == (row.line.past.id, "Senere")
