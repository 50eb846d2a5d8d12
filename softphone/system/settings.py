"""The settings in force: what the organisation says to the whole machine, and between its defaults and its locks the user's
own file, which only the engine and `klartone settings` write. None of them is secret.

A faulty file of the user's is reported whole, each fault with its line and key, and set aside; nothing of it is lost.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter

from softphone.domain.errors import SettingsError
from softphone.replacing import replace_file
from softphone.system.settings_machine import MachineSettings
from softphone.system.settings_schema import SETTINGS, Scope
from softphone.wire.snapshot import SYSTEM, Account, Settings

if TYPE_CHECKING:
    from softphone.domain.policy import PolicyFault

FILE = "settings.toml"
ASIDE = "settings.faulty.toml"


class FaultySettings(SettingsError):  # noqa: N818 - as it is said: the settings are faulty
    """A file that is set aside; `faults` are all of its faults, in its order."""

    def __init__(self, path: Path, faults: Sequence[PolicyFault]) -> None:
        self.faults = tuple(faults)
        places = (" ".join(part for part in (str(one.line or ""), one.key) if part) for one in self.faults)
        super().__init__("error.settings.faulty", path=str(path), aside=ASIDE, places="; ".join(places))


class Origin(StrEnum):
    """Who has said a value."""

    BUILT_IN = "built_in"
    DEFAULT = "default"
    """the organisation, as a default"""
    USER = "user"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class InForce:
    """`settings` as they hold; `own`: what the user's file says, by its keys."""

    settings: Settings
    machine: MachineSettings = field(default_factory=MachineSettings)
    own: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def origin(self, key: str) -> Origin:
        if key in self.machine.locked or (key == "policy" and self._unrecorded):
            return Origin.LOCKED
        if key in self.own:
            return Origin.USER
        return Origin.DEFAULT if key in self.machine.default else Origin.BUILT_IN

    def place(self, key: str) -> str:
        """The file, or the registry's key, that says so; empty: none of the organisation's."""
        if self.origin(key) in (Origin.LOCKED, Origin.DEFAULT):
            return self.machine.places.get(key, self._unrecorded)
        return ""

    @property
    def _unrecorded(self) -> str:
        return self.machine.shut or self.machine.unrecorded


def load_settings(folder: Path) -> Settings:
    """The user's own in `folder`; the built-in ones if there are none yet. Raises SettingsError."""
    return read_settings(folder / FILE)


def read_settings(path: Path) -> Settings:
    """Those in a file, as `load_settings`."""
    return in_force(path, MachineSettings()).settings


def in_force(path: Path, machine: MachineSettings) -> InForce:
    """With the user's file at `path`. Raises SettingsError if that cannot be read."""
    text = _text(path)
    own: dict[str, Any] = {}
    error: ValueError | RecursionError | None = None
    try:
        if text is not None:
            own = tomllib.loads(text)
            usable = {key: value for key, value in own.items() if not _is_machines(key)}
            return InForce(_held(machine, usable), machine, usable)
    except (ValueError, RecursionError) as wrong:
        error = wrong
    # Every process reads settings, few find them faulty.
    from softphone.system.settings_faults import faults_of

    raise FaultySettings(path, faults_of(text, error))


def doubts_in(path: Path) -> tuple[PolicyFault, ...]:
    """What cannot be used in a user's file that can be read. Raises SettingsError."""
    in_force(path, MachineSettings())
    from softphone.system.settings_faults import doubts_in  # few ask

    return doubts_in(_text(path) or "")


def without_own(machine: MachineSettings) -> InForce:
    """As for a user who has set nothing."""
    return InForce(_held(machine, {}), machine)


