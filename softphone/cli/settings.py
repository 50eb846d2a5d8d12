"""`klartone settings`: what holds and who says so, one value changed, and what is wrong with a file."""

from __future__ import annotations

import argparse
import difflib
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import printable
from softphone.bootstrap.running import tell_of_settings
from softphone.cli.tables import show_table
from softphone.domain.errors import SettingsError
from softphone.system.settings import FILE, FaultySettings, InForce, Origin, doubts_in, write_value
from softphone.system.settings_machine import (
    FOLDER,
    TABLES,
    MachineFault,
    MachineSettings,
    machine_settings,
    with_file,
)
from softphone.system.settings_schema import SCHEMA, SETTINGS, Setting, machine_doubts
from softphone.texts import Texts, plain
from softphone.wire.snapshot import Account

if TYPE_CHECKING:
    from softphone.domain.policy import PolicyFault

_YES = ("true", "yes", "on", "1", "ja", "til")
_NO = ("false", "no", "off", "0", "nej", "fra")


def settings_show(arguments: argparse.Namespace) -> int:
    """All settings, or one, as they hold. Status 1 if a file is faulty: what is shown holds all the same."""
    home, tell = Home.of(arguments), texts()
    held, said = home.settings_in_force(only_look=True)
    wanted = [_known(arguments.key)] if arguments.key else SCHEMA
    if arguments.json:
        found = {one.key: as_json(home, held, one.key) for one in wanted}
        print(json.dumps(found, ensure_ascii=False, indent=2))  # noqa: T201
    else:
        rows = [(one.key, shown(getattr(held.settings, one.key)), _whose(home, held, one.key, tell)) for one in wanted]
        show_table([row if arguments.origin else row[:2] for row in rows])
    faults = [tell(said.code, **said.params)] if said else []
    faults += [machine_fault_at_its_place(one, tell) for one in held.machine.faults]
    _tell_faults(faults)
    return 1 if faults else 0


def settings_set(arguments: argparse.Namespace) -> int:
    """One value into the user's own file. Raises SettingsError for a value that cannot be used, and for a locked one."""
    home, tell = Home.of(arguments), texts()
    setting = _known(arguments.key)
    if setting.kind == "accounts":
        raise SettingsError("error.settings.by_account", key=setting.key)
    held, said = home.settings_in_force(only_look=True)
    held.machine.refuse(setting.key)
    if said is not None and said.code != "error.settings.set_aside":
        raise SettingsError("error.settings.mend_first", path=str(home.folders.config / FILE))
    value = None if arguments.default else _parsed(setting, arguments.value)
    if setting.key == "archive":
        wanted = replace(held.settings, archive=value or held.machine.default.get("archive", ""))
        # Here alone: the house's service takes from this module too, and has none of what an archive needs.
        from softphone.bootstrap.house import refuse_to_move

        refuse_to_move(home, home.archive(held.settings), home.archive(wanted))
    write_value(home.folders.config, held, setting.key, value)
    held, _ = home.settings_in_force(only_look=True)
    _tell(tell("settings.set", key=setting.key, value=shown(getattr(held.settings, setting.key))))
    if value and (missing := _missing(setting, Path(str(value)))):
        _tell(tell("settings.set.missing", path=str(missing)))
    tell_when(home, tell, setting.key)
    return 0


def settings_check(arguments: argparse.Namespace) -> int:
    """All faults of a file, or of all that holds on this machine for this user. Status 1 if there is one."""
    home, tell = Home.of(arguments), texts()
    if arguments.file is not None:
        faults = _faults_of_file(arguments.file, tell)
        checked = str(arguments.file)
    else:
        machine = machine_settings()
        own = home.folders.config / FILE
        faults = [*(machine_fault_at_its_place(one, tell) for one in machine.faults), *_own_faults(own, tell)]
        places: list[str] = [*dict.fromkeys(machine.places.values()), *([str(own)] if own.exists() else [])]
        checked = ", ".join(places) or tell("settings.check.nothing")
    _tell_faults(faults)
    if not faults:
        _tell(tell("settings.check.good", places=checked))
    return 1 if faults else 0


def tell_when(home: Home, tell: Texts, key: str) -> None:
    """Have the phone that runs take it up, and say when it does; nothing if none runs."""
    told = tell_of_settings(home.folders.runtime)
    if told is not None:
        _tell(tell("settings.set.soon" if told and SETTINGS[key].live else "settings.set.running"))


