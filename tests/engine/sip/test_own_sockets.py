"""A socket of PJSIP's is closed to all but one peer, and nothing else of this process is touched by it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from softphone.engine.sip.endpoint import connect_own

TRY = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"


def _udp() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return one


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors cannot be listed there")
def test_one_peer_is_let_in_and_the_locks_on_files_stay(tmp_path: Path) -> None:
    """SQLite's locks are such ones: closing any descriptor of a file takes away all that the process has on it."""
    import fcntl

    place = tmp_path / "catalog"
    place.write_bytes(b"x")
    with place.open("r+b") as file, _udp() as own, _udp() as peer, _udp() as other:
        fcntl.lockf(file, fcntl.LOCK_EX)
        connect_own(own.getsockname()[1], peer.getsockname())
        assert subprocess.run([sys.executable, "-c", TRY, str(place)], capture_output=True).returncode != 0
        other.sendto(b"other", own.getsockname())
        peer.sendto(b"peer", own.getsockname())
        own.settimeout(2)
        assert own.recv(10) == b"peer"
