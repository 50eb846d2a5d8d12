"""The real engine in another composition: plugins from a folder of the test's, or with a bug planted in it.

    python -m tests.journeys.process_engine [--plugins DIR] [--bug loop|sip|draw|undrawn|thread|fatal|native …] [--frames-fail]
        [--alone SECONDS] --home DIR engine

Everything else is the engine as `klartone engine` runs it.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from softphone.bootstrap.engine import run_engine
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.recorder_port import Recording
from softphone.engine.sip import events as sip
from softphone.engine.sip.call import InviteArrived
from softphone.engine.sip.calls import SipCalls as SipCalls
from softphone.wire.snapshot import CallPhase, CallState


class _FatalError(BaseException):
    """Nothing in the engine catches it."""


class _BuggyCalls(PhoneCalls):
    """Stumbles over whoever calls, with all that it knows of them in the error's text; each time over the next bug."""

    bugs: Iterator[str] = iter(())
    draws: ClassVar[list[str]] = []

    undrawn = ""
    """what keeps every call that is talked in from being shown"""

    def shown(self) -> tuple[CallState, ...]:
        _stumble_once(self.draws)
        if self.undrawn and any(call.phase is not CallPhase.INCOMING for call in self._book.live.values()):
            raise RuntimeError(self.undrawn)
        return super().shown()

    def arrived(self, event: sip.CallArrived) -> None:
        super().arrived(event)
        what = f"cannot handle {event.name} <{event.number}> {event.headers!r}"
        match next(self.bugs):
            case "loop":
                raise RuntimeError(what)
            case "sip":
                _BuggySip.arrives.append(what)
            case "draw":
                self.draws.append(what)
            case "undrawn":
                self.undrawn = what
            case "fatal":
                raise _FatalError(what)
            case "native":
                os.abort()
            case _:
                threading.Thread(target=_stumble, args=(what,)).start()


class _BuggySip(SipCalls):
    """Stumbles beneath the engine's calls, once they know of this one."""

    arrives: ClassVar[list[str]] = []

    def arrived(self, happening: InviteArrived) -> None:
        super().arrived(happening)
        _stumble_once(self.arrives)


class _BuggyRecording(Recording):
    """Two seconds of the first recorded call's frames cannot be handed on, once it has been recorded for one."""

    fed = 0

    def feed(self, call: str, index: int, agent: bytes, party: bytes) -> None:
        if self._calls:
            self.fed += 1
        if 50 < self.fed <= 150:
            raise RuntimeError("a frame that cannot be handed on")
        super().feed(call, index, agent, party)


def _stumble_once(told: list[str]) -> None:
    if told:
        raise RuntimeError(told.pop())


def _stumble(what: str) -> None:
    raise RuntimeError(what)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugins", type=Path, action="append", default=[])
    parser.add_argument("--bug", nargs="+", choices=["loop", "sip", "draw", "undrawn", "thread", "fatal", "native"])
    parser.add_argument("--frames-fail", action="store_true")
    parser.add_argument("--alone", type=float, help="how long it waits for a desk")
    parser.add_argument("--home", type=Path)
    parser.add_argument("command", choices=["engine"])
    arguments = parser.parse_args()
    arguments.stdio = False
    if arguments.frames_fail:
        from softphone.bootstrap import engine_parts

        engine_parts.Recording = _BuggyRecording
    if arguments.alone:
        from softphone.engine import loop

        loop.ALONE = arguments.alone
    if arguments.bug:
        from softphone.bootstrap import engine_parts
        from softphone.engine.sip import phone

        _BuggyCalls.bugs = iter(arguments.bug)
        engine_parts.PhoneCalls, phone.SipCalls = _BuggyCalls, _BuggySip
    return run_engine(arguments, arguments.plugins)


if __name__ == "__main__":
    sys.exit(main())
