"""How this program is called: by itself, for another process, and by a person; and which of its ends another program holds.

From a checkout, a wheel, or a frozen program that has no other way in. It starts nothing itself.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

WINDOWED = "klartonew"
"""the name of Windows' second frozen program, which opens no console"""


def klartone_command() -> Sequence[str]:
    """Klartone's own command line, to which a command is added."""
    return (_program(),) if _frozen() else (sys.executable, "-m", "softphone")


def plugin_host_command() -> Sequence[str]:
    """The plugin host's, to which the plugins' folders are added."""
    return (_program(), "plugin-host") if _frozen() else (sys.executable, "-m", "softphone.plugin.host")


def edge_command() -> Sequence[str]:
    """The edge's. Without the command line's own parts, so that an edge that died is back in a moment."""
    return (_program(), "edge") if _frozen() else (sys.executable, "-m", "softphone.edge")


def as_typed(*words: str) -> str:
    """The line by which a person runs this program with `words`, in their shell: by its bare name if PATH has it."""
    called = sys.argv[0]
    if shutil.which("klartone"):
        program: Sequence[str] = ("klartone",)
    elif Path(called).stem in ("klartone", WINDOWED):
        program = (str(Path(called).with_stem("klartone")),)
    else:
        program = klartone_command()
    line = [*program, *words]
    return subprocess.list2cmdline(line) if sys.platform == "win32" else shlex.join(line)


def take_stdio() -> tuple[IO[bytes], IO[bytes]]:
    """A wire's two ends; all else that writes to stdout from now on goes to stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Unbuffered: its reader thread still waits when the process ends, and must hold no lock then.
    return os.fdopen(0, "rb", buffering=0, closefd=False), out


def _program() -> str:
    """The frozen program with a console: Windows' windowed one, which may have called, has no output that a wire could be."""
    called = Path(sys.executable)
    return str(called.with_stem("klartone")) if called.stem == WINDOWED else str(called)


def _frozen() -> bool:
    return bool(getattr(sys, "frozen", False))
