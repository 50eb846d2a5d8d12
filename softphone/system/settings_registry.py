"""What Group Policy, or an installer, has put into Windows' registry, in the form of a settings file's tables.

Values keep their types: text, numbers (yes is 1, no is 0), lists of texts. A key under one of ours is a table, and `accounts`
a list of them by their numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol, cast

ROOT = r"Software\Policies\Klartone"
FILE_VALUE = "SettingsFile"
"""the path of a settings file for the whole machine"""


class Registry(Protocol):
    """Injectable: the real one is there on Windows alone."""

    def values(self, key: str) -> Mapping[str, object] | None:
        """Of a key below HKEY_LOCAL_MACHINE; None if there is no such key. Raises OSError."""
        ...

    def keys(self, key: str) -> tuple[str, ...]: ...


def values(registry: Registry, key: str) -> dict[str, Any]:
    """By their names in small letters: Windows takes `SettingsFile` and `settingsfile` for the same. Raises OSError."""
    return {name.lower(): one for name, one in (registry.values(key) or {}).items()}


def table(registry: Registry, key: str) -> dict[str, Any]:
    """A key's values, and the accounts below it. Raises OSError."""
    found: dict[str, Any] = values(registry, key)
    for name in registry.keys(key):
        below = f"{key}\\{name}"
        if name.lower() == "accounts":
            numbers = sorted(registry.keys(below), key=lambda one: (len(one), one))
            found["accounts"] = [values(registry, rf"{below}\{one}") for one in numbers]
        else:
            found[name.lower()] = values(registry, below)
    return found


class SystemRegistry:
    """This machine's."""

    def values(self, key: str) -> Mapping[str, object] | None:
        assert sys.platform == "win32"
        import winreg

        found: dict[str, object] = {}
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, _rights()) as opened:
                for n in range(winreg.QueryInfoKey(opened)[1]):
                    name, value, kind = winreg.EnumValue(opened, n)
                    if name:
                        found[name] = cast("object", value) if kind in (1, 4, 7, 11) else _of_no_use(kind)
        except FileNotFoundError:
            return None
        return found

    def keys(self, key: str) -> tuple[str, ...]:
        assert sys.platform == "win32"
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, _rights()) as opened:
                return tuple(winreg.EnumKey(opened, n) for n in range(winreg.QueryInfoKey(opened)[0]))
        except FileNotFoundError:
            return ()


def _rights() -> int:
    assert sys.platform == "win32"
    import winreg

    return winreg.KEY_READ | winreg.KEY_WOW64_64KEY


def _of_no_use(kind: int) -> object:
    """Neither text, number nor list: whatever it is, no setting takes it. REG_EXPAND_SZ would be the user's environment."""
    return {"type": kind}
