"""The settings: the user's own file, and what the organisation says to this machine."""

from __future__ import annotations

from collections.abc import Iterator

from softphone.bootstrap.home import machine_fault, texts
from softphone.cli.doctor.finding import Below, Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.cli.settings import fault_at_its_place, machine_fault_at_its_place
from softphone.domain.errors import SettingsError
from softphone.domain.policy import PolicyFault
from softphone.system.paths import is_there
from softphone.system.settings import ASIDE, FILE, FaultySettings, doubts_in


def _settings(machine: Machine) -> Iterator[Finding]:
    """Also a file that was set aside, if no other has taken its place."""
    folder = machine.home.folders.config
    aside = not is_there(folder / FILE) and is_there(folder / ASIDE)
    path = folder / (ASIDE if aside else FILE)
    below: tuple[Below, ...] = ()
    found = Finding("doctor.settings", {"path": str(path)})
    try:
        if below := tuple(_at(fault) for fault in doubts_in(path)):
            found = Finding("doctor.settings.doubtful", {"path": str(path)}, below)
    except FaultySettings as error:
        below = tuple(_at(fault) for fault in error.faults)
        found = Finding(error.code, dict(error.params), below)
    except SettingsError as error:
        found = Finding.of(error)
    if aside:
        found = Finding("error.settings.set_aside", {"path": str(path)}, below)
    yield found


def _at(fault: PolicyFault) -> Below:
    return Below(fault_at_its_place(fault, texts()), fault.code)


def _managed(machine: Machine) -> Iterator[Finding]:
    """Nothing, if the organisation says nothing to this machine."""
    told = machine.held.machine
    if (fault := machine_fault(told)) is not None:
        tell = texts()
        below = tuple(Below(machine_fault_at_its_place(one, tell), one.fault.code) for one in told.faults)
        ending = "machine_shut" if told.shut else "machine"
        yield Finding(fault.code, dict(fault.params), below, f"doctor.settings.{ending}.remedy")
    elif told.places:
        places = ", ".join(dict.fromkeys(told.places.values()))
        yield Finding("doctor.managed", {"locked": len(told.locked), "defaults": len(told.default), "places": places})


SETTINGS = Check("settings", _settings)
MANAGED = Check("managed", _managed)
