"""What the organisation says to a whole machine: files in /etc/klartone, or Windows' registry. Only administrators write there.

Each value is a default, which the user may change, or locked. What cannot be read opens no door: while a file cannot be
read, no setting can be changed and nothing is recorded; calls go on. ADR 060 says why.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softphone.domain.errors import SettingsError
from softphone.system import guarded
from softphone.system.settings_schema import SETTINGS, Scope
from softphone.system.user import user_name
from softphone.wire.snapshot import Account

if TYPE_CHECKING:
    from softphone.domain.policy import PolicyFault
    from softphone.system.settings_registry import Registry

FOLDER = Path("/etc/klartone")
FILE = "settings.toml"
FOLDER_OF_MORE = "settings.d"
TABLES = ("default", "locked")
LARGEST = 1_000_000
"""bytes"""


@dataclass(frozen=True, slots=True)
class MachineFault:
    """`place`: the file, or the registry's key."""

    place: str
    fault: PolicyFault


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """`default` and `locked` are usable values by their keys; `places` says where each stands."""

    default: Mapping[str, Any] = field(default_factory=dict[str, Any])
    locked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    places: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: tuple[MachineFault, ...] = ()
    shut: str = ""
    """the place that cannot be read at all: nobody knows what it locks"""
    unrecorded: str = ""
    """the place of a lock on what is recorded that cannot be read: nothing is"""

    def lock_of(self, key: str) -> str:
        """Where it is said that the user may not change this; empty: they may."""
        if key in self.locked:
            return self.places[key]
        if key == "policy" and self.unrecorded:
            return self.unrecorded
        if SETTINGS[key].scope is Scope.MACHINE:
            return self.places.get(key, _usual_place())
        return self.shut if SETTINGS[key].scope is Scope.BOTH else ""

    @property
    def locks(self) -> dict[str, str]:
        """Of what a user could change otherwise."""
        found = {key: self.lock_of(key) for key, one in SETTINGS.items() if one.scope is Scope.BOTH}
        return {key: place for key, place in found.items() if place}

    def refuse(self, key: str) -> None:
        """Raises SettingsError if the user may not change this."""
        if SETTINGS[key].scope is Scope.MACHINE:
            raise SettingsError("error.settings.machine_only", key=key, place=_usual_place())
        if place := self.lock_of(key):
            raise SettingsError("error.settings.locked", key=key, place=place)


def machine_settings() -> MachineSettings:
    """This machine's. Whatever lies there, it never raises."""
    if sys.platform == "win32":
        from softphone.system.settings_registry import SystemRegistry

        return from_registry(SystemRegistry())
    return from_folder(FOLDER)


