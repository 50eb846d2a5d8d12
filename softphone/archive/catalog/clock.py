"""Whether anything may be deleted by the clock (G10). It is held to what it said when it was last believed, and to the machine's
own clock since its start. The catalog keeps both, and when the last sweep came to its end.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.schema.tables import meta, time_in

_SEEN, _DOUBTED, _SWEPT = "clock-seen", "clock-doubted", "last-swept"
_BACK = timedelta(hours=1)
_JUMP = timedelta(days=1)
LONGEST_OFF = timedelta(days=30)
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""of what is no time: so long ago that a person must look"""


@dataclass(frozen=True, slots=True)
class Steady:
    """A clock that nobody sets: how long the machine has been up, its sleep included. `boot`: which start of it that was."""

    boot: str
    up: timedelta


@dataclass(frozen=True, slots=True)
class Seen:
    """What the clock said when it was last believed, and the steady clock then. `doubted`: what it has said since that was not
    believed, and lay ahead."""

    at: datetime
    steady: Steady | None = None
    doubted: datetime | None = None


def is_believed(now: datetime, seen: Seen | None, steady: Steady | None, witness: datetime | None) -> bool:
    """A `witness` (a person, or another source of the time) settles it. Else the clock must not have gone back, nor forward by
    more than a day that the running machine's own clock does not explain. A machine that was switched off has made no jump, but
    after more than 30 days of it somebody must agree. What was doubted no new start of the machine makes true."""
    if witness is not None:
        return abs(now - witness) <= _JUMP
    if seen is None:
        return True
    if now < seen.at - _BACK:
        return False
    if steady is not None and seen.steady is not None and steady.boot == seen.steady.boot:
        return abs(now - seen.at - (steady.up - seen.steady.up)) <= _JUMP
    return now - seen.at <= LONGEST_OFF and (seen.doubted is None or now < seen.doubted)


def believe(tx: Transaction, now: datetime, *, steady: Steady | None = None, witness: datetime | None = None) -> bool:
    """Whether `now` is believed; then it is what was last seen."""
    seen = _seen(tx.connection)
    believed = is_believed(now, seen, steady, witness)
    if believed:
        beside = f" {steady.boot} {steady.up.total_seconds()}" if steady else ""
        _put(tx, _SEEN, f"{now.isoformat()}{beside}")
        _forget(tx, _DOUBTED)
    elif seen and now > seen.at and (seen.doubted is None or now < seen.doubted):
        _put(tx, _DOUBTED, now.isoformat())
    return believed


def is_doubtful(connection: Connection, now: datetime, beside: Steady | None = None) -> bool:
    """`beside`: what the clock that nobody sets says; asked here where left out."""
    return not is_believed(now, _seen(connection), beside or steady(), None)


def last_seen(connection: Connection) -> datetime | None:
    seen = _seen(connection)
    return seen.at if seen else None


def last_swept(connection: Connection) -> datetime | None:
    """A sweep that was not broken off: all that was due by then has gone."""
    told = _get(connection, _SWEPT)
    return (time_in(told) or _UNKNOWN) if told is not None else None


def whole_sweep(tx: Transaction, now: datetime) -> None:
    _put(tx, _SWEPT, now.isoformat())


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


def _seen(connection: Connection) -> Seen | None:
    told = _get(connection, _SEEN)
    if told is None:
        return None
    at, *beside = str(told).split(" ")
    try:
        steady = Steady(beside[0], timedelta(seconds=float(beside[1]))) if beside else None
    except (ValueError, OverflowError, IndexError):
        steady = None
    return Seen(time_in(at) or _UNKNOWN, steady, time_in(_get(connection, _DOUBTED)))


def _get(connection: Connection, name: str) -> object:
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def _forget(tx: Transaction, name: str) -> None:
    tx.execute(delete(meta).where(meta.c.name == name))


def _put(tx: Transaction, name: str, value: str) -> None:
    _forget(tx, name)
    tx.execute(insert(meta).values(name=name, value=value))
