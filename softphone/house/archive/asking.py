"""Asking the house's service as one person: what each part of its archive shares.

The service judges and logs. Here its answers become values of the domain, and its refusals the errors of the interface.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from softphone.archive.crypto.number_seals import NumberSeal, open_number
from softphone.archive.crypto.wraps import KeyStore, private_name
from softphone.domain.archive.recordings import RecordingRow
from softphone.domain.errors import ArchiveError, HouseError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.house.connection import Connection

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class SealTold:
    role: KeyRole
    key_id: str
    suite: str
    sealed: str


@dataclass(frozen=True, slots=True)
class RowTold:
    """`row` is without its number."""

    row: RecordingRow
    seals: tuple[SealTold, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who the service takes this person for. `session_roles`: whom it could take them for, once they have proved their keys."""

    roles: frozenset[Role]
    session_roles: frozenset[Role]
    keys: dict[KeyRole, tuple[str, ...]]
    agents: tuple[str, ...]
    finds_all: bool
    own_calls: timedelta
    user: str

    @property
    def reaches_back(self) -> Period:
        return Period(days=self.own_calls.days, seconds=self.own_calls.seconds)


_HERE = {"error.archive.only_health": "error.house.only_health"}
"""what is said in other words of a house: its health is looked after on a server"""


def _no_number(_call: str) -> str | None:
    return None


@dataclass
class Asking:
    """For any thread. `number_here`: the party's number of a call that this desk had, which the house does not tell its agent."""

    connection: Connection
    keys: KeyStore
    number_here: Callable[[str], str | None] = field(default=_no_number, repr=False)
    _viewer: Viewer | None = field(default=None, repr=False)

    def get(self, path: str, kind: type[Value]) -> Value:
        """Raises ArchiveError, as all of these do."""
        return self._asked("GET", path, None, kind)

    def post(self, path: str, body: Any, kind: type[Value], method: str = "POST") -> Value:
        return self._asked(method, path, body, kind)

    def tell(self, path: str, body: Any = None, method: str = "POST") -> None:
        """What has no answer."""
        with refusing():
            self.connection.ask(method, path, body)

    def _asked(self, method: str, path: str, body: Any, kind: type[Value]) -> Value:
        with refusing():
            told = self.connection.ask(method, path, body).json
        return understood(told, kind)

    @property
    def viewer(self) -> Viewer:
        """As it was when this was first asked."""
        if self._viewer is None:
            self._viewer = self.get("/v1/viewer", Viewer)
        return self._viewer

    def forget_viewer(self) -> None:
        """More has been proved since."""
        self._viewer = None

    def private_key(self, key_id: str) -> bytes | None:
        return self.keys.get(private_name(key_id))

    def row(self, told: RowTold, *, numbers: bool = True) -> RecordingRow:
        """With its number, where a key here opens it, or this desk had the call."""
        return replace(told.row, number=self._number(told) if numbers else None)

    def _number(self, told: RowTold) -> str | None:
        for one in told.seals:
            if private := self.private_key(one.key_id):
                seal = NumberSeal(one.role, one.key_id, one.suite, decoded(one.sealed))
                if number := open_number(seal, told.row.call, private):
                    return number
        return self.number_here(told.row.call) if told.row.agent in self.viewer.agents else None


@cache
def _adapter(kind: type[Value]) -> TypeAdapter[Value]:
    return TypeAdapter(kind)


def understood(told: Any, kind: type[Value]) -> Value:
    """What a newer service says besides is left out. Raises ArchiveError for what is no such answer."""
    try:
        return _adapter(kind).validate_python(told)
    except ValidationError:
        raise ArchiveError("error.archive.house_answer") from None


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ArchiveError("error.archive.house_answer") from None


@contextmanager
def refusing() -> Generator[None]:
    """What the service refuses, or that it does not answer, as the interface raises it."""
    try:
        yield
    except HouseError as error:
        raise ArchiveError(_HERE.get(error.code, error.code), **error.params) from error


def listed(values: Iterable[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)
