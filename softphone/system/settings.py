"""The user's settings, in one TOML file that the engine alone writes. No secret is among them.

A file that cannot be understood is reported whole, with each key, and set aside; nothing of it is lost.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import asdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from softphone.domain.errors import SettingsError
from softphone.wire import Settings

FILE = "settings.toml"


def load_settings(folder: Path) -> Settings:
    """The settings in `folder`; the defaults where there are none yet. Raises SettingsError."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("error.settings.unreadable", path=str(path), detail=type(error).__name__) from None
    try:
        return _adapter().validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("error.settings.no_toml", path=str(path), detail=str(error)) from None
    except ValidationError as error:
        keys = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise SettingsError("error.settings.faulty", path=str(path), detail=keys) from None


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
    aside = folder / "settings.faulty.toml"
    path.replace(aside)
    return aside


@cache
def _adapter() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)
