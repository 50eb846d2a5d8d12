"""An update waits for the agent: the window says so, lets go once nothing would be lost, and takes every note along."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from softphone.bootstrap.desk import take_place
from softphone.bootstrap.home import Home
from softphone.wire.from_engine import Done, Refused, Snapshot
from softphone.wire.snapshot import CallPhase, CallState, CodedText, QuitAsked, QuitPhase
from softphone.wire.to_engine import EndWrapUp, PostponeQuit, QuitWhenIdle, SaveNote
from tests.ui import states as s
from tests.ui.conftest import Scene

CALL = s.ROWS["recording"][0]
WRAP_UP = replace(CALL, phase=CallPhase.ENDED, ended_at=s.NOW)


def asked(phase: QuitPhase, *calls: CallState) -> Snapshot:
    return replace(s.snapshot(*calls), quit_asked=QuitAsked(phase))


def ready(scene: Scene) -> list[QuitWhenIdle]:
    return [one for one in scene.commands() if isinstance(one, QuitWhenIdle)]


def test_the_agent_sees_what_it_waits_for_and_can_put_it_off_or_take_it_now(scene: Scene) -> None:
    desk = scene.open(s.snapshot(CALL))
    left: list[bool] = []
    desk.window.closed.connect(lambda: left.append(True))
    bar = desk.window.update_bar
    scene.show(s.snapshot(CALL))
    before = desk.window.call.hang_up.isVisible(), bar.isVisible()
    scene.show(asked(QuitPhase.WAITS, CALL))
    QApplication.processEvents()
    assert before == (True, False)
    assert bar.isVisible()
    assert bar.text.text() == "En opdatering venter. Klartone lukker, når samtalen og efterbehandlingen er slut."
    assert desk.window.call.hang_up.isVisible()
    assert not bar.now.isEnabled()
    if folder := os.environ.get("PICTURES"):
        desk.window.grab().save(f"{folder}/update-call-{scene.look}.png")
    scene.press("postponeUpdate")
    assert isinstance(scene.sent()[-1], PostponeQuit)
    # Put off, it stays in sight, with until when, and can still be taken.
    until = s.NOW.replace(hour=14, minute=30)
    latest = until.replace(hour=16)
    put_off = QuitAsked(QuitPhase.POSTPONED, until, latest)
    scene.show(replace(s.snapshot(), quit_asked=put_off))
    texts = desk.view().texts
    said = f"Opdateringen venter til kl. {texts.clock(until)}. Fra kl. {texts.clock(latest)} venter den kun på samtaler i gang."
    assert bar.text.text() == said
    assert (bar.later.isVisible(), bar.now.isEnabled()) == (False, True)
    if folder:
        QApplication.processEvents()
        desk.window.grab().save(f"{folder}/update-put-off-{scene.look}.png")
    scene.press("takeUpdate")
    scene.qtbot.waitUntil(lambda: bool(ready(scene)), timeout=10_000)
    scene.engine.tell(Refused(ready(scene)[0].id, CodedText("refused.quit.busy")))
    scene.show(replace(s.snapshot(CALL), quit_asked=put_off))
    scene.engine.received.clear()
    # With a time it says from when on it waits for calls alone, and can be put off no longer than that.
    soon = s.NOW + timedelta(minutes=20)
    scene.show(replace(s.snapshot(WRAP_UP), quit_asked=QuitAsked(QuitPhase.WAITS, latest=soon)))
    assert bar.text.text().endswith(f"Fra kl. {texts.clock(soon)} venter den kun på samtaler i gang.")
    assert (bar.later.isVisible(), bar.later.text()) == (True, f"Kl. {texts.clock(soon)}")
    if folder:
        QApplication.processEvents()
        desk.window.grab().save(f"{folder}/update-latest-{scene.look}.png")
    scene.show(replace(s.snapshot(CALL), quit_asked=QuitAsked(QuitPhase.WAITS, latest=s.NOW)))
    assert bar.text.text() == "En opdatering venter. Klartone lukker, så snart samtalen er slut."
    assert not bar.later.isVisible()

    # In wrap-up it can be taken now: that ends the wrap-up as its own button does, and the phone once all is written.
    scene.show(asked(QuitPhase.WAITS, WRAP_UP))
    if folder:
        QApplication.processEvents()
        desk.window.grab().save(f"{folder}/update-wrap-up-{scene.look}.png")
    scene.press("takeUpdate")
    scene.qtbot.waitUntil(lambda: any(isinstance(one, EndWrapUp) for one in scene.commands()), timeout=10_000)
    assert not ready(scene)
    scene.show(asked(QuitPhase.DUE))
    scene.qtbot.waitUntil(lambda: bool(ready(scene)), timeout=10_000)
    # A call that rings at that moment comes first.
    scene.engine.tell(Refused(ready(scene)[0].id, CodedText("refused.quit.busy")))
    scene.show(asked(QuitPhase.WAITS, CALL))
    assert not left
    scene.show(asked(QuitPhase.DUE))
    scene.qtbot.waitUntil(lambda: len(ready(scene)) == 2, timeout=10_000)
    assert all(one.ready for one in ready(scene))
    scene.engine.tell(Done(ready(scene)[1].id))
    scene.qtbot.waitUntil(lambda: bool(left), timeout=10_000)


def test_what_is_typed_is_waited_for_and_a_note_is_saved_first(english: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = english
    kept: list[Mapping[str, str]] = []
    desk = scene.open(s.snapshot(WRAP_UP), keep_notes=kept.append)
    desk.window.resize(376, 800)
    scene.activate()
    dial = desk.window.ready.dial.target
    scene.qtbot.keyClicks(dial, "2012")
    scene.show(asked(QuitPhase.DUE))
    QApplication.processEvents()
    assert desk.window.update_bar.text.text() == "An update is waiting. Klartone closes once you are done here."
    if folder := os.environ.get("PICTURES"):
        desk.window.grab().save(f"{folder}/update-typed-{scene.look}.png")
    scene.qtbot.wait(700)  # it has looked once more
    assert not ready(scene)
    scene.press("openSettings")
    address = scene.widget("accountAddress")
    assert isinstance(address, QLineEdit)
    scene.qtbot.keyClicks(address, "x")
    dial.clear()
    scene.qtbot.wait(700)
    assert not ready(scene), "an account is being typed"
    address.setText(s.ACCOUNT.address)
    desk._notes.save(SaveNote("n1", s.HISTORY[0].id, "Ring mandag"))
    scene.qtbot.wait(700)
    assert not ready(scene), "the note is not answered yet"
    note = next(one for one in scene.sent() if isinstance(one, SaveNote))
    scene.engine.tell(Done(note.id))
    scene.qtbot.waitUntil(lambda: bool(ready(scene)), timeout=10_000)
    # A number that is left standing holds nothing up for ever, and comes back with the next start.
    scene.engine.tell(Refused(ready(scene)[0].id, CodedText("refused.quit.busy")))
    dial.setText("4570102030")
    before = len(ready(scene))
    monkeypatch.setattr("softphone.ui.leaving.LEFT_STANDING", 0.1)
    scene.qtbot.waitUntil(lambda: len(ready(scene)) > before, timeout=10_000)
    left: list[bool] = []
    desk.window.closed.connect(lambda: left.append(True))
    scene.engine.tell(Done(ready(scene)[-1].id))
    scene.qtbot.waitUntil(lambda: bool(left), timeout=10_000)
    desk.hand_over_notes()
    desk.close()
    assert kept == [{"": "4570102030"}]
    for part in (desk.window, desk.incoming, desk):
        part.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    scene.engine.start()
    desk = scene.open(s.snapshot(), keep_notes=kept.append, kept_notes=kept[0])
    scene.qtbot.waitUntil(lambda: kept[1:] == [{}], timeout=10_000)
    assert desk.window.ready.dial.target.text() == "4570102030"


def test_from_its_time_on_nothing_typed_is_waited_for_and_another_engine_is_asked_the_same(
    scene: Scene, tmp_path: Path
) -> None:
    kept: list[Mapping[str, str]] = []
    folders = Home.within(tmp_path).folders
    folders.create()
    desk = scene.open(s.snapshot(), keep_notes=kept.append, links=folders.runtime)
    # Where a phone runs, the window is the phone's to end: not by the word for one that has none.
    ask = "import sys; from pathlib import Path; from softphone.ui.links import END_NOW, hand_over"
    ask += "; sys.exit(hand_over(Path(sys.argv[1]), END_NOW))"
    with subprocess.Popen([sys.executable, "-c", ask, str(folders.runtime)]) as other:
        scene.qtbot.waitUntil(lambda: other.poll() is not None, timeout=20_000)
    assert (other.returncode, desk.window.isVisible()) == (0, True)
    soon = s.NOW + timedelta(minutes=20)
    scene.show(replace(s.snapshot(), quit_asked=QuitAsked(QuitPhase.DUE, latest=soon, stands=False)))
    scene.qtbot.waitUntil(lambda: bool(ready(scene)), timeout=10_000)
    scene.engine.received.clear()
    for stands in (False, True):
        scene.engine.die()
        scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
        scene.engine.snapshot = scene.dressed(s.snapshot())
        scene.engine.start()
        scene.qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
        if not stands:  # one that is forgotten soon is not asked anew
            assert not ready(scene)
            desk.window.ready.dial.target.setText("2012")
            scene.show(replace(s.snapshot(), quit_asked=QuitAsked(QuitPhase.DUE, latest=soon)))
    scene.qtbot.waitUntil(lambda: bool(ready(scene)), timeout=10_000)
    assert [(one.latest, one.ready) for one in ready(scene)] == [(soon, False)]

    scene.show(replace(s.snapshot(WRAP_UP), quit_asked=QuitAsked(QuitPhase.WAITS, latest=soon)))
    note = desk.window.ready.wrap_up.note
    scene.activate()
    note.setFocus()
    scene.qtbot.keyClicks(note, "Ring mandag")
    scene.show(replace(s.snapshot(WRAP_UP), quit_asked=QuitAsked(QuitPhase.NOW, latest=s.NOW)))
    scene.qtbot.waitUntil(lambda: len(ready(scene)) == 2, timeout=10_000)
    assert ready(scene)[1].ready
    commands = scene.commands()
    saved = [at for at, one in enumerate(commands) if isinstance(one, SaveNote) and one.text == "Ring mandag"]
    assert saved, "a note goes before the end"
    assert saved[0] < commands.index(ready(scene)[1])
    left: list[bool] = []
    desk.window.closed.connect(lambda: left.append(True))
    scene.engine.tell(Done(ready(scene)[1].id))
    scene.qtbot.waitUntil(lambda: bool(left), timeout=10_000)
    desk.hand_over_notes()
    assert kept == [{WRAP_UP.id: "Ring mandag", "": "2012"}]


def test_a_window_whose_phone_cannot_start_is_ended_from_afar(scene: Scene, tmp_path: Path) -> None:
    folders = Home.within(tmp_path).folders
    folders.create()
    place = take_place(folders.runtime)
    assert place is not None
    kept: list[Mapping[str, str]] = []
    scene.engine.die()
    desk = scene.open(
        start=lambda: None, links=folders.runtime, keep_notes=kept.append, kept_notes={"call": "Ring mandag"}
    )
    desk.window.closed.connect(place.close)

    def klartone_quit(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "softphone", "--home", str(tmp_path), "quit", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            try:
                scene.qtbot.waitUntil(lambda: other.poll() is not None, timeout=20_000)
            finally:
                other.kill()
            assert other.stdout is not None
            return other.returncode, other.stdout.read()

    desk.window.open_settings()
    address = scene.widget("accountAddress")
    assert isinstance(address, QLineEdit)
    scene.qtbot.keyClicks(address, "x")
    desk.window.ready.dial.target.setText("2012")
    status, said = klartone_quit("--wait", "0.5")
    assert (status, "--now" in said) == (4, True)
    status, said = klartone_quit("--now", "--wait", "10")
    assert (status, not desk.window.isVisible()) == (0, True), said
    desk.hand_over_notes()
    assert kept == [{"call": "Ring mandag", "": "2012"}], "nor is what was kept before lost"


def test_a_note_no_engine_has_taken_is_kept_until_the_next_start(scene: Scene) -> None:
    kept: list[Mapping[str, str]] = []
    desk = scene.open(s.snapshot(CALL), keep_notes=kept.append)
    note = desk.window.call.moment.beside.note
    note.setFocus()
    scene.qtbot.keyClicks(note, "Ring mandag")
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
    desk.hand_over_notes()
    desk.close()
    assert kept == [{CALL.id: "Ring mandag"}]
    for part in (desk.window, desk.incoming, desk):
        part.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    scene.engine.start()
    desk = scene.open(s.snapshot(WRAP_UP), keep_notes=kept.append, kept_notes=kept[0])
    scene.qtbot.waitUntil(lambda: any(isinstance(one, SaveNote) for one in scene.commands()), timeout=10_000)
    saved = [one for one in scene.commands() if isinstance(one, SaveNote)]
    assert [(one.call, one.text) for one in saved] == [(CALL.id, "Ring mandag")]
    assert len(kept) == 1, "the engine has not said that it has it"
    # One that does not take it has it not: it stays until the agent has closed the message.
    scene.engine.tell(Refused(saved[0].id, CodedText("refused.no_such_call")))
    scene.qtbot.waitUntil(lambda: not desk.window.note.isHidden(), timeout=10_000)
    desk.hand_over_notes()
    assert kept[1:] == kept[:1]
    desk.window.note.close_button.click()
    scene.qtbot.waitUntil(lambda: kept[2:] == [{}], timeout=10_000)
    del kept[1:]
    desk._typing._take(kept[0])
    scene.qtbot.waitUntil(lambda: len([one for one in scene.commands() if isinstance(one, SaveNote)]) == 2)
    saved = [one for one in scene.commands() if isinstance(one, SaveNote)]
    scene.engine.tell(Done(saved[1].id))
    scene.qtbot.waitUntil(lambda: kept[1:] == [{}], timeout=10_000)
