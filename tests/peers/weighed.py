"""A program of ours that can be asked what it uses: `python -m tests.peers.weighed softphone.cli --home DIR engine`.

It runs that module, and an engine's edge the same way. Asked by a signal it writes down the bytes in use, once Python's garbage
is gone. It changes nothing else. `weight` asks.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import runpy
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import cast

ASKED = signal.SIGUSR1
FOLDER = Path(tempfile.gettempdir()) / f"klartone-weighed-{os.getuid()}"


class _Mallinfo2(ctypes.Structure):
    """As glibc's `mallinfo2(3)` has it."""

    arena: int
    hblkhd: int
    uordblks: int
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def told_by(pid: int) -> Path:
    return FOLDER / str(pid)


def on_c_heap() -> int:
    """Bytes that somebody has asked for and not given back, in all of its arenas."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Mallinfo2
    now = cast("_Mallinfo2", mallinfo2())
    return now.uordblks + now.hblkhd


def in_objects() -> int:
    """The same of Python's own allocator for small objects, which tells it on stderr only."""
    with tempfile.TemporaryFile() as told:
        stderr = os.dup(2)
        try:
            os.dup2(told.fileno(), 2)
            sys._debugmallocstats()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        told.seek(0)
        said = told.read().decode()
    found = re.search(r"# bytes in allocated blocks\s*=\s*([\d,]+)", said)
    assert found, "Python's own allocator is not in use"
    return int(found[1].replace(",", ""))


def _answer(_number: int, _frame: FrameType | None) -> None:
    gc.collect()
    told = told_by(os.getpid())
    FOLDER.mkdir(exist_ok=True)
    new = told.with_suffix(".new")
    new.write_text(f"{on_c_heap()} {in_objects()}")
    new.replace(told)


def main() -> None:
    module, *words = sys.argv[1:]
    signal.signal(ASKED, _answer)
    if module == "softphone.cli":
        from softphone.bootstrap import engine

        engine.edge_command = lambda: (sys.executable, "-m", "tests.peers.weighed", "softphone.edge")
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
