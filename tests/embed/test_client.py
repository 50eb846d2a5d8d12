"""The client of docs/embed.md as a process: what it tells a session, and orders of baresip. A real baresip is a journey's."""

from __future__ import annotations

import ast
import io
import json
import queue
import socket
import subprocess
import sys
import threading
import tokenize
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).resolve().parents[2] / "docs" / "embed_client.py"
SESSION = """
import sys
print(*sys.argv[1:], sep="\\n", flush=True)
for line in sys.stdin:
    sys.stderr.write(line)
    sys.stderr.flush()
"""
"""says its lines and shows on stderr what it is told"""
WITHIN = 20.0


class Client:
    def __init__(self, process: subprocess.Popen[str], baresip: socket.socket) -> None:
        self.baresip = baresip
        self.hello: dict[str, Any] = {}
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

    def ordered(self) -> str:
        """What baresip is ordered next: its command, in a netstring."""
        with self.baresip.makefile("rb") as orders:
            size = b"".join(iter(lambda: orders.read(1), b":"))
            return json.loads(orders.read(int(size) + 1)[:-1])["command"]

    def end(self) -> None:
        """It has nothing to do without baresip."""
        self.baresip.close()
        self._process.wait(WITHIN)
        self._reader.join(WITHIN)

    def happens(self, **event: str) -> None:
        text = json.dumps(event)
        self.baresip.sendall(f"{len(text)}:{text},".encode())


@contextmanager
def client(folder: Path, *said: dict[str, Any]) -> Generator[Client]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WITHIN)
        command = [sys.executable, str(CLIENT), str(server.getsockname()[1]), "sales", str(folder)]
        process = subprocess.Popen(
            [*command, sys.executable, "-c", SESSION, *map(json.dumps, said)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        baresip, _ = server.accept()
    one = Client(process, baresip)
    try:
        one.hello = one.told()
        yield one
    finally:
        one.end()


TOLD = {"call": "c", "recording": "r", "segment": 0}


@pytest.mark.parametrize(
    ("told", "order"),
    [
        ({"type": "answer_call", "call": "c"}, "accept"),
        ({"type": "set_microphone", "call": "c", "open": False}, "mute"),
        ({"type": "play_notice", "call": "c", "play": 1, "wav": "/n.wav"}, "mixausrc_enc_start aufile /n.wav 0 100"),
        ({"type": "stop_notice", "call": "c"}, "mixausrc_enc_stop"),
        ({"type": "start_recorder", **TOLD}, "auplay aufile,{folder}/r-0.wav"),
        ({"type": "stop_recorder", **TOLD, "hold_frames": False}, "auplay aufile,/dev/null"),
        ({"type": "end_call", "call": "c"}, "hangup"),
    ],
    ids=["answer", "microphone", "notice", "no notice", "record", "record no more", "end"],
)
def test_what_the_session_tells_it_orders_of_baresip(tmp_path: Path, told: dict[str, Any], order: str) -> None:
    with client(tmp_path, told) as one:
        assert one.ordered() == order.format(folder=tmp_path)


def test_it_says_that_it_is_a_plain_phone_and_what_happens_to_its_calls(tmp_path: Path) -> None:
    with client(tmp_path, {"type": "note"}) as one:
        one.happens(type="CALL_INCOMING", id="c", peeruri="sip:+4520123456@10.0.0.1")
        one.happens(type="CALL_ESTABLISHED", id="c")
        one.happens(type="CALL_RTCP", id="c")
        one.happens(type="CALL_DTMF_START", id="c", param="*")
        for way in ("sendrecv", "recvonly", "inactive", "sendonly"):
            one.happens(type="CALL_REMOTE_SDP", id="c", remoteaudiodir=way, param="offer")
        one.happens(type="CALL_CLOSED", id="c", param="Connection reset by user, and a long reason: " + "x" * 70_000)
        assert one.hello == {"type": "hello", "call": "", "protocol": 1, "plain": True}
        assert one.told() == {"type": "rang", "call": "c", "line": "sales", "number": "+4520123456"}
        assert one.told() == {"type": "answered", "call": "c"}
        assert one.told() == {"type": "digit_pressed", "call": "c", "digit": "*"}
        for held in (False, True, True, True):
            assert one.told() == {"type": "hold_signalled", "call": "c", "held": held}
        assert one.told() == {"type": "call_ended", "call": "c"}


@pytest.mark.rule("G23")
def test_of_what_is_discarded_it_deletes_the_file_and_no_other(tmp_path: Path) -> None:
    for name in ("r-0.wav", "r-1.wav", "other-0.wav"):
        (tmp_path / name).write_bytes(b"sound")
    with client(tmp_path, {"type": "delete_segment", **TOLD}, {"type": "end_call", "call": "c"}) as one:
        assert one.ordered() == "hangup"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["other-0.wav", "r-1.wav"]


def test_it_has_no_more_than_forty_lines() -> None:
    """Docstring, comments and blank lines apart; docs/embed.md says how many."""
    told = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    source = CLIENT.read_text(encoding="utf-8")
    title = ast.parse(source).body[0]
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type not in told]
    lines = {line for one in tokens for line in range(one.start[0], one.end[0] + 1)}
    assert len(lines - {*range(title.lineno, (title.end_lineno or 0) + 1)}) <= 40


@pytest.mark.parametrize("words", [[], ["4444", "sales", "recordings"], ["baresip", "sales", "recordings", "klartone"]])
def test_it_says_what_it_wants_to_be_given(words: list[str]) -> None:
    assert refused(*words).startswith("Wanted: baresip's port, a line, a folder and the session's command")


def test_it_says_that_no_baresip_is_there_or_no_session() -> None:
    with socket.create_server(("127.0.0.1", 0)) as baresip:
        port = str(baresip.getsockname()[1])
        assert "No such file" in refused(port, "sales", "recordings", "/nowhere/klartone")
    assert "Connection refused" in refused(port, "sales", "recordings", "/nowhere/klartone")


def refused(*words: str) -> str:
    command = [sys.executable, str(CLIENT), *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    return run.stderr
