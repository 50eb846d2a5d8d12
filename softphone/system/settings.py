"""The user's settings, in one TOML file that the engine alone writes. No secret is among them.

A file that cannot be understood is reported whole, each fault with its line and key, and set aside; nothing of it is lost.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from softphone.domain.errors import Param, SettingsError
from softphone.domain.policy import KeyPath, Period, PolicyFault, key_lines
from softphone.domain.policy.faults import in_file_order, line_of, spelled
from softphone.system.toml import broken
from softphone.wire import Account, Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FILE = "settings.toml"
ASIDE = "settings.faulty.toml"
MOST_ACCOUNTS = 7
"""PJSIP has room for 8 and aborts at the next, and one that is being changed takes two for a moment"""
_ADDRESS = re.compile(r"[^@\s:/]+@[^@\s/]+")
_WANTED = {
    "string_type": "text",
    "int_type": "number",
    "int_parsing": "number",
    "int_from_float": "number",
    "bool_type": "yes_no",
    "bool_parsing": "yes_no",
    "tuple_type": "list",
    "dataclass_type": "table",
}


class FaultySettings(SettingsError):  # noqa: N818 - as it is said: the settings are faulty
    """A file that is set aside; `faults` are all that was found in it, in its order."""

    def __init__(self, path: Path, faults: Sequence[PolicyFault]) -> None:
        self.faults = in_file_order(faults)
        places = (" ".join(part for part in (str(one.line or ""), one.key) if part) for one in self.faults)
        super().__init__("error.settings.faulty", path=str(path), aside=ASIDE, places="; ".join(places))


def load_settings(folder: Path) -> Settings:
    """The settings in `folder`; the defaults where there are none yet. Raises SettingsError."""
    return read_settings(folder / FILE)


def read_settings(path: Path) -> Settings:
    """Those in a file, as `load_settings`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except UnicodeDecodeError:
        raise FaultySettings(path, [PolicyFault(1, "", "settings.fault.binary")]) from None
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise SettingsError("error.settings.unreadable", path=str(path), detail=detail) from None
    try:
        return _adapter().validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FaultySettings(path, [broken(text, str(error))]) from None
    except ValidationError as error:
        lines = key_lines(text)
        raise FaultySettings(path, [_fault(one, lines) for one in error.errors(include_url=False)]) from None


def doubts(settings: Settings) -> Iterator[tuple[str, Mapping[str, Param]]]:
    """What stands in them and cannot be used, by its key and as a code with parameters: what else is there is."""
    if not (settings.port == 0 or 1024 <= settings.port <= 65535):
        yield "error.settings.port", {"port": settings.port}
    try:
        ipaddress.ip_address(settings.bind)
    except ValueError:
        yield "error.settings.bind", {"bind": settings.bind}
    try:
        check_accounts(settings.accounts)
    except SettingsError as error:
        yield error.code, error.params
    if settings.backup:
        try:
            check_backup(settings.backup, settings.backup_every)
        except SettingsError as error:
            yield error.code, error.params


def check_accounts(accounts: Sequence[Account]) -> None:
    """Raises SettingsError for an address that is none, or for too many."""
    if len(accounts) > MOST_ACCOUNTS:
        raise SettingsError("error.settings.accounts", most=MOST_ACCOUNTS)
    for account in accounts:
        if not _ADDRESS.fullmatch(account.address):
            raise SettingsError("error.settings.address", address=account.address)


def check_backup(folder: str, every: str) -> Period:
    """How often. Raises SettingsError."""
    if not Path(folder).is_absolute():
        raise SettingsError("error.settings.backup_folder", path=folder)
    try:
        period = Period.parse(every)
    except ValueError:
        raise SettingsError("error.settings.backup_every", every=every) from None
    if period == Period():
        raise SettingsError("error.settings.backup_every", every=every)
    return period


def save_settings(folder: Path, settings: Settings) -> None:
    """Written whole or not at all. Raises SettingsError where the folder cannot be written."""
    import tomlkit  # every process reads settings, few write them

    wanted = {key: value for key, value in asdict(settings).items() if value is not None}
    wanted["accounts"] = [dict(account) for account in wanted["accounts"]]
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(tomlkit.dumps(wanted), encoding="utf-8")  # pyright: ignore[reportUnknownMemberType]
        fresh.replace(path)
    except OSError as error:
        raise SettingsError("error.settings.unwritable", path=str(path), detail=error.strerror or "") from None


def set_aside(folder: Path) -> Path:
    """Puts a faulty file out of the way, under a name that says so, and returns that name."""
    path = folder / FILE
    aside = folder / ASIDE
    path.replace(aside)
    return aside


@cache
def _adapter() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)


def _fault(error: ErrorDetails, lines: Mapping[KeyPath, int]) -> PolicyFault:
    path: KeyPath = error["loc"]
    name, kind = str(path[-1])[:60] if path else "", error["type"]
    params: Mapping[str, Param] = {"name": name}
    match kind:
        case "unexpected_keyword_argument":
            known = [one.name for one in fields(Account if len(path) > 1 else Settings)]
            near = difflib.get_close_matches(name, known, n=1)
            code = "unknown_key_near" if near else "unknown_key"
            params = {"name": name, "near": near[0]} if near else {"name": name, "known": ", ".join(known)}
        case "enum" | "literal_error":
            context: dict[str, Any] = error.get("ctx", {})
            allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
            code, params = "not_one_of", {"value": str(error["input"])[:60], "allowed": allowed}
        case "missing" | "missing_argument":
            code = "missing"
        case _:
            code = f"wanted_{_WANTED.get(kind, 'other')}"
    return PolicyFault(line_of(lines, path), spelled(path), f"policy.fault.{code}", params)
