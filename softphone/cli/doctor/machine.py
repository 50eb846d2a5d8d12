"""What the checks look at: this user's folders and settings, the phone if one runs, and what its servers answered.

Each is found out once, by the first check that asks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from softphone.bootstrap.home import Home, forget_misleading, key_store

if TYPE_CHECKING:
    from softphone.archive.crypto.wraps import KeyStore
    from softphone.bootstrap.running import Seen
    from softphone.cli.doctor.servers import Asked

KEYRING_WITHIN = 5.0
_Found = TypeVar("_Found")


class Once(Generic[_Found]):
    """Found by the first who asks; the others wait for it."""

    def __init__(self, find: Callable[[], _Found]) -> None:
        self._find = find
        self._turn = threading.Lock()
        self._found: list[_Found] = []

    def __call__(self) -> _Found:
        with self._turn:
            if not self._found:
                self._found.append(self._find())
            return self._found[0]


class Machine:
    """`keys`: those to ask in place of the system's."""

    def __init__(self, home: Home, keys: KeyStore | None = None) -> None:
        self.home = home
        self.held, _ = home.settings_in_force(only_look=True)
        self.settings = self.held.settings
        self.running: Once[Seen | None] = Once(self._running)
        self.servers: Once[list[Asked]] = Once(self._servers)
        """each account's, or what is known of it"""
        forget_misleading(self.held)
        self.environment: Mapping[str, str] = os.environ
        """what may say where names lead, as for the phone"""
        self.keys = keys or _impatient(key_store(self.archive))

    @property
    def archive(self) -> Path:
        return self.home.archive(self.settings)

    def _servers(self) -> list[Asked]:
        from softphone.cli.doctor.servers import ask_all

        return ask_all(self.settings.accounts, self.keys, self.environment, log_in=self.running() is None)

    def _running(self) -> Seen | None:
        from softphone.bootstrap.running import look_at_running

        return look_at_running(self.home.folders.runtime)


def _impatient(keys: KeyStore) -> KeyStore:
    """A keyring that asks its user, or hangs, must not cost the other findings."""
    from softphone.system.secrets import SystemKeyring

    return SystemKeyring(deadline=KEYRING_WITHIN) if isinstance(keys, SystemKeyring) else keys
