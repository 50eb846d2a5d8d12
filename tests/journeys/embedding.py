"""A program that is talked to in JSON lines, as another phone talks to `klartone session --stdio`: said, waited for, ended.

No wait is a sleep: each ends with the line it waited for, or with TimeoutError and the lines that came.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.lines import NOTICE_FILE, policy_text
from tests.logged import raised_in
from tests.peers.forked import Process, forked
from tests.peers.processes import end
from tests.peers.second_phone import ROOT
from tests.policies import KEYS, write_notice

Told = dict[str, Any]
WITHIN = 10.0
KLARTONE = (sys.executable, "-m", "softphone.cli")


def policy_file(folder: Path, lines: Sequence[str], *, each: str = "") -> Path:
    """A policy of these lines of `lines.LINES`, in Danish, with a notice of one second. `each`: what every line says beside."""
    folder.mkdir(parents=True, exist_ok=True)
    write_notice(folder / NOTICE_FILE)
    policy = folder / "policy.toml"
    text = policy_text(KEYS, lines=tuple(lines), spoken=False, language="da", each=each)
    policy.write_text(text, encoding="utf-8")
    return policy


def session_command(folder: Path, policy: Path) -> list[str]:
    """`klartone session` with a home of its own."""
    return [*KLARTONE, "--home", str(folder / "home"), "session", "--stdio", "--policy", str(policy)]


class Talk:
    """`lines` is all that it told, in order."""

    def __init__(self, command: Sequence[str], errors: Path) -> None:
        self._errors = errors.open("wb")
        self._process: Process
        if tuple(command[: len(KLARTONE)]) == KLARTONE:
            words = command[len(KLARTONE) :]
            self._process = forked("softphone.cli", *words, stdout=subprocess.PIPE, stderr=self._errors)
        else:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=self._errors)
        self.lines: list[Told] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, type: str, call: str = "", **fields: Any) -> None:
        self.write(json.dumps({"type": type, "call": call, **fields}).encode())

    def write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def wait(self, wanted: Callable[[Told], object], what: str, seconds: float = WITHIN, since: int = 0) -> Told:
        """The first line, of those from index `since`, that is as wanted."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                found = next((line for line in self.lines[since:] if wanted(line)), None)
                if found is not None:
                    return found
                left = limit - time.monotonic()
                if left <= 0:
                    came = [line["type"] for line in self.lines[since:]]
                    raise TimeoutError(f"{what}: not within {seconds:g} s, but {came}; last {self.lines[-1:]}")
                self._changed.wait(left)

    def effect(self, type: str, call: str, seconds: float = WITHIN, since: int = 0, **fields: Any) -> Told:
        def fits(line: Told) -> bool:
            same = line["type"] == type and line.get("call") == call
            return same and all(line.get(name) == value for name, value in fields.items())

        return self.wait(fits, f"{type} of {call}", seconds, since)

    def status(self, call: str, wanted: Callable[[Told], object], what: str, seconds: float = WITHIN) -> Told:
        """The first `status` line of the call whose `state.status` is as wanted."""

        def fits(line: Told) -> object:
            state = line["state"]["status"] if line["type"] == "status" and line["call"] == call else None
            return state and wanted(state)

        return self.wait(fits, what, seconds)

    def told(self, type: str, call: str) -> list[Told]:
        with self._changed:
            return [line for line in self.lines if line["type"] == type and line.get("call") == call]

    def ready(self) -> None:
        """The policy is in use."""
        self.wait(lambda line: line["type"] == "policy" and line["policy"]["phase"] == "ready", "a policy", 40)

    def finish(self) -> int:
        """The end of input; its exit status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(WITHIN)
        self._reader.join(WITHIN)
        return status

    def close(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        end(self._process)
        self._reader.join(2)
        self._errors.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.lines.append(json.loads(line))
                self._changed.notify_all()


@contextmanager
def talk(command: Sequence[str], folder: Path) -> Generator[Talk]:
    """Whatever comes of it, the program is ended, and has logged nothing but what it did."""
    errors = folder / "errors"
    talking = Talk(command, errors)
    try:
        yield talking
    finally:
        talking.close()
    found = raised_in(errors, *sorted((folder / "home" / "log").glob("*")))
    assert not found, found