def _text(path: Path) -> str | None:
    """None: it is not text. Empty: there is none. Editors on Windows put a mark before it, which is no part of it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError:
        return None
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise SettingsError("error.settings.unreadable", path=str(path), detail=detail) from None


def _held(machine: MachineSettings, own: Mapping[str, Any]) -> Settings:
    settings = _adapter().validate_python({**machine.default, **own, **machine.locked})
    if machine.shut or machine.unrecorded:
        settings = replace(settings, policy="")
    return settings


def _is_machines(key: str) -> bool:
    return key in SETTINGS and SETTINGS[key].scope is Scope.MACHINE


# --- the user's file, written ------------------------------------------------------------------------


def save_settings(folder: Path, settings: Settings) -> None:
    """Written whole or not at all: what differs from the built-in settings. Raises SettingsError if the folder cannot be
    written."""
    _write(folder / FILE, "", _changes(Settings(), settings))


def save_changes(folder: Path, before: InForce, wanted: Settings) -> None:
    """Into the user's file, what the user has changed and nothing else: the organisation's next default still reaches the
    rest. Raises SettingsError for what is locked, and as `save_settings`."""
    changes = _changes(before.settings, wanted)
    for key, value in changes.items():
        before.machine.refuse(key)
        if value is None and key in before.machine.default:
            changes[key] = SYSTEM  # else the organisation's default would be back
    path = folder / FILE
    try:
        text = _text(path) or ""
        _adapter().validate_python({key: one for key, one in tomllib.loads(text).items() if not _is_machines(key)})
    except (SettingsError, ValueError, RecursionError):
        text = ""  # it is not in force either
    _write(path, text, changes)


def write_value(folder: Path, held: InForce, key: str, value: Any) -> None:
    """Into the user's file, also what holds already: it is the user's word then. None takes the user's word back. Raises
    SettingsError for what is locked, and as `save_settings`."""
    held.machine.refuse(key)
    _write(folder / FILE, _text(folder / FILE) or "", {key: value})


def set_aside(folder: Path) -> Path:
    """Move a faulty file out of the way, under a name that says so, and return that name."""
    path, aside = folder / FILE, folder / ASIDE
    with suppress(FileNotFoundError):
        aside.replace(folder / f"settings.faulty-{int(aside.stat().st_mtime)}.toml")
    replace_file(path, aside)
    return aside


def _changes(before: Settings, wanted: Settings) -> dict[str, Any]:
    """By key; None: as if it had never been set."""
    names = [one.name for one in fields(Settings)]
    changed = [name for name in names if getattr(before, name) != getattr(wanted, name)]
    plain = asdict(wanted)
    return {name: [dict(one) for one in plain[name]] if name == "accounts" else plain[name] for name in changed}


def _write(path: Path, text: str, changes: Mapping[str, Any]) -> None:
    """What else stands in `text`, comments included, stays as it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(_edited(text, changes), encoding="utf-8")
        replace_file(fresh, path)
    except OSError as error:
        raise SettingsError("error.settings.unwritable", path=str(path), detail=error.strerror or "") from None


def _edited(text: str, changes: Mapping[str, Any]) -> str:
    import tomlkit  # every process reads settings, few write them

    document: Any = tomlkit.parse(text)
    for key, value in changes.items():
        if value is None:
            document.pop(key, None)
        elif key == "accounts":
            _edit_accounts(document, value)
        else:
            document[key] = _plain(value)
    edited: str = tomlkit.dumps(document)  # pyright: ignore[reportUnknownMemberType]
    wanted = {**tomllib.loads(text), **{key: _plain(one) for key, one in changes.items() if one is not None}}
    for key in (key for key, one in changes.items() if one is None):
        wanted.pop(key, None)
    if tomllib.loads(edited) != wanted:  # comments are dear, what is said is dearer
        edited = tomlkit.dumps(wanted)  # pyright: ignore[reportUnknownMemberType]
    return edited


def _edit_accounts(document: Any, wanted: list[dict[str, Any]]) -> None:
    import tomlkit
    from tomlkit.items import Whitespace

    listed: Any = tomlkit.aot()
    known = {str(one["id"]): one for one in document.get("accounts", [])}
    for account in wanted:
        table: Any = known.get(account["id"]) or tomlkit.table()
        for key, value in account.items():
            if table.get(key) != (plain := _plain(value)):
                table[key] = plain
        body = table.value.body
        while body and isinstance(body[-1][1], Whitespace):  # tomlkit puts an empty line there each time
            body.pop()
        listed.append(table)
    if wanted:
        document["accounts"] = listed
    else:
        document.pop("accounts", None)
        document["accounts"] = tomlkit.array()


def _plain(value: Any) -> Any:
    """As TOML has it."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(one) for one in cast("Sequence[Any]", value)]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, Any]", value).items()}
    return value


def account_of(settings: Settings, id: str) -> Account | None:
    return next((one for one in settings.accounts if one.id == id), None)


@cache
def _adapter() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)
