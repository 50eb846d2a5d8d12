"""What may block (a keyring, a disk) runs beside the window, on a thread of Qt's pool, and tells it by a signal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QRunnable, QThreadPool, SignalInstance


class Aside(QRunnable):
    """A call on a thread of the pool. Whoever starts one keeps it until it is done."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self._call = call

    def run(self) -> None:
        self._call()


def aside(call: Callable[[], None]) -> Aside:
    work = Aside(call)
    work.setAutoDelete(False)
    QThreadPool.globalInstance().start(work)
    return work


def tell(signal: SignalInstance, *what: object) -> None:
    """From a thread of the pool, which may outlive the desk: then nobody hears of it."""
    with suppress(RuntimeError):  # Qt's way to say that the sender has gone
        signal.emit(*what)
