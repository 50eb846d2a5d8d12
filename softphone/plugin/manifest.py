"""A plugin's plugin.toml, read before any of its code, and the list of allowed plugins."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from softphone.domain.errors import KlartoneError
from softphone.domain.policy.fields import BothLanguages
from softphone.plugin.contract import HOOKS

BUNDLED = ("datatilsynet", "espeak_voice")
"""the plugins that are allowed unless settings say otherwise"""

_MANIFEST = "plugin.toml"
_LARGEST = 64_000


class PluginError(KlartoneError):
    """A plugin that cannot be used: missing, not allowed, or its plugin.toml is faulty."""


class Manifest(BaseModel):
    """What a plugin says of itself. `api` is the version of the hooks that it was written for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    name: BothLanguages
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+(?:\.\d+)?$")]
    api: Literal[1]
    hooks: Annotated[tuple[Literal["decide", "notice_text", "judge_notice", "speak"], ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Plugin:
    """An allowed plugin: its manifest and the folder its code lies in."""

    manifest: Manifest
    folder: Path

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def release(self) -> str:
        """its name in a log: `datatilsynet 1.0`"""
        return f"{self.id} {self.manifest.version}"


def read_plugin(folder: Path) -> Plugin:
    """The plugin in `folder`, without running its code. Raises PluginError if it is not one."""
    try:
        with (folder / _MANIFEST).open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise ValueError
        manifest = Manifest.model_validate(tomllib.loads(raw.decode("utf-8-sig")))
    except OSError:
        raise PluginError("error.plugin.missing", plugin=folder.name) from None
    except (ValueError, RecursionError, ValidationError):
        raise PluginError("error.plugin.manifest", plugin=folder.name) from None
    if manifest.id != folder.name:
        raise PluginError("error.plugin.manifest", plugin=folder.name)
    return Plugin(manifest, folder)


def allowed_plugins(
    folders: Sequence[Path], allowed: Iterable[str] = BUNDLED
) -> tuple[tuple[Plugin, ...], tuple[PluginError, ...]]:
    """The allowed plugins found in `folders` (each holds a folder per plugin; the first match wins), and the faults of the
    others. A plugin that is not on the list is not even looked at."""
    found: list[Plugin] = []
    faults: list[PluginError] = []
    for name in dict.fromkeys(allowed):
        places = [folder / name for folder in folders if (folder / name / _MANIFEST).is_file()]
        try:
            found.append(read_plugin(places[0] if places else Path(name)))
        except PluginError as fault:
            faults.append(fault)
    return tuple(found), tuple(faults)


def offering(plugins: Iterable[Plugin], hook: str) -> Plugin | None:
    """The first plugin that offers `hook`."""
    assert hook in HOOKS
    return next((plugin for plugin in plugins if hook in plugin.manifest.hooks), None)
