"""The phone that runs, if one does: what stands in its window too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from softphone import __version__
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import EngineError
from softphone.locking import held_by_another
from softphone.system.single import FILE
from softphone.wire.snapshot import CodedText

_TRY = 2.0
"""seconds in which an engine that cannot start has ended"""
_TOLD_ELSEWHERE = ("settings", "machine", "keyring", "accounts")
"""beginnings of `error.…` that the checks look at by themselves, with the line of a file"""


def _phone(machine: Machine) -> Iterator[Finding]:
    runtime = machine.home.folders.runtime
    running = machine.running()
    if running is None:
        if _held(runtime / FILE):
            yield Finding.of(EngineError("error.engine.running", folder=str(runtime)))
        else:
            yield Finding("doctor.phone.off")
        return
    if running.snapshot is None or running.version != __version__:
        yield Finding("doctor.engine.other", {"version": running.version or "?", "own": __version__})
    else:
        yield Finding("doctor.phone", {"version": running.version, "pid": running.pid})
    if running.snapshot is None:
        return
    now = running.snapshot
    standing = [one for one in (now.store.fault, now.sound.fault, *now.faults) if one is not None]
    for said in standing:
        if not _elsewhere(said):
            yield Finding(said.code, dict(said.params))


def _held(lock: Path) -> bool:
    """For longer than a window takes for one more try to start its engine."""
    until = time.monotonic() + _TRY
    while held_by_another(lock):
        if time.monotonic() >= until:
            return True
        time.sleep(0.1)
    return False


def _elsewhere(said: CodedText) -> bool:
    return said.code.removeprefix("error.").partition(".")[0] in _TOLD_ELSEWHERE


PHONE = Check("phone", _phone)
