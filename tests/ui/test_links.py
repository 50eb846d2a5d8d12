"""A link to call somebody, opened while the desk runs: it comes into the field, and nobody is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication, QLineEdit

from softphone.bootstrap.desk import NOBODY, take_place
from softphone.bootstrap.home import Home
from softphone.calls.numbers import linked
from softphone.domain.errors import KlartoneError
from softphone.wire.to_engine import Dial
from tests.ui.conftest import Scene
from tests.ui.states import ENDED, RECORDING, call, snapshot


def test_a_link_fills_the_running_desks_field_and_calls_nobody(scene: Scene, tmp_path: Path) -> None:
    folders = Home.within(tmp_path).folders
    folders.create()
    desk = scene.open(snapshot(), links=folders.runtime)
    field = scene.widget("dialTarget")
    assert isinstance(field, QLineEdit)

    def second(*link: str) -> int:
        """What the system does with a link. That process ends at once."""
        command = [sys.executable, "-m", "softphone", "--home", str(tmp_path), "desk", *link]
        with subprocess.Popen(command, env={**os.environ, "DISPLAY": ":none"}, stderr=subprocess.DEVNULL) as other:
            try:
                scene.qtbot.waitUntil(lambda: other.poll() is not None, timeout=20_000)
            finally:
                other.kill()
        return other.returncode

    for link, filled in {
        "tel:%2B45%2070-10-20-30;phone-context=x": "+4570102030",
        "sip:anna@nordlys.example?subject=hi": "sip:anna@nordlys.example",
    }.items():
        assert second(link) == 0
        scene.qtbot.waitUntil(lambda filled=filled: field.text() == filled, timeout=10_000)
    # Started without one, the program shows the window that is there.
    place = take_place(folders.runtime)
    desk.window.hide()
    assert second() == 0
    scene.qtbot.waitUntil(desk.window.isVisible, timeout=10_000)
    assert field.text() == "sip:anna@nordlys.example"
    assert place is not None
    place.close()
    assert [command for command in scene.commands() if isinstance(command, Dial)] == []

    # One that names nobody is told of in the window, without its words: whoever pressed on it sees no stderr.
    assert second("javascript:alert(1)") == 1
    assert field.text() == "sip:anna@nordlys.example"
    scene.qtbot.waitUntil(lambda: not desk.window.note.isHidden(), timeout=10_000)
    assert desk.window.note.text.text() == desk.view().texts("dial.link.nobody")


def test_a_link_takes_no_keyboard_and_is_called_only_once_the_agent_has_touched_it(
    scene: Scene, tmp_path: Path
) -> None:
    desk = scene.open(snapshot(call(RECORDING)), links=tmp_path)
    assert desk._links is not None
    desk._links._apart.setInterval(0)
    field, note = scene.widget("dialTarget"), scene.widget("callNote")
    assert isinstance(field, QLineEdit)

    def dials() -> list[str]:
        return [one.target for one in scene.commands() if isinstance(one, Dial)]

    def follow(link: str, *, whole: bool = True) -> None:
        other = QLocalSocket()
        other.connectToServer(str(tmp_path / "desk.sock"))
        other.write(link.encode() + b"\n")
        with scene.qtbot.waitSignal(other.disconnected, timeout=10_000):
            pass
        assert (bytes(other.readAll().data()) == b"taken\n") is whole

    # In a call it waits, and the words go on into the note.
    scene.activate()
    note.setFocus()
    scene.qtbot.keyClicks(QApplication.focusWidget(), "aftalt ")
    follow("tel:+4590000000")
    assert QApplication.focusWidget() is note
    assert field.text() == ""
    assert "+45 90 00 00 00" in desk.window.note.text.text()
    # It is offered after the call. Return, meant for something else, does not call it, wherever the keyboard is.
    scene.show(snapshot(ENDED))
    assert field.text() == "+4590000000"
    assert desk.window.ready.dial.offered.hint.isVisible()
    scene.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        scene.widget("dial").setFocus()
        scene.keys(key, Qt.KeyboardModifier.NoModifier)
    field.setFocus()
    scene.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    # A key of the agent's own replaces it, and what they have typed is not replaced by the next link.
    scene.qtbot.keyClicks(field, "2")
    assert field.text() == "2"
    follow("tel:+4590000001")
    scene.qtbot.keyClicks(field, "04")
    assert (field.text(), dials()) == ("204", [])
    # The press on the offer takes it; then Return calls.
    scene.press("takeOffered")
    assert field.text() == "+4590000001"
    scene.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    scene.qtbot.waitUntil(lambda: dials() == ["+4590000001"], timeout=10_000)
    # A line too long is not cut: half a number is another number.
    follow("tel:+45" + "9" * 2000, whole=False)
    assert field.text() != "tel:+45" + "9" * 993


def test_a_window_that_such_a_link_has_opened_says_so(scene: Scene) -> None:
    desk = scene.open(snapshot(), target=NOBODY)
    assert desk.window.note.text.text() == desk.view().texts("dial.link.nobody")
    field = scene.widget("dialTarget")
    assert isinstance(field, QLineEdit)
    assert field.text() == ""


@pytest.mark.parametrize(
    "hostile",
    [
        *("tel:", "javascript:alert(1)", "sip:a@b;x y", "tel:12%0a34@", "x" * 5000, "tel:" + "1" * 3000),
        *("tel:%D9%A1%D9%A1%D9%A2", "sip:\u0430pple@nordlys.example"),  # other scripts' digits and letters
    ],
)
def test_a_link_that_names_nobody_to_call_is_refused(hostile: str) -> None:
    with pytest.raises(KlartoneError, match=r"error\.dial\.target"):
        linked(hostile)


def test_a_page_that_opens_many_links_at_once_has_the_first_and_the_last_offered(scene: Scene, tmp_path: Path) -> None:
    desk = scene.open(snapshot(), links=tmp_path)
    assert desk._links is not None
    offered: list[str] = []
    desk._links.opened.connect(offered.append)
    for n in range(20):
        socket = QLocalSocket(desk)
        socket.connectToServer(str(tmp_path / "desk.sock"))
        assert socket.waitForConnected(2000)
        socket.write(f"+45701020{n:02}\n".encode())
        scene.qtbot.waitUntil(lambda socket=socket: socket.bytesAvailable() > 0, timeout=10_000)
    assert len(offered) < 5  # this machine may take seconds for twenty
    scene.qtbot.waitUntil(lambda: offered[-1] == "+4570102019", timeout=10_000)
    assert offered[0] == "+4570102000"
