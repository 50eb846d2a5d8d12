"""The program's log: codes and figures for IT, never a number, a name, an address or a password.

Callers log a code and harmless parameters. This is not the audit log, which is the archive's.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import sys
import threading
import time
from logging.handlers import QueueHandler, RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO

from softphone.crashes import keep_crashes, report_bug
from softphone.domain.errors import KlartoneError
from softphone.locking import locked

log = logging.getLogger("klartone")
"""one logger for the program; a child a process: klartone.engine, klartone.desk"""
_modules = logging.getLogger("softphone")
"""for modules that log under their own names"""


WRITERS = ("desk", "engine", "review", "session")
"""the processes that have a log"""
PROCESSES = 8
"""of one kind that have a log under a number"""
ENDS_WITHIN = 0.2
"""seconds in which the one before, which is just ending, leaves its log to this one"""
_locks: list[IO[bytes]] = []
"""open as long as this process lives"""
WRITTEN_WITHIN = 2.0
"""seconds that the process's end waits for unwritten lines"""


def start_log(folder: Path, process: str, *, waits: bool = True) -> logging.Logger:
    """Logs into `<folder>/<process>.log`, 5 files of 1 MB; onto stderr if the folder cannot be written. Reports of crashes lie
    beside it.

    A second process of the kind has `<process>-2.log`: two cannot rotate one file, and on Windows they may not. Without
    `waits` a thread of its own writes, so no caller waits for a disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = _own_name(folder, process)
        handler: logging.Handler = RotatingFileHandler(
            folder / f"{name}.log", maxBytes=1_000_000, backupCount=4, encoding="utf-8"
        )
    except OSError:
        handler = logging.StreamHandler()
    keep_crashes(folder, process)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    if not waits:
        handler = _beside(handler)
    for logger, level in ((log, logging.INFO), (_modules, logging.WARNING)):
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    own = log.getChild(process)

    def unexpected(kind: type[BaseException], _: BaseException | None, trace: TracebackType | None) -> None:
        said = where(kind, trace)
        own.error("bug %s", said)
        report_bug(said)

    def unexpected_on_thread(args: threading.ExceptHookArgs) -> None:
        unexpected(args.exc_type, args.exc_value, args.exc_traceback)

    def unexpected_on_the_way(args: sys.UnraisableHookArgs) -> None:
        unexpected(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = unexpected
    threading.excepthook = unexpected_on_thread
    sys.unraisablehook = unexpected_on_the_way
    return own


def _own_name(folder: Path, process: str) -> str:
    """The first name whose lock no living process holds; with its own id where all are held. Raises OSError."""
    until = time.monotonic() + ENDS_WITHIN
    for n in range(1, PROCESSES + 1):
        name = process if n == 1 else f"{process}-{n}"
        file = (folder / f"{name}.lock").open("ab")
        while not (own := locked(file)) and time.monotonic() < until:
            time.sleep(0.01)
        if own:
            _locks.append(file)
            return name
        file.close()
    return f"{process}-{os.getpid()}"


def _beside(handler: logging.Handler) -> logging.Handler:
    """Write what was logged before the process's end, unless the disk hangs."""
    records: queue.SimpleQueue[logging.LogRecord | None] = queue.SimpleQueue()

    def write() -> None:
        while (record := records.get()) is not None:
            handler.handle(record)

    writer = threading.Thread(target=write, name="log", daemon=True)
    writer.start()

    def end() -> None:
        records.put(None)
        writer.join(WRITTEN_WITHIN)

    atexit.register(end)
    return QueueHandler(records)


def log_bug(to: logging.Logger, error: BaseException, what: str = "") -> None:
    """An unexpected error, caught only because calls must outlive it. A test that did not plant it fails."""
    to.error("%sbug %s", f"{what}: " if what else "", where(type(error), error.__traceback__))


def log_failed(to: logging.Logger, error: Exception, what: str) -> None:
    """`what` failed: by something known, which has a code, or by a bug."""
    if isinstance(error, KlartoneError):
        to.warning("%s: %s", what, error.code)
    else:
        log_bug(to, error, what)


def where(kind: type[BaseException], trace: TracebackType | None) -> str:
    """The kind of an unexpected error and the places it came through, without its message, which may name a person."""
    places: list[str] = []
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return f"{kind.__name__} at {' > '.join(places) or 'an unknown place'}"
