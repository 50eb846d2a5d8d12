"""A test's view of a real desk process (`process_desk.py`): what it shows, a hand for its buttons, and ways to hurt it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.processes import end
from tests.peers.second_phone import ROOT

Shown = dict[str, Any]


class Window:
    """`shown` is all that it showed, in order, each with `t` on this machine's monotonic clock."""

    def __init__(self, home: Path) -> None:
        self.began = time.monotonic()
        with (home.parent / "desk.stderr").open("ab") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.process_desk", "--home", str(home)],
                cwd=ROOT,
                env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LANGUAGE": "en", "LC_ALL": "C.UTF-8"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                encoding="utf-8",
            )
        self.shown: list[Shown] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):
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
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._say("leave")
                self.process.wait(5)
        end(self.process)

    def _say(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()


@contextmanager
def window(home: Path) -> Generator[Window]:
    """A desk for `home`, shown on no screen."""
    desk = Window(home)
    try:
        yield desk
    finally:
        desk.close()
