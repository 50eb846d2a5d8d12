"""All that the window says, to the eye and to a screen reader: why something is off, names, one language and one look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget

from softphone.domain.purpose import Language
from softphone.ui.controls import Control
from softphone.ui.fields import TextLabel
from softphone.ui.view import View
from softphone.ui.window import DeskWindow
from softphone.wire.snapshot import Look
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import Scene


def test_a_text_in_the_window_is_never_a_bare_code(english: Scene) -> None:
    desk = english.open(s.READY)
    for state in (*[s.snapshot(call) for call in e.EVERY.values()], s.READY):
        english.show(state)
        for label in desk.window.findChildren(TextLabel):
            if label.isVisible():
                assert not label.text().startswith(("card.", "reason.", "notice.", "press.", "outcome.", "kept.")), (
                    label.text()
                )
        for control in desk.window.findChildren(Control):
            assert "press." not in control.toolTip()
            assert "action." not in control.toolTip()


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
    **{name: s.snapshot(call) for name, call in e.EVERY.items()},
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
