"""Where things lie: the program's own data, and the user's folders. Only this module knows.

It finds folders and makes them; it does not know their contents.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

_NAME = "klartone"


def program_folder(name: Literal["plugins", "resources"]) -> Path:
    """The program's own data: beside the package in a checkout, inside it in a wheel, unpacked in a frozen program.

    Raises FileNotFoundError if the installation is not whole.
    """
    package = Path(__file__).resolve().parent.parent
    unpacked: str | None = getattr(sys, "_MEIPASS", None)
    homes = ([Path(unpacked)] if unpacked else []) + [package / "_data", package.parent]
    for home in homes:
        if (home / name).is_dir():
            return home / name
    raise FileNotFoundError(name)


def is_there(path: Path) -> bool:
    """Like `Path.exists`, but without raising in a folder that this user may not enter: for them it does not exist."""
    return os.access(path, os.F_OK)


def is_below(name: str) -> bool:
    """Whether that name, from whoever it comes, leads to a file below the folder it is taken from, on any system."""
    parts = name.replace("\\", "/").split("/")
    return len(name) <= 200 and all(one not in ("", ".", "..") and ":" not in one and "\0" not in one for one in parts)


@dataclass(frozen=True, slots=True)
class UserFolders:
    """A user's folders. `archive` holds recordings, `runtime` sockets and secrets of a session, `cache` spoken notices."""

    config: Path
    data: Path
    archive: Path
    cache: Path
    runtime: Path
    log: Path

    @classmethod
    def standard(cls) -> UserFolders:
        """As the system has them."""
        found = platformdirs.PlatformDirs(_NAME, appauthor=False)
        return cls(
            config=found.user_config_path,
            data=found.user_data_path,
            archive=found.user_data_path / "archive",
            cache=found.user_cache_path,
            runtime=_runtime(found),
            log=found.user_log_path,
        )

    @classmethod
    def within(cls, folder: Path) -> UserFolders:
        """All of them in one folder, for a demo that touches nothing of the user's."""
        parts = (folder / part for part in ("config", "data", "archive", "cache", "runtime", "log"))
        return cls(*parts)

    def create(self) -> None:
        """Make the missing ones, for this user alone. Raises OSError."""
        for folder in (self.config, self.data, self.archive, self.cache, self.runtime, self.log):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _runtime(found: platformdirs.PlatformDirs) -> Path:
    """The session's own folder, if there is one; else one of the user's, never a name that others could take in /tmp."""
    if sys.platform in ("win32", "darwin"):
        return found.user_runtime_path
    session = os.environ.get("XDG_RUNTIME_DIR", "")
    if session and Path(session).is_dir() and os.access(session, os.W_OK):
        return Path(session) / _NAME
    return found.user_data_path / "run"
