"""A person's keyring in the house on one machine: a file that this person's programs alone are told of.

It is none for real secrets. `keyring` takes it where PYTHON_KEYRING_BACKEND names it, and AT says where it lies.
"""

from __future__ import annotations

import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties

from softphone.system.secrets import PASSWORD, DemoKeyFile

AT = "KLARTONE_TEAM_DEMO_KEYRING"


class FileRing(KeyringBackend):
    """Strings as `SystemKeyring` hands them over: passwords as they are, keys in base64."""

    @properties.classproperty
    def priority(self) -> float:
        """Raises RuntimeError in a process that was told of none: there it is not to be found."""
        if AT not in os.environ:
            raise RuntimeError(AT)
        return 0.1

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._file = DemoKeyFile(path or Path(os.environ[AT]))

    def get_password(self, service: str, username: str) -> str | None:
        kept = self._file.get(_name(username))
        return None if kept is None else kept.decode()

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file.set(_name(username), password.encode())

    def delete_password(self, service: str, username: str) -> None:
        self._file.delete(_name(username))


def _name(username: str) -> str:
    """All of it is text here."""
    return f"{PASSWORD}{username}"
