"""The file for support, written by a process of its own: it asks much of the machine, and must not take the window along."""

from __future__ import annotations

import subprocess

from softphone.bootstrap.home import Home
from softphone.bootstrap.program import klartone_command
from softphone.domain.errors import KlartoneError
from softphone.processes import HIDDEN

WITHIN = 120.0
"""seconds; the doctor alone may take fifteen"""


def save_support(home: Home, path: str) -> None:
    """Raises KlartoneError if it could not be written."""
    command = [*klartone_command(), *(("--home", str(home.root)) if home.root else ()), "support", "--json", "--", path]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN,
            creationflags=HIDDEN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KlartoneError("error.support.unwritable", path=path, detail=type(error).__name__) from None
    if done.returncode:
        raise KlartoneError("error.support.unwritable", path=path, detail=f"status {done.returncode}")
