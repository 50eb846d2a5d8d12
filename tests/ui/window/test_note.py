"""What is told once, on a card of its own: what it covers, and how long it stays; and why the window does not close."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QSystemTrayIcon

from softphone.domain.purpose import Language
from softphone.wire.from_engine import Done, Fault, Refused, Snapshot
from softphone.wire.snapshot import CallPhase, CallState, CodedText
from tests.ui import states as s
from tests.ui.conftest import Scene
from tests.ui.window.places import place, places


def told(scene: Scene) -> None:
    assert scene.desk is not None
    scene.engine.tell(Fault(CodedText("why_not.not_now")))
    scene.qtbot.waitUntil(scene.desk.window.note.isVisible, timeout=10_000)


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
    scene.engine.tell(Fault(CodedText("ready.policy.missing")))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    QApplication.processEvents()
    note = desk.window.note
    assert note.card.property("role") == "fault"
    assert note.text.height() >= note.text.heightForWidth(note.text.width())
    assert (desk.window.width(), desk.window.height()) == (width, height)
    assert places(desk.window) == before
    reel = {"call": desk.window.call.first.reel, "ready": desk.window.ready.reel, "settings": desk.window.settings.reel}
    taken = place(note.card)
    assert not taken.intersects(place(reel[page]))
    scrolls = (reel[page], desk.window.call.first.slot)  # in so low a window the presses do too
    assert not taken.intersects(place(scrolls[1]))
    for button in desk.window.findChildren(QAbstractButton):
        if button.isVisible() and not any(one.isAncestorOf(button) for one in (*scrolls, note)):
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
    parts = (call.card, call.rights, call.first.reel, note, call.tools)
    for above, below in pairwise(parts):
        assert place(above).bottom() < place(below).top()


def test_a_note_goes_with_the_next_press_that_is_taken_and_not_with_one_made_before(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("mute")
    before = scene.sent(1)[0].id
    told(scene)
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(before))
    assert desk.window.note.isVisible()
    scene.press("hold")
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
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


def test_a_refused_press_is_said(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.tell(Refused("1", CodedText("why_not.not_now")))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    assert desk.window.note.text.text() == "Ikke muligt lige nu"


def test_what_was_told_once_is_told_in_the_language_chosen_since(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.tell(Fault(CodedText("settings.sound.no_microphone")))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    assert desk.window.note.text.text() == "Ingen mikrofon"
    scene.language = Language.EN
    scene.show(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.note.text.text() == "No microphone"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (s.call(s.RECORDING), "Samtalen er i gang, og du kan høres."),
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
    with scene.qtbot.assertNotEmitted(desk.window.closed):
        desk.window.quit()
    scene.show(s.READY)
    with scene.qtbot.waitSignal(desk.window.closed, timeout=10_000):
        desk.window.quit()


def test_without_a_tray_closing_the_window_says_once_what_it_means(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    with scene.qtbot.assertNotEmitted(desk.window.closed):
        assert not desk.window.close()
    assert desk.window.isVisible()
    assert desk.window.note.text.text().startswith("Lukker du vinduet, slukkes telefonen")
    scene.press("closeNote")  # it was read: what was meant is not to quit
    assert not desk.window.close()
    with scene.qtbot.waitSignal(desk.window.closed, timeout=10_000):
        assert desk.window.close()


def test_with_a_tray_the_window_goes_into_it_and_a_menu_there_brings_it_back_or_quits(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    told: list[str] = []

    def show(_tray: QSystemTrayIcon, _title: str, words: str, _icon: object) -> None:
        told.append(words)

    monkeypatch.setattr(QSystemTrayIcon, "showMessage", show)
    desk = scene.open(s.snapshot())
    for _ in range(2):
        with scene.qtbot.assertNotEmitted(desk.window.closed):
            desk.window.close()
        assert not desk.window.isVisible()
        assert desk.bridge.attached
        assert desk.tray.open_action.text() == "Vis Klartone"
        desk.tray.open_action.trigger()
        assert desk.window.isVisible()
    assert [words[:34] for words in told] == ["Klartone tager stadig imod opkald."]
    # Somebody rings meanwhile: it does not quit in a call, and says why.
    desk.window.close()
    scene.show(s.snapshot(s.call(s.RECORDING)))
    desk.tray.quit_action.trigger()
    assert desk.window.isVisible()
    assert desk.window.note.text.text().startswith("Samtalen er i gang")
    scene.show(s.snapshot())
    desk.window.close()
    with scene.qtbot.waitSignal(desk.window.closed, timeout=10_000):
        desk.tray.quit_action.trigger()


def test_a_phone_that_nobody_can_call_is_simply_closed(scene: Scene) -> None:
    desk = scene.open(s.FIRST_START)
    with scene.qtbot.waitSignal(desk.window.closed, timeout=10_000):
        assert desk.window.close()


def test_the_window_can_be_closed_while_the_engine_is_gone(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.endpoint = None
    with scene.qtbot.waitSignal(desk.bridge.disconnected, timeout=10_000):
        scene.engine.die()
    desk.bridge.close()
    assert desk.window.close()
