"""The machine's clock, beside the servers' (Date of RFC 3261, 20.17), and beside what this machine has written before.

A wrong one breaks TLS, and gives recordings wrong dates of deletion.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.cli.doctor.servers import ANSWERED_WITHIN

MOST = timedelta(minutes=5)
"""as Kerberos has it"""
_STEP = 600.0
"""seconds that a file of this program may be in the future"""


def _clock(machine: Machine) -> Iterator[Finding]:
    yield from _back(machine)
    best: tuple[timedelta, str] | None = None
    for one in machine.servers():
        told = one.state.answer.get("Date") if one.state.answer else None
        if told is None:
            continue
        try:
            off = one.at - parsedate_to_datetime(told)
        except (ValueError, TypeError):
            continue
        # Two servers that differ: the nearer is likelier to be right.
        if best is None or abs(off) < abs(best[0]):
            best = off, one.state.server
    if best is None:
        yield Finding("doctor.clock.alone")
        return
    off, server = best
    if abs(off) > MOST:
        minutes = round(abs(off) / timedelta(minutes=1))
        way = "fast" if off > timedelta() else "slow"
        yield Finding(f"doctor.clock.{way}", {"server": server, "count": minutes})
    else:
        yield Finding("doctor.clock", {"server": server})


def _back(machine: Machine) -> Iterator[Finding]:
    """It was set back: the program's own files are from a time to come."""
    folders, now = machine.home.folders, time.time()
    for folder in (folders.log, folders.runtime, folders.config):
        try:
            newest = max((one.stat().st_mtime for one in folder.iterdir()), default=0.0)
        except OSError:
            continue
        if newest > now + _STEP:
            yield Finding("doctor.clock.back", {"count": round((newest - now) / 60), "path": str(folder)})
            return


CLOCK = Check("clock", _clock, ANSWERED_WITHIN + 3.0)
