"""Reports of crashes that lie here until somebody sends or deletes them."""

from __future__ import annotations

from collections.abc import Iterator

from softphone.bootstrap.archive.shared import here
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.crashes import FOLDER, crashes


def _crashes(machine: Machine) -> Iterator[Finding]:
    folder = machine.home.folders.log
    found = crashes(folder)
    if found:
        yield Finding(
            "doctor.crashes.kept", {"count": len(found), "at": here(found[0].at), "folder": str(folder / FOLDER)}
        )
    else:
        yield Finding("doctor.crashes")


CRASHES = Check("crashes", _crashes)