def from_folder(folder: Path) -> MachineSettings:
    """`settings.toml`, then those in `settings.d` by name: the later one wins."""
    machine = with_file(MachineSettings(), folder / FILE, needed=False)
    try:
        more = sorted(one for one in (folder / FOLDER_OF_MORE).iterdir() if one.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return machine
    except OSError as error:
        place = str(folder / FOLDER_OF_MORE)
        return _shut(machine, place, "settings.fault.unreadable", detail=error.strerror or type(error).__name__)
    for path in more:
        machine = with_file(machine, path, needed=True)
    return machine


def from_registry(registry: Registry) -> MachineSettings:
    """The file that it names, then its own defaults and locks."""
    from softphone.system.settings_registry import FILE_VALUE, ROOT, table, values

    machine = MachineSettings()
    place = f"HKLM\\{ROOT}"
    try:
        top = values(registry, ROOT)
        if path := top.get(FILE_VALUE.lower()):
            machine = with_file(machine, Path(str(path)), needed=True)
        for name in ("Default", "Locked"):
            place = f"HKLM\\{ROOT}\\{name}"
            if found := table(registry, f"{ROOT}\\{name}"):
                machine = _with_table(machine, place, name.lower(), found, {})
    except OSError as error:
        return _shut(machine, place, "settings.fault.unreadable", detail=error.strerror or type(error).__name__)
    return machine


def with_file(machine: MachineSettings, path: Path, *, needed: bool, trusted: bool = False) -> MachineSettings:
    """`machine`, and what this file says. `needed`: it is a fault if it is not there; `trusted`: whoever can write it."""
    place = str(path)
    try:
        whole = path if trusted else guarded.settled(path)
        others = None if trusted else guarded.who_else(whole)
        with whole.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return _shut(machine, place, "settings.fault.missing") if needed else machine
    except OSError as error:
        return _shut(machine, place, "settings.fault.unreadable", detail=error.strerror or type(error).__name__)
    if others is not None:
        return _shut(machine, place, "settings.fault.unguarded", path=str(others))
    return with_bytes(machine, place, raw)


def with_bytes(machine: MachineSettings, place: str, raw: bytes) -> MachineSettings:
    """As `with_file`, of what was read there."""
    if len(raw) > LARGEST:  # what it locks could stand in the rest
        return _shut(machine, place, "settings.fault.too_large", most=str(LARGEST // 1000))
    from softphone.system.settings_faults import faults_of, lines_of, unknown  # few have one

    text = None
    try:
        text = raw.decode("utf-8-sig")
        tables: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        told = tuple(MachineFault(place, one) for one in faults_of(text, error))
        return replace(machine, faults=(*machine.faults, *told), shut=place)

    lines = lines_of(text)
    for name in TABLES:
        if isinstance(tables.get(name, {}), dict):
            machine = _with_table(machine, place, name, tables.pop(name, {}), lines)
    if tables:
        found = tuple(MachineFault(place, unknown((key,), lines, TABLES)) for key in tables)
        # It could have been a lock.
        machine = replace(machine, faults=(*machine.faults, *found), unrecorded=place)
    return machine


def _with_table(
    machine: MachineSettings, place: str, name: str, table: Mapping[str, Any], lines: Mapping[Any, int]
) -> MachineSettings:
    """`name`: default or locked. A faulty value is left out; a faulty lock locks the built-in value."""
    if not table:
        return machine
    from softphone.system.settings_faults import usable

    found = usable(table, (name,) if lines else (), lines)
    values = {key: _for_user(key, value) for key, value in found.values.items()}
    locks = name == "locked"
    default = {key: value for key, value in machine.default.items() if key not in values or not locks}
    locked = {key: value for key, value in machine.locked.items() if key not in values or locks}
    unusable = [key for key in found.faulty if key in SETTINGS]
    if locks:
        locked |= values
        locked |= {key: SETTINGS[key].default for key in unusable if key not in values}
    else:
        default |= values
    unrecorded = locks and any(key not in SETTINGS or SETTINGS[key].holds_recording for key in found.faulty)
    return replace(
        machine,
        default=default,
        locked=locked,
        places={**machine.places, **dict.fromkeys((*values, *(unusable if locks else ())), place)},
        faults=(*machine.faults, *(MachineFault(place, one) for one in found.faults)),
        unrecorded=place if unrecorded else machine.unrecorded,
    )


def _for_user(key: str, value: Any) -> Any:
    """With the user's name in its place."""
    if not SETTINGS[key].by_user:
        return value
    if isinstance(value, str):
        return value.replace("{user}", user_name()) if "{user}" in value else value
    return tuple(_account_for_user(one) for one in value)


def _account_for_user(account: Account) -> Account:
    texts = {"address": account.address, "user": account.user, "display_name": account.display_name}
    if not any("{user}" in one for one in texts.values()):
        return account
    return replace(account, **{key: one.replace("{user}", user_name()) for key, one in texts.items()})


def _shut(machine: MachineSettings, place: str, code: str, **params: str) -> MachineSettings:
    from softphone.domain.policy import PolicyFault

    fault = MachineFault(place, PolicyFault(None, "", code, params))
    return replace(machine, faults=(*machine.faults, fault), shut=place)


def _usual_place() -> str:
    if sys.platform == "win32":
        from softphone.system.settings_registry import ROOT

        return f"HKLM\\{ROOT}"
    return str(FOLDER / FILE)
