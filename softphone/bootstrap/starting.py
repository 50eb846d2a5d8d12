"""An engine is started, in a process of its own that outlives this one, and listened to until it is there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from weakref import finalize

from softphone.bootstrap.home import Home
from softphone.bootstrap.program import klartone_command
from softphone.domain.errors import EngineError, KlartoneError
from softphone.processes import DETACHED
from softphone.system import last_words
from softphone.system.logbook import log

SLOW_AFTER = 20.0
"""seconds in which even a slow machine has its engine; then it is waited for, with words"""
START_LOG_BYTES = 1_000_000


_log = log.getChild("desk")


class EngineStarter:
    """Starts an engine when it is called, unless the last one that it started is still coming up. `why_not` is asked until that
    one is there."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.engines: list[subprocess.Popen[bytes]] = []
        self._said = _StartLog(home.folders.log)
        self._began = 0.0
        self._ended: int | None = None
        """how the one before ended"""
        self._coming = False
        self._told = True
        self._told_slow = False

    def __call__(self) -> None:
        """Raises EngineError if none can be started."""
        if self.coming_up:
            return
        self._log_start(self.engines[-1].poll() if self.engines else None)
        with self._said.begun() as said:
            self.engines.append(start_engine(self._home, said))
        self._coming = True
        self._began, self._told, self._told_slow = time.monotonic(), False, False

    def _log_start(self, ended: int | None) -> None:
        """What a supporter asks. One that ends in the same way each time is told of once."""
        if ended is None or ended != self._ended:
            if ended is not None:
                _log.info("phone ended with status %d", ended)
            _log.info("phone is being started")
        self._ended = ended

    @property
    def coming_up(self) -> bool:
        return self._coming and self.engines[-1].poll() is None

    def came_up(self) -> None:
        """A desk has attached to it. Once it goes, another is started at once, though its process may still be ending."""
        self._coming, self._told, self._ended = False, True, None

    def why_not(self) -> KlartoneError | None:
        """Why the engine that was started is not there: what it said as it ended, or that it is slow. Each is told once."""
        if self._told:
            return None
        status = self.engines[-1].poll()
        log = str(self._said.path)
        if status is None:
            if time.monotonic() - self._began < SLOW_AFTER or self._told_slow:
                return None
            self._told_slow = True
            return EngineError(last_words.SLOW, seconds=round(SLOW_AFTER), log=log)
        self._told = True
        return last_words.read(self._said.read(), status, log) if status else None


class _StartLog:
    """For stderr of an engine and its libraries. Begun anew once it is long, since no rotation reaches it. Where it cannot be
    written, a file without a name takes its place."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "engine-start.log"
        self._from = 0
        self._instead: IO[bytes] | None = None

    @contextmanager
    def begun(self) -> Generator[IO[bytes]]:
        """To be handed on to an engine, whose words then are what `read` gives."""
        self._instead, self._from = None, 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            long = self.path.exists() and self.path.stat().st_size > START_LOG_BYTES
            file = self.path.open("wb" if long else "ab")
        except OSError:
            self._instead = TemporaryFile("w+b")  # noqa: SIM115 - it is closed with the log
            finalize(self, self._instead.close)
            yield self._instead
            return
        with file:
            self._from = file.seek(0, os.SEEK_END)
            yield file

    def read(self) -> str:
        with suppress(OSError), nullcontext(self._instead) if self._instead else self.path.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")
        return ""


def start_engine(home: Home, said: IO[bytes]) -> subprocess.Popen[bytes]:
    """`said` takes its stderr. Raises EngineError."""
    try:
        return subprocess.Popen(
            [*klartone_command(), *(("--home", str(home.root)) if home.root else ()), "engine"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd=Path.home() if Path.home().is_dir() else "/",
            env={**os.environ, last_words.ASKED: "1"},
            start_new_session=True,
            creationflags=DETACHED,
        )
    except OSError as error:
        raise EngineError("error.engine.cannot_start", detail=error.strerror or str(error)) from None
