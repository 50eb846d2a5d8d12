"""All checks, side by side, each within its own time; and the command that tells what they found."""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from softphone import __version__
from softphone.bootstrap.home import Home, texts
from softphone.cli.doctor.accounts import ACCOUNTS
from softphone.cli.doctor.archive import ARCHIVE
from softphone.cli.doctor.clock import CLOCK
from softphone.cli.doctor.crashes import CRASHES
from softphone.cli.doctor.faults import Status, status_of
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.folders import FOLDERS
from softphone.cli.doctor.house import HOUSE
from softphone.cli.doctor.keys import KEYRING, PASSPORTS, PRIVATE_KEYS
from softphone.cli.doctor.machine import Machine
from softphone.cli.doctor.network import NETWORK, STRANGERS, STUN
from softphone.cli.doctor.parts import PARTS, SCREEN
from softphone.cli.doctor.phone import PHONE
from softphone.cli.doctor.plugins import PLUGINS
from softphone.cli.doctor.settings import MANAGED, SETTINGS
from softphone.cli.doctor.sound import SOUND
from softphone.cli.doctor.summary import in_words, summary_of
from softphone.cli.doctor.telling import as_data, folded, lines
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import where

CHECKS: tuple[Check, ...] = (
    PARTS,
    SCREEN,
    SETTINGS,
    MANAGED,
    FOLDERS,
    PHONE,
    NETWORK,
    ACCOUNTS,
    STUN,
    STRANGERS,
    CLOCK,
    SOUND,
    KEYRING,
    PRIVATE_KEYS,
    ARCHIVE,
    HOUSE,
    PASSPORTS,
    PLUGINS,
    CRASHES,
)


def run_doctor(arguments: argparse.Namespace) -> int:
    """Status 1 if a check fails."""
    found = look(Home.of(arguments))
    tell = texts()
    if arguments.json:
        print(json.dumps(report(found), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        for _, finding in found:
            for line in lines(finding, tell, width):
                print(line)  # noqa: T201
        for line in ("", *folded("", in_words(summary_of(found), tell), width)):
            print(line)  # noqa: T201
    return int(worst(found) is Status.FAIL)


def examined(home: Home) -> dict[str, Any]:
    """What `doctor --json` prints."""
    return report(look(home))


def look(home: Home, checks: Sequence[Check] = CHECKS) -> list[tuple[str, Finding]]:
    """What each check found, in the checks' order. None is waited for longer than it may take."""
    machine = Machine(home)
    # PySide puts its own `__import__` in Python's place. Where other threads import meanwhile, that may end the process.
    with suppress(ImportError, OSError):
        importlib.import_module("PySide6.QtCore")
    began = time.monotonic()
    going = [_Going(check, machine) for check in checks]
    for one in going:
        one.wait(began)
    told = [(one.check.name, finding) for one in going for finding in one.told()]
    # The phone tells of much that its own check has found too, and with more words.
    known = {finding.code for name, finding in told if name != PHONE.name}
    told = [(name, finding) for name, finding in told if name != PHONE.name or finding.code not in known]
    # A keyring that does not answer keeps several checks from looking: it is one fault.
    return [one for n, one in enumerate(told) if not _again(one[1], [before for _, before in told[:n]])]


def _again(finding: Finding, before: Sequence[Finding]) -> bool:
    return status_of(finding.code) is not Status.OK and any(
        (one.code, one.params, one.below) == (finding.code, finding.params, finding.below) for one in before
    )


def report(found: Sequence[tuple[str, Finding]]) -> dict[str, Any]:
    tell, summary = texts(), summary_of(found)
    return {
        "version": __version__,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "status": worst(found),
        **summary._asdict(),
        "findings": [as_data(check, finding, tell) for check, finding in found],
    }


def worst(found: Sequence[tuple[str, Finding]]) -> Status:
    order = list(Status)
    return max((status_of(finding.code) for _, finding in found), key=order.index, default=Status.OK)


class _Going:
    """A check on its thread. The process does not wait for one that never comes back."""

    def __init__(self, check: Check, machine: Machine) -> None:
        self.check = check
        self._machine = machine
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._look, name=f"check {check.name}", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            for one in self.check.look(self._machine):
                self._found.append(one)
        except KlartoneError as error:
            self._found.append(Finding.of(error))
        except Exception as error:  # noqa: BLE001 - one check's bug must not cost the others' findings
            told = where(type(error), error.__traceback__)
            self._found.append(Finding("doctor.bug", {"check": self.check.name, "detail": told}))

    def wait(self, began: float) -> None:
        self._thread.join(max(0.0, began + self.check.seconds - time.monotonic()))

    def told(self) -> list[Finding]:
        late = [Finding("doctor.late", {"check": self.check.name, "seconds": round(self.check.seconds)})]
        return [*self._found, *(late if self._thread.is_alive() else ())]
