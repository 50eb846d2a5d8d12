"""Very many calls of one team's sample, as rows alone, and how long the window's loop was held up. For a test and a measure."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from sqlalchemy import Connection

from softphone.archive.archive import Archive
from softphone.archive.catalog.database import Catalog
from tests.archive.scene import AT
from tests.ui.review.team import ALMA, ANNA, JONAS, ZONE

COUNT = 100_000
LASTS = timedelta(days=60)
"""that they are spread over; all of them live"""
_STATEMENTS = (
    "INSERT INTO calls (call, desk, line, direction, started_at, notice, language, time_zone, agent) "
    "VALUES (?,?,'salg','inbound',?,'N3','da',?,?)",
    "INSERT INTO recordings (recording, call, desk, opened_at, closed_at, line, agent) VALUES (?,?,?,?,?,'salg',?)",
    "INSERT INTO segments (recording, segment, desk, opened_at, purposes) VALUES (?,0,?,?,'training')",
    "INSERT INTO purposes (recording, purpose, desk, basis, retention, expires_on, stands, reviewed_at) "
    "VALUES (?,'training',?,'legitimate_interest','P3M',?,'keeps',?)",
    "INSERT INTO wraps (recording, segment, role, key_id, suite, desk, slot) VALUES (?,0,'training',?,'x',?,?)",
)


def add_sample(archive: Archive, count: int = COUNT) -> None:
    """A third of them each agent's; every fifth has been reviewed."""
    desk = archive.desk
    rows: tuple[list[tuple[Any, ...]], ...] = tuple([] for _ in _STATEMENTS)
    with archive.catalog.reading() as connection:
        slots = connection.exec_driver_sql("SELECT coalesce(max(slot), 0) + 1 FROM wraps").scalar_one()
    for number in range(count):
        at = AT - LASTS * (number / count) - timedelta(hours=1)
        call, recording = f"c{number:011x}", f"{count - number:08x}-0000-7000-8000-000000000000"
        agent = (ANNA, ALMA, JONAS)[number % 3]
        reviewed = at.isoformat() if number % 5 == 0 else None
        day = (at + timedelta(days=90)).date().isoformat()
        rows[0].append((call, desk, at.isoformat(), ZONE, agent))
        rows[1].append((recording, call, desk, at.isoformat(), (at + timedelta(minutes=4)).isoformat(), agent))
        rows[2].append((recording, desk, at.isoformat()))
        rows[3].append((recording, desk, day, reviewed))
        rows[4].append((recording, "0" * 32, desk, slots + number))
    with archive.catalog.writing() as connection:
        driver: Any = connection.connection.connection.driver_connection
        for statement, several in zip(_STATEMENTS, rows, strict=True):
            driver.executemany(statement, several)


class Turns:
    """Notes how far apart the turns of Qt's loop are, on its own thread, and how much of that was the thread's own work."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self.gaps: list[float] = []
        self.works: list[float] = []
        self._timer.start()

    def forget(self) -> None:
        """What the test itself did last is no turn of the window's."""
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def _turn(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.gaps.append(now - self._last)
        self.works.append(worked - self._worked)
        self._last, self._worked = now, worked


class Stall:
    """The catalog on a disk that stalls: whoever looks into it is kept waiting until it is `over`, and notes who they are."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.kept: set[int] = set()
        """the threads, by their numbers"""
        self.lasted = True
        """until it was said to be over: not until somebody had waited for it too long"""

    def keep(self) -> None:
        self.kept.add(threading.get_ident())
        self.lasted &= self.over.wait(20)


@contextmanager
def stalled(monkeypatch: pytest.MonkeyPatch) -> Generator[Stall]:
    stall, reads = Stall(), Catalog.reading

    def reading(catalog: Catalog) -> AbstractContextManager[Connection]:
        stall.keep()
        return reads(catalog)

    with monkeypatch.context() as patch:
        patch.setattr(Catalog, "reading", reading)
        try:
            yield stall
        finally:
            stall.over.set()
