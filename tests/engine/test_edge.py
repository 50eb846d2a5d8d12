"""The engine's side of the edge: whether its absence is told, on real processes."""

import queue
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softphone.edge.channel import Configure, Ready, Sockets, encode
from softphone.edge.process import UNSTARTED
from softphone.engine import edge as supervised
from softphone.engine.edge import Edge
from tests.peers.processes import until

SAYS_READY = f"import sys; sys.stdout.buffer.write({encode(Ready(1))!r}); sys.stdout.flush()"


@pytest.fixture
def edges() -> list[Edge]:
    return []


@pytest.fixture
def watched(edges: list[Edge]) -> Iterator[Callable[[str], "queue.Queue[bool]"]]:
    """Run this program as the edge; what the queue brings is whether one is missing."""

    def run(program: str) -> "queue.Queue[bool]":
        told: queue.Queue[bool] = queue.Queue()
        edge = Edge("127.0.0.1", 0, [sys.executable, "-c", program])
        edges.append(edge)
        edge.bind()
        edge.start(lambda _: None, told.put)
        return told

    yield run
    for edge in edges:
        edge.close()


@pytest.mark.expected_log("edge ended", reason="it dies")
def test_an_edge_that_dies_each_time_is_told_as_missing(
    watched: Callable[[str], "queue.Queue[bool]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "FIRST_WITHIN", 0.3)
    monkeypatch.setattr(supervised, "PAUSE", 0.0)
    assert watched("pass").get(timeout=30)


@pytest.mark.expected_log("edge ended", reason="it is killed")
def test_an_edge_that_was_there_is_missed_and_its_successor_ends_that(
    watched: Callable[[str], "queue.Queue[bool]"], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervised, "MISSED_AFTER", 0.0)
    monkeypatch.setattr(supervised, "PAUSE", 0.3)
    first = tmp_path / "first"
    stays = (
        f"import pathlib; p = pathlib.Path({str(first)!r}); again = p.exists(); p.touch(); again and sys.stdin.read()"
    )
    told = watched(f"{SAYS_READY}; {stays}")
    assert told.get(timeout=30)
    assert not told.get(timeout=30)


def test_an_edge_that_cannot_read_from_its_sockets_ends_and_says_so() -> None:
    """Before, it lived on and was never ready."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.connect(udp.getsockname())
        given = str(udp.fileno())
        process = subprocess.Popen(
            [sys.executable, "-m", "softphone.edge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[udp.fileno()],
        )
        assert process.stdin
        # No stream can be listened for on a datagrams' socket.
        process.stdin.write(encode(Sockets(given, given, given)) + encode(Configure()))
        process.stdin.flush()
        assert process.wait(30) == UNSTARTED
        assert process.stdout
        assert process.stderr
        assert b"cannot read from its sockets" in process.stderr.read()
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.expected_log("edge hangs", "edge ended", reason="it is stopped")
def test_an_edge_that_hangs_is_missed_however_quick_its_successor_is(
    watched: Callable[[str], "queue.Queue[bool]"], edges: list[Edge], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervised, "BEAT", 0.0)
    hung = tmp_path / "hung"
    told = watched(f"import pathlib; pathlib.Path({str(hung)!r}).touch(); {SAYS_READY}; sys.stdin.read()")
    until(hung.exists, 30, "an edge")
    heard: list[bool] = []

    def missed() -> bool:
        edges[0].beat(busy=False)
        while not told.empty():
            heard.append(told.get())
        return bool(heard)

    until(missed, 30, "that it hangs")
    assert heard[0]
    assert (heard[1:] or [told.get(timeout=30)])[0] is False
