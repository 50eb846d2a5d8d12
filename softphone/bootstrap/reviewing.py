"""The review as the desk has it: whether to offer it, and its window in a process of its own.

It opens no archive, so that no desk carries a database.
"""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from softphone.archive.crypto.ring import KeyPurpose, known_keys
from softphone.archive.folder.marker import MARKER
from softphone.bootstrap.home import Home, key_store
from softphone.bootstrap.program import klartone_command
from softphone.domain.errors import EngineError, KeyringError, SettingsError
from softphone.domain.roles import Role
from softphone.house.membership import HouseFolder
from softphone.processes import DETACHED


def offers_review(home: Home) -> bool:
    """Whether this keyring has a key for training recordings. It asks the keyring, which may take a moment."""
    settings, _ = home.settings(only_look=True)
    folder = home.archive(settings)
    if not (folder / MARKER).exists():
        return False
    try:
        store = key_store(folder)
        return store.demo or any(
            one.purpose is KeyPurpose.TRAINING and store.get(one.private_name) is not None for one in known_keys(store)
        )
    except KeyringError:
        return False


def shares_review(home: Home) -> bool:
    """Whether an agent of a house is here, with whom leads may share."""
    try:
        membership = HouseFolder(home.folders.data).read()
    except SettingsError:
        return False
    return membership is not None and Role.AGENT in membership.roles


class ReviewStarter:
    """Start the review in a process of its own, which outlives this one. One window is enough: both would show the same."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._review: subprocess.Popen[bytes] | None = None

    def __call__(self, *, shared: bool = False) -> None:
        """`shared`: what is shared with who is here, also with a lead. Raises EngineError if it cannot be started, or is open
        already."""
        if self._review is not None and self._review.poll() is None:
            raise EngineError("error.review.open_already")
        self._review = _start_review(self._home, *(("--shared",) if shared else ()))
        # Somebody must ask for its status, or it stays in the system's list of processes.
        threading.Thread(target=self._review.wait, name="review-ends", daemon=True).start()


def _start_review(home: Home, *more: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [*klartone_command(), *(("--home", str(home.root)) if home.root else ()), "review", *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path.home() if Path.home().is_dir() else "/",
            start_new_session=True,
            creationflags=DETACHED,
        )
    except OSError as error:
        raise EngineError("error.review.cannot_start", detail=error.strerror or str(error)) from None
