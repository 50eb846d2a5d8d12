"""The engine's side of the edge: whether its absence is told, on real processes."""

import queue
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softphone.edge.channel import Ready, encode
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
        inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        inner.bind(("127.0.0.1", 0))
        edge.start(inner, lambda _: None, told.put)
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
