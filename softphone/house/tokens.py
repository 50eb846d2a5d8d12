"""The tokens of one desk, in its keyring. Engine, review and commands are processes of their own and share them.

A refresh token is used up by its use. So one process renews at a time, and the others take what it has put into the keyring.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softphone.domain.errors import NotSignedInError, UnreachableError
from softphone.house.desk_key import Keyring
from softphone.locking import locked

_EARLY = 30.0
"""seconds before its end at which an access token is renewed"""
_WAITS, _LOOKS = 20.0, 0.05
"""seconds for another process that renews"""


def tokens_name(desk: str) -> str:
    """Their name in the keyring."""
    return f"house-tokens-{desk}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """`until`: when the access token ends, in seconds since 1970 by this machine's clock."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: float

    @classmethod
    def told(cls, answer: Any) -> Tokens:
        """As the service gives them. Raises ValueError."""
        try:
            access, refresh, lives = answer["access_token"], answer["refresh_token"], answer["expires_in"]
        except (KeyError, TypeError) as error:
            raise ValueError("no tokens") from error
        if not isinstance(access, str) or not isinstance(refresh, str) or not isinstance(lives, int):
            raise ValueError("no tokens")
        return cls(access, refresh, time.time() + lives)

    def is_fresh(self) -> bool:
        # A clock that was set back makes a token live no longer than any does.
        return 0 < self.until - time.time() - _EARLY < 24 * 3600


class KeptTokens:
    """`lock`: a file that the processes of one home share."""

    def __init__(self, store: Keyring, desk: str, lock: Path) -> None:
        self._store, self._name, self._lock_file = store, tokens_name(desk), lock
        self._turn = threading.Lock()
        self._known: Tokens | None = None

    def keep(self, tokens: Tokens) -> None:
        """Raises KeyringError."""
        told = {"access": tokens.access, "refresh": tokens.refresh, "until": tokens.until}
        self._store.set(self._name, json.dumps(told).encode())
        self._known = tokens

    def forget(self) -> None:
        self._known = None
        self._store.delete(self._name)

    def access(self, renew: Callable[[str], Tokens], refused: str = "") -> str:
        """A token that lives. `renew` takes a refresh token; `refused`: the access token that the service no longer takes.

        Raises NotSignedInError where there is none, UnreachableError where another process renews for too long, what `renew`
        raises, and KeyringError.
        """
        known = self._known
        if known is not None and known.is_fresh() and known.access != refused:
            return known.access
        with self._turn, self._alone():
            known = self._kept()
            if known is None:
                raise NotSignedInError("error.house.not_joined")
            if not known.is_fresh() or known.access == refused:
                # Lost on its way back, the answer comes again: the service gives it for the same refresh token.
                known = renew(known.refresh)
                self.keep(known)
            self._known = known
            return known.access

    def _kept(self) -> Tokens | None:
        raw = self._store.get(self._name)
        try:
            told: Any = json.loads(raw) if raw else None
            return Tokens(str(told["access"]), str(told["refresh"]), float(told["until"])) if told else None
        except (ValueError, KeyError, TypeError):
            return None

    @contextmanager
    def _alone(self) -> Generator[None]:
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        latest = time.monotonic() + _WAITS
        with self._lock_file.open("ab") as file:
            while not locked(file):
                if time.monotonic() > latest:
                    raise UnreachableError("error.house.busy")
                time.sleep(_LOOKS)
            yield
