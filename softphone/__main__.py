"""What `klartone` starts with: the commands take a moment to be loaded, and Ctrl+C is a person's from the first one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from softphone.system.loading import again, is_loading

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType


def main() -> int:
    """The exit status of the command that was typed."""
    sys.unraisablehook = _not_lost
    # A command in the background has it ignored, and goes on ignoring it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    try:
        from softphone import cli

        return _ended(cli.main())
    except KeyboardInterrupt:
        return _ended(130)


def _ended(status: int) -> int:
    """Threads that still wait for something outside (a name server, a keyring, a file on a slow disk) end with the process, and
    not before: Python's own ending would cut each off where it stands, and libraries in Rust or C++ abort the process then."""
    waiting = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if waiting and all(one.daemon for one in waiting):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or none at all
                stream.flush()
        os._exit(status)
    return status


def _interrupted(number: int, frame: FrameType | None) -> None:
    if is_loading(frame):
        again(number)
    else:
        signal.default_int_handler(number, frame)


def _not_lost(told: UnraisableHookArgs) -> None:
    """Within a callback, Python would tell of a Ctrl+C and go on: it comes again."""
    if isinstance(told.exc_value, KeyboardInterrupt):
        again(getattr(told.exc_value, "number", signal.SIGINT))
    else:
        sys.__unraisablehook__(told)


if __name__ == "__main__":
    sys.exit(main())
