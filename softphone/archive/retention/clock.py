"""What the clock last said when it was believed, and a clock that nobody sets beside it: kept in the catalog, so that one which
jumps is noticed (G10); and when the last sweep came to its end.

It decides nothing; whether a clock is doubtful is `domain.retention`'s.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from softphone.archive.tables import meta, time_in
from softphone.domain import retention
from softphone.domain.retention import Seen, Steady

_SEEN, _BESIDE, _SWEPT = "clock-seen", "clock-seen-beside", "last-swept"
_UNIT = timedelta(microseconds=1)
_MOST = timedelta(days=100 * 366) // _UNIT
_TOLD = re.compile(r"(?P<at>\S+) (?P<boot>\S+) (?P<up>\d{1,18}) (?P<away>\d{1,18})", re.ASCII)
_NONE = "-"
"""the boot, where no other clock was there"""
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""when, where somebody changed it into what is no time: so long ago that the clock is doubted until a person has looked"""


def last_seen(connection: Connection) -> datetime | None:
    return _read(connection, _SEEN)


def last_swept(connection: Connection) -> datetime | None:
    """A sweep that was not broken off: all that was due by then has gone."""
    return _read(connection, _SWEPT)


def whole_sweep(connection: Connection, now: datetime) -> None:
    _write(connection, _SWEPT, now)


def believe(
    connection: Connection, now: datetime, *, steady: Steady | None = None, witness: datetime | None = None
) -> bool:
    """Whether `now` is believed; then it is what was last seen."""
    seen = _believed(connection, now, steady, witness)
    if seen is None:
        return False
    _write(connection, _SEEN, now)
    _tell(connection, seen)
    return True


def moved(connection: Connection) -> None:
    """The catalog may have come from another machine: how long that one has been up bears no comparison with this one. What is
    away stays."""
    seen = _seen(connection)
    if seen is not None and seen.steady is not None and seen.steady.boot != _boot():
        _tell(connection, replace(seen, steady=None))


def is_doubtful(connection: Connection, now: datetime, beside: Steady | None = None) -> bool:
    """`beside`: what the clock that nobody sets says; asked here where left out."""
    return _believed(connection, now, beside or steady(), None) is None


def steady() -> Steady:
    return Steady(_boot(), timedelta(seconds=_up()))


def _up() -> float:
    """Seconds since the machine's start, by a clock that no one sets, and that goes on while it sleeps (where it has one)."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "win32":
        from ctypes import WinDLL, c_uint64

        ticks = WinDLL("kernel32").GetTickCount64
        ticks.restype = c_uint64
        return ticks() / 1000
    return time.monotonic()


@cache
def _boot() -> str:
    """Where the system does not name it, one that holds for this process: no two are then taken for one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return uuid4().hex


def _believed(connection: Connection, now: datetime, steady: Steady | None, witness: datetime | None) -> Seen | None:
    return retention.believed(now, _seen(connection), steady=steady, witness=witness)


def _seen(connection: Connection) -> Seen | None:
    at, beside = last_seen(connection), _get(connection, _BESIDE)
    if at is None or beside is None:
        return at and Seen(at)
    told = _TOLD.fullmatch(str(beside))
    up, away = (int(told[name]) for name in ("up", "away")) if told else (_MOST, _MOST)
    if told is None or max(up, away) >= _MOST:
        return Seen(_UNKNOWN)
    if time_in(told["at"]) != at:
        # An older program, which knows no other clock, has seen it since.
        return Seen(at)
    return Seen(at, Steady(told["boot"], up * _UNIT) if told["boot"] != _NONE else None, away * _UNIT)


def _tell(connection: Connection, seen: Seen) -> None:
    beside = seen.steady or Steady(_NONE, timedelta())
    _put(connection, _BESIDE, f"{seen.at.isoformat()} {beside.boot} {beside.up // _UNIT} {seen.away // _UNIT}")


def _read(connection: Connection, name: str) -> datetime | None:
    told = _get(connection, name)
    return (time_in(told) or _UNKNOWN).astimezone(UTC) if told is not None else None


def _write(connection: Connection, name: str, at: datetime) -> None:
    _put(connection, name, at.isoformat())


def _get(connection: Connection, name: str) -> object:
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def _put(connection: Connection, name: str, value: str) -> None:
    connection.execute(delete(meta).where(meta.c.name == name))
    connection.execute(insert(meta).values(name=name, value=value))
