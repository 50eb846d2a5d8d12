"""A real X server, which lets in who has its cookie."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.processes import end


@contextmanager
def screen() -> Generator[dict[str, str]]:
    """What a program's environment needs to be seen on it."""
    reading, writing = os.pipe()
    with tempfile.TemporaryDirectory() as folder, os.fdopen(reading) as answer:
        cookies = Path(folder) / "cookies"
        secret = secrets.token_hex(16)
        known_by(cookies, ":0", secret)  # the server takes it whatever its own number
        options = ("-screen", "0", "1024x768x24", "-nolisten", "tcp", "-auth", str(cookies))
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), *options],
            pass_fds=(writing,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        try:
            display = f":{answer.readline().strip()}"
            known_by(cookies, display, secret)
            yield {"DISPLAY": display, "XAUTHORITY": str(cookies)}
        finally:
            end(server)


def known_by(cookies: Path, display: str, secret: str) -> None:
    subprocess.run(["xauth", "-q", "-f", str(cookies), "add", display, ".", secret], check=True, capture_output=True)
