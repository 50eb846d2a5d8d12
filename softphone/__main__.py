"""What `klartone` starts with: the commands take a moment to be loaded, and Ctrl+C is a person's from the first one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from _thread import interrupt_main
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def main() -> int:
    """The exit status of the command that was typed."""
    sys.unraisablehook = _not_lost
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


def _not_lost(told: UnraisableHookArgs) -> None:
    """Within a callback, as the loading of modules has them, Python would tell of a Ctrl+C and go on: it comes again."""
    if told.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(told)
        return
    again = threading.Timer(0.01, _interrupt)
    again.daemon = True
    again.start()


def _interrupt() -> None:
    """From another thread. Where a thread can be sent a signal, that ends what the first one waits for, too."""
    first = threading.main_thread().ident
    if sys.platform == "win32" or first is None:
        interrupt_main()
    else:
        signal.pthread_kill(first, signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