def shown(value: Any) -> str:
    """On one line, as the file would say it; a dash for nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        listed = cast("tuple[str | Account, ...]", value)
        return ", ".join(one if isinstance(one, str) else f"{one.id} {one.address}" for one in listed) or "–"
    return "–" if value in (None, "") else str(value)


def _missing(setting: Setting, place: Path) -> Path | None:
    """What must be there for this value to work, and is not. An archive is made with all its folders, a backup with its own."""
    if setting.key == "archive" or not (setting.whole_path or setting.key == "backup"):
        return None
    needed = place.parent if setting.key == "backup" else place
    return None if needed.exists() else needed


def _known(key: str) -> Setting:
    if key in SETTINGS:
        return SETTINGS[key]
    near = difflib.get_close_matches(key, SETTINGS, n=1)
    if near:
        raise SettingsError("error.settings.no_key_near", key=key[:60], near=near[0])
    raise SettingsError("error.settings.no_key", key=key[:60])


def _parsed(setting: Setting, word: str) -> Any:
    """As the file would hold it. Raises SettingsError."""
    from softphone.system.settings_faults import own_faults

    value: Any = word
    match setting.kind:
        case "number":
            try:
                value = int(word)
            except ValueError:
                raise SettingsError("error.settings.no_number", key=setting.key, value=word[:60]) from None
        case "yes_no":
            value = word.lower() in _YES if word.lower() in (*_YES, *_NO) else word
        case "list":
            value = [one.strip() for one in word.split(",") if one.strip()]
        case _:
            pass
    for fault in own_faults({setting.key: value}, {}):
        raise SettingsError(fault.code, **fault.params)
    # A path would begin where the command is typed, and the phone's where it is started.
    for _, code, params in machine_doubts({setting.key: value}):
        raise SettingsError(code, **params)
    return value


def as_json(home: Home, held: InForce, key: str) -> dict[str, Any]:
    value = getattr(held.settings, key)
    if isinstance(value, tuple):
        listed = cast("tuple[str | Account, ...]", value)
        value = [one if isinstance(one, str) else asdict(one) for one in listed]
    origin = held.origin(key)
    place = str(home.folders.config / FILE) if origin is Origin.USER else held.place(key)
    locked = bool(held.machine.lock_of(key))
    return {"value": value, "origin": origin.value, "place": place or None, "locked": locked}


def _whose(home: Home, held: InForce, key: str, tell: Texts) -> str:
    origin = held.origin(key)
    place = str(home.folders.config / FILE) if origin is Origin.USER else held.place(key)
    return tell(f"settings.origin.{origin}", place=place)


def _faults_of_file(path: Path, tell: Texts) -> list[str]:
    """Of an organisation's file if it has one of its tables, else of a user's."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        tables = {}
    if any(name in tables for name in TABLES):
        machine = with_file(MachineSettings(), path, needed=True, trusted=not path.is_relative_to(FOLDER))
        return [machine_fault_at_its_place(one, tell) for one in machine.faults]
    return _own_faults(path, tell, needed=True)


def _own_faults(path: Path, tell: Texts, *, needed: bool = False) -> list[str]:
    if needed and not path.exists():
        return [tell("error.settings.no_file", path=str(path))]
    try:
        faults: Sequence[PolicyFault] = doubts_in(path)
    except FaultySettings as error:
        faults = error.faults
    except SettingsError as error:
        return [tell.error(error)]
    return [f"{path}: {fault_at_its_place(one, tell)}" for one in faults]


def fault_at_its_place(fault: PolicyFault, tell: Texts) -> str:
    """Its line, its key, and what to do. No row of the guideline stands behind a setting."""
    sentence = tell(fault.code, **fault.params)
    if fault.line is None:
        return printable(tell("policy.at_key", key=fault.key, sentence=sentence) if fault.key else sentence)
    code = "policy.at" if fault.key else "policy.at_line"
    return printable(tell(code, line=fault.line, key=fault.key, sentence=sentence))


def machine_fault_at_its_place(one: MachineFault, tell: Texts) -> str:
    """As above, with its file or the registry's key."""
    return f"{one.place}: {fault_at_its_place(one.fault, tell)}"


def _tell_faults(faults: Iterable[str]) -> None:
    for one in faults:
        _tell(one)


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
