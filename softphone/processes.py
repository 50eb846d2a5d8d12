"""How this program starts its own processes on Windows, and keeps what they hold out of crash reports, on every system."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from contextlib import suppress

HIDDEN = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
"""for a child that ends with its parent. On Windows a console program opens a black window; so do the children of one that has
no console at all (DETACHED_PROCESS)"""
DETACHED = HIDDEN | subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
"""for a child that outlives its parent; elsewhere a session of its own does that"""

_PR_SET_DUMPABLE = 4
_NO_CRITICAL_ERRORS, _NO_CRASH_REPORT, _NO_OPEN_FILE_BOX = 0x0001, 0x0002, 0x8000
_WITHOUT_HEAP = 1


def leave_no_core() -> None:
    """From here on a crash writes none of this process's memory to a disk: it holds keys, numbers or sound.

    Linux: no core file, none for a collector such as systemd-coredump, and no debugger of the same user. Windows: no report.
    """
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetErrorMode(_NO_CRITICAL_ERRORS | _NO_CRASH_REPORT | _NO_OPEN_FILE_BOX)
        with suppress(OSError, AttributeError):
            ctypes.windll.wer.WerSetFlags(_WITHOUT_HEAP)
        return
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
