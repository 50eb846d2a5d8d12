"""rtpengine as Debian has it, on loopback, started and ended by a test: offers and answers go through it by its ng protocol.

with rtpengine() as between:
    sdp = between.offer(sdp, call, tag, ICE="remove")
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.processes import end

HOST = "127.0.0.1"


class RtpEngine:
    """`port`: where it is controlled, by UDP."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(2.0)
        self._socket.connect((HOST, port))
        self._numbers = itertools.count(1)

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        mark = f"{os.getpid()}-{next(self._numbers)}".encode()
        self._socket.send(mark + b" " + _bencoded({"command": command, **fields}))
        answer = self._socket.recv(65_536)
        assert answer.startswith(mark + b" "), answer
        found, _ = _decoded(answer, len(mark) + 1)
        assert found.get("result") in ("ok", "pong"), found
        return found

    def offer(self, sdp: str, call: str, tag: str, **more: Any) -> str:
        return str(
            self.ask("offer", **{"call-id": call, "from-tag": tag, "sdp": sdp, "replace": ["origin"], **more})["sdp"]
        )

    def answer(self, sdp: str, call: str, tag: str, to: str, **more: Any) -> str:
        fields = {"call-id": call, "from-tag": tag, "to-tag": to, "sdp": sdp, "replace": ["origin"], **more}
        return str(self.ask("answer", **fields)["sdp"])

    def close(self) -> None:
        self._socket.close()


@contextmanager
def rtpengine(folder: Path, *, host: str = HOST) -> Generator[RtpEngine]:
    """Raises AssertionError if it is not installed, or does not begin."""
    program = shutil.which("rtpengine")
    assert program, "rtpengine is not installed: see .ci/setup"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    log = (folder / "rtpengine.log").open("wb")
    process = subprocess.Popen(
        [
            *(program, "--config-file=none", "--foreground", "--log-stderr", "--table=-1"),
            *(
                f"--interface={host}",
                f"--listen-ng={HOST}:{port}",
                "--port-min=33000",
                "--port-max=34998",
                "--log-level=6",
            ),
        ],
        stdout=log,
        stderr=log,
    )
    one = RtpEngine(port)
    try:
        limit = time.monotonic() + 5
        while True:
            try:
                one.ask("ping")
                break
            except (TimeoutError, ConnectionError):
                said = (folder / "rtpengine.log").read_text()[-2000:]
                assert process.poll() is None, said
                assert time.monotonic() < limit, said
        yield one
    finally:
        one.close()
        end(process)
        log.close()


def _bencoded(value: Any) -> bytes:
    match value:
        case str():
            data = value.encode()
            return str(len(data)).encode() + b":" + data
        case int():
            return b"i%de" % value
        case list() | tuple():
            return b"l" + b"".join(_bencoded(one) for one in value) + b"e"
        case _:
            return b"d" + b"".join(_bencoded(name) + _bencoded(one) for name, one in sorted(value.items())) + b"e"


def _decoded(data: bytes, at: int) -> tuple[Any, int]:
    kind = data[at : at + 1]
    if kind == b"i":
        ends = data.index(b"e", at)
        return int(data[at + 1 : ends]), ends + 1
    if kind in (b"l", b"d"):
        found: list[Any] = []
        at += 1
        while data[at : at + 1] != b"e":
            one, at = _decoded(data, at)
            found.append(one)
        return (dict(zip(found[::2], found[1::2], strict=True)) if kind == b"d" else found), at + 1
    ends = data.index(b":", at)
    size = int(data[at:ends])
    return data[ends + 1 : ends + 1 + size].decode("utf-8", "replace"), ends + 1 + size
