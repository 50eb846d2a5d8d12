"""The client of docs/embed.md as a process: what it tells a session, and orders of baresip. A real baresip is a journey's."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).resolve().parents[2] / "docs" / "embed_client.py"
SESSION = """
import sys
print(sys.argv[1], flush=True)
for line in sys.stdin:
    sys.stderr.write(line)
    sys.stderr.flush()
"""
"""says one line and shows on stderr what it is told"""
WITHIN = 20.0


class Client:
    def __init__(self, process: subprocess.Popen[str], baresip: socket.socket) -> None:
        self.baresip = baresip
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._told.put(json.loads(line))

    def told(self) -> dict[str, Any]:
        """What the session is told next."""
        return self._told.get(timeout=WITHIN)

    def end(self) -> None:
        """It has nothing to do without baresip."""
        self.baresip.close()
        self._process.wait(WITHIN)
        self._reader.join(WITHIN)

    def happens(self, **event: str) -> None:
        text = json.dumps(event)
        self.baresip.sendall(f"{len(text)}:{text},".encode())


@contextmanager
def client(folder: Path, said: dict[str, Any]) -> Generator[Client]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WITHIN)
        command = [sys.executable, str(CLIENT), str(server.getsockname()[1]), "sales", str(folder)]
        process = subprocess.Popen(
            [*command, sys.executable, "-c", SESSION, json.dumps(said)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        baresip, _ = server.accept()
    one = Client(process, baresip)
    try:
        assert one.told()["type"] == "hello"
        yield one
    finally:
        one.end()


def notice(name: str) -> dict[str, Any]:
    return {"type": "play_notice", "call": "c", "play": 1, "notice": name, "wav": "n.wav", "seconds": 0.1}


@pytest.mark.rule("G23")
@pytest.mark.parametrize("name", ["N1", "N5", "N6", "N7", "N8", "N2_N3", "N2_N4", "N2_N5"])
def test_no_notice_is_given_of_what_a_no_does_not_delete_whole(tmp_path: Path, name: str) -> None:
    with client(tmp_path, notice(name)) as one:
        assert one.told() == {"type": "notice_failed", "call": "c", "play": 1}


def test_a_notice_of_one_purpose_that_a_no_deletes_is_given(tmp_path: Path) -> None:
    with client(tmp_path, notice("N3")) as one:
        assert [one.told()["type"], one.told()["type"]] == ["notice_started", "notice_heard"]
        assert b"mixausrc_enc_start" in one.baresip.recv(1000)


def test_a_call_that_has_ended_needs_no_more_of_the_session(tmp_path: Path) -> None:
    with client(tmp_path, {"type": "note"}) as one:
        one.happens(type="CALL_CLOSED", id="c")
        assert [one.told()["type"], one.told()["type"]] == ["call_ended", "end_wrap_up"]
