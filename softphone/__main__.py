"""What `klartone` starts with. Loading the commands takes a moment; Ctrl+C works from the first one."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from softphone.system.loading import again, is_loading, not_lost

if TYPE_CHECKING:
    from types import FrameType


def main() -> int:
    """The exit status of the command that was typed."""
    sys.unraisablehook = not_lost
    # A command in the background ignores it, and goes on doing so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    # What is loaded stays to the end. The command looks for garbage as soon as it is loaded, in what came after.
    gc.disable()
    try:
        from softphone import cli

        return _ended(cli.main())
    except KeyboardInterrupt:
        return _ended(130)


def _ended(status: int) -> int:
    """End the process without waiting for threads that are stuck outside (a name server, a keyring, a slow disk).

    Python's own ending would cut them off where they stand, and then libraries in Rust or C++ abort the process.
    """
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


if __name__ == "__main__":
    sys.exit(main())
