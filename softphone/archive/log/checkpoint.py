"""Signed checkpoints of a desk's audit log, and its head: one line that can be printed or sent elsewhere.

What a head says of the log stays true for good: a log in which that entry is another, or is missing, is not the log that it was.
Whoever holds the desk's own key can sign another log: a head that is kept elsewhere shows it (ADR 028).
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, delete, func, insert, select

from softphone.archive.crypto.wraps import KeyStore, signer_name
from softphone.archive.log.audit import Break, last
from softphone.archive.schema.tables import audit, audit_begins, checkpoints, time_in
from softphone.domain.errors import ArchiveError

EVERY = 500
"""entries that the desk which signs leaves without a checkpoint, at most"""
_SECONDS = 3_600.0
"""or for so long, while it writes"""
_NEVER = datetime.min.replace(tzinfo=UTC)
_NAME = "klartone-head-1"
_BEGIN = "klartone-begin-1"
"""signed under another name, so that no head can be made a beginning: only the desk can say that what was before has gone"""


@dataclass(frozen=True, slots=True)
class Head:
    """Entry `number` of `desk`'s log had `hash` at `at`, and the holder of `key` (Ed25519, base64) says so."""

    desk: str
    number: int
    hash: str
    at: datetime
    key: str
    signature: str
    kind: str = _NAME

    def __str__(self) -> str:
        return f"{self._told} {self.signature}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Raises ArchiveError."""
        try:
            name, desk, number, digest, at, key, signature = text.split()
            head = cls(desk, int(number), digest, datetime.fromisoformat(at), key, signature)
        except (ValueError, TypeError):
            raise ArchiveError("error.archive.no_head") from None
        if name != _NAME or str(head) != " ".join(text.split()):
            raise ArchiveError("error.archive.no_head")
        return head

    @property
    def is_signed(self) -> bool:
        """Whether its own key has signed it. Whose key that is, is another question."""
        try:
            key = Ed25519PublicKey.from_public_bytes(_exactly(self.key))
            key.verify(_exactly(self.signature), self._told.encode("ascii"))
        except (InvalidSignature, binascii.Error, ValueError, TypeError, AttributeError):
            return False
        return True

    @property
    def _told(self) -> str:
        return f"{self.kind} {self.desk} {self.number} {self.hash} {self.at.isoformat()} {self.key}"


class Signer:
    """A desk's own key. Its private half lies in the keyring; none: where one only looks, and nothing has been signed yet."""

    def __init__(self, desk: str, private: bytes | None) -> None:
        self.desk = desk
        self._private = Ed25519PrivateKey.from_private_bytes(private) if private is not None else None
        self.key = (
            base64.b64encode(self._private.public_key().public_bytes_raw()).decode("ascii") if self._private else ""
        )
        self._newest = 0
        """of which entry the catalog's newest is, as far as this process knows"""
        self._since = time.monotonic()

    @classmethod
    def of(cls, desk: str, store: KeyStore, *, make: bool = True) -> Signer:
        """The desk's, made at its first use where it is to be. Raises KeyringError."""
        name = signer_name(desk)
        private = store.get(name)
        if private is None and make:
            private = Ed25519PrivateKey.generate().private_bytes_raw()
            store.set(name, private)
        return cls(desk, private)

    def knows(self, key: str) -> bool:
        """Whether that is this desk's key. Where none is known here, nobody can say that it is not."""
        return key == self.key or not self.key

    def sign(self, connection: Connection, now: datetime, *, every: int = 1) -> Head | None:
        """A checkpoint of the log's last entry, within this transaction, where `every` entries have come since the last one.

        None where that is not so: then the last checkpoint stands.
        """
        end = _last(connection, self.desk)
        if end is None:
            return None
        before = next((one.number for one in self.signed(connection) if one.number <= end[0]), 0)
        self._newest, self._since = before, time.monotonic()
        if end[0] - before < every:
            return None
        head = self._signed(Head(self.desk, *end, now, self.key, ""))
        here = (checkpoints.c.desk == self.desk) & (checkpoints.c.number == head.number)
        connection.execute(delete(checkpoints).where(here))
        connection.execute(insert(checkpoints).values(_row(head)))
        self._newest = head.number
        return head

    def sign_due(self, connection: Connection) -> None:
        """With what this transaction has written to the log, before it is committed: whoever writes, it is soon signed."""
        end = _last(connection, self.desk)
        late = time.monotonic() - self._since >= _SECONDS
        if end is not None and (late or end[0] - self._newest >= EVERY):
            self.sign(connection, datetime.now(UTC), every=1 if late else EVERY)

    def signed(self, connection: Connection) -> Iterator[Head]:
        """What this desk has signed of its log, newest first; what somebody put there besides is none of it."""
        mine = (checkpoints.c.desk == self.desk) & (func.typeof(checkpoints.c.number) == "integer")
        for row in connection.execute(select(checkpoints).where(mine).order_by(checkpoints.c.number.desc())):
            head = _head(row)
            if self.knows(head.key) and head.is_signed:
                yield head

    def begin(self, connection: Connection, head: Head, now: datetime) -> None:
        """The log begins after this entry from now on."""
        begin = self._signed(replace(head, at=now, key=self.key, kind=_BEGIN))
        connection.execute(delete(audit_begins).where(audit_begins.c.desk == begin.desk))
        connection.execute(insert(audit_begins).values(_row(begin)))

    def signature(self, told: bytes) -> str:
        """Ed25519, in base64. What is signed says by its first word what it is, so that nothing can stand for another thing."""
        if self._private is None:
            raise ValueError("who only looks signs nothing")
        return base64.b64encode(self._private.sign(told)).decode("ascii")

    def _signed(self, head: Head) -> Head:
        return replace(head, signature=self.signature(head._told.encode("ascii")))


