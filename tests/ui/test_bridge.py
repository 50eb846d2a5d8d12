"""The hop between the engine's socket and the desk."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from softphone.domain.errors import EngineError
from softphone.engine.loop import ALONE
from softphone.system.endpoint import Endpoint
from softphone.ui.bridge import OTHER_VERSION_AGAIN, Bridge
from softphone.wire.codec import PROTOCOL
from softphone.wire.from_engine import Done, Fault, Levels, Occurred, Refused, Snapshot, Tone
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import HangUp
from tests.ui.conftest import Scene
from tests.ui.fake_engine import FakeEngine
from tests.ui.states import NOW, ROWS, snapshot


def test_the_first_line_says_the_secret_and_that_this_is_a_desk(scene: Scene) -> None:
    scene.open(snapshot())
    assert scene.engine.endpoint is not None
    assert [(said.secret, said.role) for said in scene.engine.attached] == [(scene.engine.endpoint.secret, "desk")]


def test_a_desk_says_every_second_that_it_lives(scene: Scene, qtbot: QtBot) -> None:
    scene.open(snapshot())
    qtbot.waitUntil(lambda: scene.engine.pings >= 2, timeout=2600)


def test_an_engine_on_loopback_tcp_is_reached_too(qtbot: QtBot, engine: FakeEngine) -> None:
    engine.start_on_tcp()
    bridge = Bridge(lambda: engine.endpoint, engine.start)
    with qtbot.waitSignal(bridge.snapshot, timeout=10_000):
        bridge.open()
    assert bridge.send(HangUp("1", "call-1"))
    assert engine.wait_for(lambda: engine.received == [HangUp("1", "call-1")])
    bridge.close()


def test_of_several_snapshots_only_the_last_is_told(scene: Scene, qtbot: QtBot) -> None:
    desk = scene.open(snapshot())
    told: list[Snapshot] = []
    desk.bridge.snapshot.connect(told.append)
    levels: list[Levels] = []
    desk.bridge.levels.connect(levels.append)
    state = scene.dressed(snapshot())
    scene.engine.tell(*(replace(state, version=version) for version in range(20, 40)), Levels(-20.0, -30.0))
    qtbot.waitUntil(lambda: bool(levels), timeout=10_000)
    assert [one.version for one in told] == [39]


def test_everything_that_matters_is_told_in_order(scene: Scene, qtbot: QtBot) -> None:
    desk = scene.open(snapshot())
    told: list[object] = []
    for signal in (desk.bridge.occurred, desk.bridge.fault, desk.bridge.done, desk.bridge.refused, desk.bridge.tone):
        signal.connect(told.append)
    messages = [
        Occurred("call-1", "answered", NOW, 0.0),
        Fault(CodedText("why_not.not_now")),
        Done("1", {"call": "call-2"}),
        Refused("2", CodedText("why_not.not_now")),
        Tone("call-1", "started"),
        Occurred("call-1", "ended", NOW, 3.0),
    ]
    scene.engine.tell(*messages)
    qtbot.waitUntil(lambda: len(told) == len(messages), timeout=10_000)
    assert told == messages


def test_no_engine_yet_so_one_is_started(qtbot: QtBot, engine: FakeEngine) -> None:
    bridge = Bridge(lambda: engine.endpoint, engine.start)
    with qtbot.waitSignal(bridge.connected, timeout=10_000):
        bridge.open()
    assert engine.starts == 1
    bridge.close()


def test_an_endpoint_left_behind_by_a_dead_engine_makes_it_start_a_new_one(qtbot: QtBot, engine: FakeEngine) -> None:
    engine.endpoint = Endpoint("unix:/nonexistent/klartone.sock", "old", 1, PROTOCOL)
    bridge = Bridge(lambda: engine.endpoint, engine.start)
    with qtbot.waitSignal(bridge.connected, timeout=10_000):
        bridge.open()
    assert engine.starts == 1
    bridge.close()


@pytest.mark.expected_log("says nothing", " starting another", reason="it says nothing")
def test_who_listens_and_says_nothing_is_let_go_and_an_engine_started(qtbot: QtBot, engine: FakeEngine) -> None:
    with engine.listen():
        bridge = Bridge(lambda: engine.endpoint, engine.start)
        with qtbot.waitSignal(bridge.connected, timeout=10_000):
            bridge.open()
        bridge.close()


def test_an_engine_that_dies_as_a_desk_comes_to_it_leaves_the_desk_trying(
    qtbot: QtBot, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.listen()
    said = Bridge._attach  # pyright: ignore[reportPrivateUsage]

    def dies_first(bridge: Bridge) -> None:
        engine.die()
        said(bridge)

    def start() -> None:
        monkeypatch.undo()
        QTimer.singleShot(200, engine.start)

    monkeypatch.setattr(Bridge, "_attach", dies_first)
    bridge = Bridge(lambda: engine.endpoint, start)
    with qtbot.waitSignal(bridge.connected, timeout=10_000):
        bridge.open()
    bridge.close()


def test_the_engine_dies_and_the_window_says_so_within_a_second_and_comes_back_whole(
    scene: Scene, qtbot: QtBot
) -> None:
    desk = scene.open(snapshot(ROWS["recording"][0]))
    began = time.monotonic()
    with qtbot.waitSignal(desk.bridge.disconnected, timeout=10_000):
        scene.engine.die()
    assert time.monotonic() - began < 1.0
    words = desk.window.call.card.words
    assert words is not None
    assert (words.tone, words.title) == ("fault", "Ingen forbindelse")
    assert not desk.window.call.rights.opt_out.isEnabled()
    assert desk.window.call.rights.opt_out.accessibleDescription() == "telefonen er stoppet"
    qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
    words = desk.window.call.card.words
    assert words is not None
    assert words.sentence == "Optages til dokumentation"
    assert desk.window.call.rights.opt_out.isEnabled()
    assert scene.engine.starts == 2


def test_a_press_while_the_engine_is_gone_is_not_kept_for_later(scene: Scene, qtbot: QtBot) -> None:
    desk = scene.open(snapshot(ROWS["recording"][0]))
    with qtbot.waitSignal(desk.bridge.disconnected, timeout=10_000):
        scene.engine.die()
    assert not desk.bridge.send(HangUp("1", "call-1"))
    qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
    assert scene.commands() == []


def test_why_the_phone_does_not_come_up_stands_in_the_window_until_it_does(
    qtbot: QtBot, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, scene.engine.endpoint = scene.engine.endpoint, None
    refusals = [EngineError("error.engine.cannot_start", detail="No space left on device")]
    reasons: list[EngineError] = []

    def start() -> None:
        if refusals:
            raise refusals.pop()
        reasons.append(EngineError("port_taken", port=5060))

    desk = scene.open(start=start, why_not=lambda: reasons.pop() if reasons else None)
    announced: list[str] = []
    monkeypatch.setattr(desk.window, "announce", announced.append)
    said = desk.window.ready.fault_text
    qtbot.waitUntil(lambda: "No space left on device" in said.text(), timeout=10_000)
    assert said.isVisible()
    assert desk.window.top.account.text() == "Telefonen kan ikke starte"
    # It could be started then, and said why it ended again.
    qtbot.waitUntil(lambda: said.text().startswith("Port 5060 er i brug"), timeout=10_000)
    assert [one.split()[0] for one in announced] == ["Telefonen", "Port"]
    scene.engine.snapshot = scene.dressed(snapshot(ROWS["recording"][0]))
    scene.engine.endpoint = endpoint
    qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
    assert desk.view().trouble == ""
    # In a call too.
    scene.engine.die()
    card = desk.window.call.card
    qtbot.waitUntil(lambda: card.words is not None and card.words.body.startswith("Port 5060"), timeout=10_000)


def test_a_press_that_is_never_answered_is_said_and_an_answered_one_is_not(qtbot: QtBot, scene: Scene) -> None:
    desk = scene.open(snapshot(ROWS["recording"][0]))
    scene.press("mute")
    scene.engine.tell(Done(scene.sent(1)[0].id))
    scene.press("hold")
    with qtbot.waitSignal(desk.bridge.unanswered, timeout=10_000):
        pass
    assert desk.window.note.text.text().startswith("Telefonen har ikke svaret på trykket")
    # Levels are asked for beside it, and nobody here answers that either: perhaps a moment later.
    qtbot.waitUntil(lambda: not desk.bridge._sent, timeout=10_000)
    scene.press("closeNote")
    with qtbot.assertNotEmitted(desk.bridge.unanswered, wait=1200):
        pass


def test_an_engine_of_another_version_is_said_and_left_alone_until_it_has_ended(
    qtbot: QtBot, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.ui.bridge.OTHER_VERSION_AGAIN", 600)
    scene.engine.protocol = PROTOCOL + 1
    desk = scene.open()
    qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    assert "anden version" in desk.window.note.text.text()
    assert scene.engine.wait_for(lambda: scene.engine.left == 1)
    assert not desk.bridge.attached
    assert not desk.bridge.send(HangUp("1", "call-1"))
    assert scene.engine.starts == 1
    scene.engine.die()
    scene.engine.endpoint, scene.engine.protocol = None, PROTOCOL
    with qtbot.waitSignal(desk.bridge.connected, timeout=10_000):
        pass
    assert scene.engine.starts == 2
    assert scene.commands() == []


def test_an_engine_of_another_version_is_said_once_and_another_such_one_again(
    qtbot: QtBot, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.ui.bridge.OTHER_VERSION_AGAIN", 50)
    engine.start()
    engine.protocol = PROTOCOL + 1
    bridge, told = Bridge(lambda: engine.endpoint, engine.start), list[Fault]()
    bridge.fault.connect(told.append)
    bridge.open()
    qtbot.waitUntil(lambda: engine.left >= 3, timeout=10_000)
    assert [one.said.code for one in told] == ["bridge.other_version"]
    engine.protocol = PROTOCOL + 2
    qtbot.waitUntil(lambda: len(told) == 2, timeout=10_000)
    bridge.close()


def test_an_engine_of_another_version_is_left_alone_long_enough_to_end() -> None:
    assert OTHER_VERSION_AGAIN > 1000 * (ALONE + 1)


def test_a_wrong_secret_is_tried_again_without_starting_another_engine(qtbot: QtBot, engine: FakeEngine) -> None:
    engine.start()
    right = engine.endpoint
    assert right is not None
    answers = [replace(right, secret="of an engine before")]
    bridge = Bridge(lambda: answers.pop() if answers else right, engine.start)
    with qtbot.waitSignal(bridge.connected, timeout=10_000):
        bridge.open()
    assert engine.starts == 1
    bridge.close()


@pytest.mark.expected_log("a line of the engine was not understood", reason="the line is no message")
def test_a_line_that_is_no_message_is_told_and_the_desk_stays_attached(scene: Scene, qtbot: QtBot) -> None:
    desk = scene.open(snapshot())
    with qtbot.waitSignal(desk.bridge.fault, timeout=10_000) as told:
        scene.engine.tell_bytes(b'{"type": "nonsense"}\n')
    assert told.args is not None
    assert told.args[0].said.code == "error.wire.not_understood"
    scene.show(snapshot(version=99))
    assert desk.bridge.attached


@pytest.mark.parametrize("cut", [1, 40, 500])
def test_a_snapshot_that_comes_in_pieces_is_put_together(qtbot: QtBot, scene: Scene, cut: int) -> None:
    desk = scene.open(snapshot())
    line = scene.dressed(snapshot(version=50))
    from softphone.wire.codec import encode

    whole = encode(line)
    told: list[Snapshot] = []
    desk.bridge.snapshot.connect(told.append)
    scene.engine.tell_bytes(whole[:cut])
    qtbot.wait(30)
    assert told == []
    scene.engine.tell_bytes(whole[cut:])
    qtbot.waitUntil(lambda: told == [line], timeout=10_000)
