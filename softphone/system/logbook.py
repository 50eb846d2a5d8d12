"""The program's log: codes and figures for IT, never a number, a name, an address or a password.

Callers log a code and harmless parameters. This is not the audit log, which is the archive's.
"""

from __future__ import annotations

import atexit
import logging
import queue
import sys
import threading
from logging.handlers import QueueHandler, RotatingFileHandler
from pathlib import Path
from types import TracebackType

from softphone.domain.errors import KlartoneError

log = logging.getLogger("klartone")
"""one logger for the program; a child a process: klartone.engine, klartone.desk"""
_modules = logging.getLogger("softphone")
"""for modules that log under their own names"""


WRITTEN_WITHIN = 2.0
"""seconds that the process's end waits for unwritten lines"""


def start_log(folder: Path, process: str, *, waits: bool = True) -> logging.Logger:
    """Logs into `<folder>/<process>.log`, 5 files of 1 MB; onto stderr if the folder cannot be written.

    Without `waits` a thread of its own writes, so no caller waits for a disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler: logging.Handler = RotatingFileHandler(
            folder / f"{process}.log", maxBytes=1_000_000, backupCount=4, encoding="utf-8"
        )
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    if not waits:
        handler = _beside(handler)
    for logger, level in ((log, logging.INFO), (_modules, logging.WARNING)):
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    own = log.getChild(process)

    def unexpected(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
        own.error("bug %s", where(kind, trace))

    def unexpected_on_thread(args: threading.ExceptHookArgs) -> None:
        own.error("bug %s", where(args.exc_type, args.exc_traceback))

    def unexpected_on_the_way(args: sys.UnraisableHookArgs) -> None:
        own.error("bug %s", where(args.exc_type, args.exc_traceback))

    sys.excepthook = unexpected
    threading.excepthook = unexpected_on_thread
    sys.unraisablehook = unexpected_on_the_way
    return own


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
