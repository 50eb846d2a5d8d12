"""Where secrets lie: the system's keyring, or a demo's key file. Both store bytes under a name.

Nothing else in the program stores a secret. A keyring may ask its user, or hang: every call has a deadline. Keys lie there in
base64. A password lies there as it was typed, so that IT may put it there with any tool.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from softphone.domain.errors import KeyringError
from softphone.replacing import replace_file

SERVICE = "klartone"
DEADLINE_SECONDS = 15.0
_REFUSED_MODULES = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt", "keyrings.cryptfile")
_Answer = TypeVar("_Answer")
PASSWORD = "password-"  # noqa: S105 - what a password's name begins with


class SystemKeyring:
    """The system's keyring through `keyring`. All faults are KeyringError: none, locked, refused, timed out.

    `backend`: one of `keyring`'s; None takes the system's, at first need. Calls wait for one another.
    """

    demo = False

    def __init__(self, backend: Any = None, deadline: float = DEADLINE_SECONDS) -> None:
        self._backend = backend
        self._deadline = deadline
        self._turn = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """None if there is no such secret."""
        text = self._ask(lambda backend: backend.get_password(SERVICE, name))
        if text is None:
            return None
        try:
            return _secret(name, text)
        except (ValueError, binascii.Error) as error:
            raise KeyringError("error.keyring.not_ours", name=name) from error

    def set(self, name: str, secret: bytes) -> None:
        text = _text(name, secret)
        self._ask(lambda backend: backend.set_password(SERVICE, name, text))

    def delete(self, name: str) -> None:
        """A missing secret is no fault."""

        def remove(backend: Any) -> None:
            if backend.get_password(SERVICE, name) is not None:
                backend.delete_password(SERVICE, name)

        self._ask(remove)

    def _ask(self, question: Callable[[Any], _Answer]) -> _Answer:
        answers: list[_Answer] = []
        faults: list[Exception] = []

        def work() -> None:
            # A call that came too late still holds the turn; the next waits for it, within its own deadline.
            with self._turn:
                try:
                    if self._backend is None:
                        self._backend = _system_backend()
                    answers.append(question(self._backend))
                except Exception as error:  # noqa: BLE001 - backends raise what their buses raise
                    faults.append(error)

        thread = threading.Thread(target=work, name="keyring", daemon=True)
        thread.start()
        thread.join(self._deadline)
        if faults:
            raise _told(faults[0]) from faults[0]
        if not answers:
            raise KeyringError("error.keyring.timed_out", seconds=round(self._deadline))
        return answers[0]


class DemoKeyFile:
    """A demo's keys in one file that only its user can read. Other archives do not take it."""

    demo = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        with self._lock:
            text = self._read().get(name)
        try:
            return None if text is None else _secret(name, text)
        except (ValueError, binascii.Error) as error:
            raise KeyringError("error.keyring.demo_file", path=str(self.path)) from error

    def set(self, name: str, secret: bytes) -> None:
        with self._lock:
            self._write({**self._read(), name: _text(name, secret)})

    def delete(self, name: str) -> None:
        with self._lock:
            held = self._read()
            if held.pop(name, None) is not None:
                self._write(held)

    def _read(self) -> dict[str, str]:
        try:
            if sys.platform != "win32" and self.path.stat().st_mode & 0o077:
                raise KeyringError("error.keyring.demo_file_open", path=str(self.path))
            held: Any = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except PermissionError as error:
            raise KeyringError("error.keyring.demo_file_denied", path=str(self.path)) from error
        except (OSError, ValueError) as error:
            raise KeyringError("error.keyring.demo_file", path=str(self.path)) from error
        if not isinstance(held, dict):
            raise KeyringError("error.keyring.demo_file", path=str(self.path))
        return {str(name): str(text) for name, text in held.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]

    def _write(self, held: dict[str, str]) -> None:
        new = self.path.with_suffix(".new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(held, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            replace_file(new, self.path)
        except OSError as error:
            raise KeyringError(
                "error.keyring.demo_file_kept", path=str(self.path), detail=error.strerror or ""
            ) from error


def _text(name: str, secret: bytes) -> str:
    return secret.decode() if name.startswith(PASSWORD) else base64.b64encode(secret).decode("ascii")


def _secret(name: str, text: str) -> bytes:
    return text.encode() if name.startswith(PASSWORD) else base64.b64decode(text, validate=True)


def _system_backend() -> Any:
    import keyring
    from keyring import backend, core

    found = _usable(keyring.get_keyring())
    if found is None:
        # `keyring` stays with its first choice. A session's keyring may come up after the program that needs it.
        vars(backend.get_all_keyring).pop("saved_result", None)
        core.init_backend()
        found = _usable(keyring.get_keyring())
    if found is None:
        raise KeyringError("error.keyring.none")
    return found


def _usable(found: Any) -> Any:
    from keyring.backends import chainer

    chained: Any = found.backends if isinstance(found, chainer.ChainerBackend) else [found]
    candidates: list[Any] = list(chained)
    return next((one for one in candidates if not _is_refused(one)), None)


def _is_refused(backend: object) -> bool:
    """Backends that keep nothing, or keep it for everybody to read."""
    kind = type(backend)
    return kind.__module__.startswith(_REFUSED_MODULES) or "plaintext" in kind.__name__.lower()


def _told(error: Exception) -> KeyringError:
    from keyring import errors

    if isinstance(error, KeyringError):
        return error
    if isinstance(error, errors.NoKeyringError | errors.InitError):
        return KeyringError("error.keyring.none")
    if isinstance(error, errors.KeyringLocked):
        return KeyringError("error.keyring.locked")
    return KeyringError("error.keyring.refused", detail=type(error).__name__)
