"""A test's view of a real desk process (`process_desk.py`): what it shows, a hand for its buttons, and ways to hurt it.

Beside it: an engine that a desk has started, and a call begun with the desk's button.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from softphone.domain.purpose import Purpose
from softphone.system.endpoint import read_endpoint
from softphone.wire.snapshot import CallPhase, PolicyPhase
from tests.journeys.desk import Desk
from tests.journeys.stage import CUSTOMER, Stage
from tests.peers.forked import Process, forked
from tests.peers.processes import end, until
from tests.peers.second_phone import ROOT, second_phone

Shown = dict[str, Any]


class Window:
    """`shown` is all that it showed, in order, each with `t` on this machine's monotonic clock. `env`: whole, of its process."""

    def __init__(self, home: Path, *, timed: bool, env: Mapping[str, str] | None = None) -> None:
        self.began = time.monotonic()
        shown = {"QT_QPA_PLATFORM": "offscreen", "LANGUAGE": "en", "LC_ALL": "C.UTF-8"}
        env = os.environ | shown if env is None else env
        module, words = "tests.journeys.process_desk", ("--home", str(home))
        with (home.parent / "desk.stderr").open("ab") as complaints:
            self.process: Process = (
                subprocess.Popen(
                    [sys.executable, "-m", module, *words],
                    cwd=ROOT,
                    env=env,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                )
                if timed
                else forked(module, *words, stdout=subprocess.PIPE, stderr=complaints, env=env)
            )
        self.shown: list[Shown] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with suppress(ValueError):
            for line in self.process.stdout:
                with self._changed:
                    self.shown.append(json.loads(line))
                    self._changed.notify_all()

    def wait(self, wanted: Callable[[Shown], object], what: str, seconds: float = 15.0, after: float = 0.0) -> Shown:
        """The first thing shown (since `after`) that is as wanted, also if it was shown already."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                for one in self.shown:
                    if one["t"] >= after and wanted(one):
                        return one
                left = limit - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{what} was not shown within {seconds:g} s, but {self.shown[-3:]}")
                self._changed.wait(left)

    def now(self) -> Shown:
        with self._changed:
            return next(one for one in reversed(self.shown) if "title" in one)

    def press(self, name: str, seconds: float = 15.0) -> None:
        """As soon as a person could."""
        self.wait(lambda one: name in self.now()["can"], f"a button {name}", seconds)
        asked = time.monotonic()
        self._say(f"press {name}")
        told = self.wait(lambda one: "pressed" in one or "cannot" in one, "the press", seconds, asked)
        assert told.get("pressed") == name, told

    def type(self, name: str, text: str) -> None:
        """Into a field, key by key."""
        asked = time.monotonic()
        self._say(f"type {name} {text}")
        self.wait(lambda one: one.get("typed") == name, "what was typed", after=asked)

    def stumble(self) -> None:
        """It comes upon a bug, with all that it knows in the error's text, and goes on."""
        self._say("stumble")

    def stop(self) -> None:
        """It does not run at all until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.go_on()
            with suppress(OSError, subprocess.TimeoutExpired):
                self._say("leave")
                self.process.wait(5)
        end(self.process)

    def _say(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{words}\n".encode())
        self.process.stdin.flush()


@contextmanager
def window(home: Path, *, timed: bool = False) -> Generator[Window]:
    """A desk for `home`, shown on no screen. `timed`: it and the engine that it starts load all of the program, as a person's."""
    desk = Window(home, timed=timed)
    try:
        yield desk
    finally:
        desk.close()


@contextmanager
def observed(on: Stage) -> Generator[Desk]:
    """Somebody who looks on, at the engine that a desk has started, and who is no desk; and a customer."""
    until(lambda: read_endpoint(on.runtime) is not None, 20, "an engine")
    with Desk.attached(on.runtime, "observer") as eye, second_phone(counter=True) as customer:
        on.desk, on.customer = eye, customer
        on.sip_port = eye.wait(
            lambda s: s.sip_port if s.policy.phase is PolicyPhase.READY and s.store.works else None, "ready", 40
        )
        yield eye


@contextmanager
def no_engine_left(on: Stage) -> Generator[None]:
    """Desks start engines that outlive them: here they are ended, by the ids they have told."""
    try:
        yield
    finally:
        endpoint = read_endpoint(on.runtime)
        if endpoint is not None:
            with suppress(ProcessLookupError):
                os.kill(endpoint.pid, signal.SIGTERM)
            until(lambda: read_endpoint(on.runtime) is None, 15, "the engine's end")


def recorded(on: Stage, desk: Window, number: str = CUSTOMER, line: str = "n7") -> str:
    """A call with that number, answered with the desk's own button, goes on, recorded for both purposes."""
    on.ring(line, number)
    desk.press("answer")
    on.customer.wait_for("CallEstablished")
    call = on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a call").id
    on.desk.wait_status(lambda one: set(one.recording) == set(Purpose), "recording", call, 20)
    on.sealed(call, 1.0)
    return call