def heads(connection: Connection) -> Iterator[Head]:
    for row in connection.execute(select(checkpoints).order_by(checkpoints.c.desk, checkpoints.c.number)):
        yield _head(row)


def begins(connection: Connection) -> dict[str, Head]:
    """After which entry a desk's log begins, where its first part has gone."""
    return {
        row.desk: Head(row.desk, _number(row.number), row.hash, _time(row.at), row.key, row.signature, kind=_BEGIN)
        for row in connection.execute(select(audit_begins))
    }


def compare(connection: Connection, head: Head) -> Break | None:
    """What is no longer as a head says: the entry is another (`changed`), or the log ends before it (`cut_off`).

    Of entries that have gone in their time nothing can be told any more, but for the last of them. A beginning that is not as it
    was signed excuses nothing.
    """
    begin = begins(connection).get(head.desk)
    if begin is not None and head.number <= begin.number and head.key in ("", begin.key) and begin.is_signed:
        differs = head.number == begin.number and head.hash != begin.hash
        return Break(head.desk, head.number, "changed") if differs else None
    this = (audit.c.desk == head.desk) & (audit.c.number == head.number)
    found = connection.execute(select(audit.c.hash).where(this)).scalar()
    if found == head.hash:
        return None
    end = _last(connection, head.desk)
    if found is None and (end is None or end[0] < head.number):
        return Break(head.desk, (end[0] if end else 0) + 1, "cut_off")
    return Break(head.desk, head.number, "changed" if found else "missing")


def _head(row: Row[Any]) -> Head:
    return Head(row.desk, row.number, row.hash, _time(row.at), row.key, row.signature)


def _row(head: Head) -> dict[str, str | int]:
    return {
        "desk": head.desk,
        "number": head.number,
        "hash": head.hash,
        "at": head.at.isoformat(),
        "key": head.key,
        "signature": head.signature,
    }


def _exactly(text: str) -> bytes:
    """What base64 says, in the one spelling that it has. Raises ValueError for any other."""
    told = base64.b64decode(text, validate=True)
    if base64.b64encode(told) != text.encode("ascii"):
        raise ValueError(text)
    return told


def _number(number: object) -> int:
    """A row's number; where somebody changed it, one that nobody has signed for."""
    return number if isinstance(number, int) else 0


def _time(text: object) -> datetime:
    """A row's time; where somebody changed it, one that nobody has signed for."""
    at = time_in(text)
    return at if at is not None and at.isoformat() == text else _NEVER


def _last(connection: Connection, desk: str) -> tuple[int, str] | None:
    row = last(connection, desk)
    return (row.number, row.hash) if row else None
