"""The real engine in another composition: plugins from a folder of the test's, or with a bug planted in it.

    python -m tests.journeys.process_engine [--plugins DIR] [--bug loop|thread|fatal|native] --home DIR engine

Everything else is the engine as `klartone engine` runs it.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from softphone.bootstrap.engine import run_engine
from softphone.engine.calls import Calls
from softphone.engine.sip import events as sip


class _FatalError(BaseException):
    """Nothing in the engine catches it."""


class _BuggyCalls(Calls):
    """Stumbles over whoever calls, with all that it knows of them in the error's text."""

    bug = ""

    def arrived(self, event: sip.CallArrived) -> None:
        super().arrived(event)
        what = f"cannot handle {event.name} <{event.number}> {event.headers!r}"
        match self.bug:
            case "loop":
                raise RuntimeError(what)
            case "fatal":
                raise _FatalError(what)
            case "native":
                os.abort()
            case _:
                threading.Thread(target=_stumble, args=(what,)).start()


def _stumble(what: str) -> None:
    raise RuntimeError(what)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugins", type=Path, action="append", default=[])
    parser.add_argument("--bug", choices=["loop", "thread", "fatal", "native"])
    parser.add_argument("--home", type=Path)
    parser.add_argument("command", choices=["engine"])
    arguments = parser.parse_args()
    arguments.stdio = False
    if arguments.bug:
        from softphone.bootstrap import engine

        _BuggyCalls.bug = arguments.bug
        engine.Calls = _BuggyCalls
    return run_engine(arguments, arguments.plugins)


if __name__ == "__main__":
    sys.exit(main())
