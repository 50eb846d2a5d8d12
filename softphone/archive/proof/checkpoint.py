"""Signed checkpoints of a desk's audit log, and its head: one line that can be printed or sent elsewhere.

What a head says of the log stays true for good: a log in which that entry is another, or is missing, is not the log that it was.
Each names the one before it, and the desk that signs keeps its newest in its keyring: what does not go on from there it does not
sign, so that nobody has it sign a log that they wrote.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, delete, func, insert, select

from softphone.archive.keys.wraps import KeyStore
from softphone.archive.proof.audit import RESTORED, WRITTEN, Break, last
from softphone.archive.tables import audit, audit_begins, checkpoints, time_in
from softphone.domain.errors import ArchiveError, KeyringError

EVERY = 500
"""entries that the desk which signs leaves without a checkpoint, at most"""
_SECONDS = 3_600.0
"""or for so long, while it writes"""
SIGNED = "signed"
"""in a writing connection's `info`: the checkpoint that its transaction makes"""
_NEVER = datetime.min.replace(tzinfo=UTC)
_NAME, _FIRST_NAME = "klartone-head-2", "klartone-head-1"
"""the first said nothing of the checkpoint before it (schema 0009)"""
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
    previous: int | None = None
    """of which entry the checkpoint before it is, 0: there is none; None: by a version that did not say"""
    kind: str = ""

    def __str__(self) -> str:
        return f"{self._told} {self.signature}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Raises ArchiveError."""
        try:
            name, desk, number, digest, at, key, *previous, signature = text.split()
            before = int(*previous) if previous else None
            head = cls(desk, int(number), digest, datetime.fromisoformat(at), key, signature, before)
        except (ValueError, TypeError):
            raise ArchiveError("error.archive.no_head") from None
        if name not in (_NAME, _FIRST_NAME) or str(head) != " ".join(text.split()):
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
        kind = self.kind or (_FIRST_NAME if self.previous is None else _NAME)
        told = f"{kind} {self.desk} {self.number} {self.hash} {self.at.isoformat()} {self.key}"
        return told if self.previous is None else f"{told} {self.previous}"


class Signer:
    """A desk's own key. Its private half lies in the keyring of who made the archive; who was admitted knows the public one,
    and signs nothing."""

    def __init__(
        self,
        desk: str,
        private: bytes | None,
        public: bytes | None = None,
        store: KeyStore | None = None,
        memory: str = "",
    ) -> None:
        """`memory`: the name in `store` under which the newest checkpoint is kept; none: it is not."""
        self.desk = desk
        self._private = Ed25519PrivateKey.from_private_bytes(private) if private is not None else None
        known = self._private.public_key().public_bytes_raw() if self._private else public
        self.key = base64.b64encode(known).decode("ascii") if known else ""
        self._store, self._memory = store, memory
        self.last = self._kept()
        """the newest checkpoint that was signed here, as far as it is known"""
        self._newest = 0
        """of which entry the catalog's newest is, at least"""
        self._since = time.monotonic()
        self._turn = threading.Lock()
        self._keeper: threading.Thread | None = None

    @classmethod
    def of(cls, desk: str, store: KeyStore, folder: Path, *, make: bool = True) -> Signer:
        """The desk's, made at its first use where it is to be, for the archive in `folder`. Raises KeyringError."""
        name = signer_name(desk)
        private = store.get(name)
        if private is None and make:
            private = Ed25519PrivateKey.generate().private_bytes_raw()
            store.set(name, private)
        if private is None:
            return cls(desk, None, store.get(known_signer_name(desk)))
        # A demo's keys lie beside it, for everybody.
        return cls(desk, private) if store.demo else cls(desk, private, None, store, memory_name(desk, folder))

    @property
    def signs(self) -> bool:
        return self._private is not None

    def knows(self, key: str) -> bool:
        """Whether that is this desk's key. Where none is known here, nobody can say that it is not."""
        return key == self.key or not self.key

    def sign(self, connection: Connection, now: datetime, *, every: int = 1) -> Head | None:
        """A checkpoint of the log's last entry, within this transaction, where `every` entries have come since the last one.

        None where that is not so, or there is no key to sign with: then the last checkpoint stands. Nor is a log signed that does
        not go on from what was signed here last: `verify` tells.
        """
        end, kept = _last(connection, self.desk), self.last
        if not self.signs or end is None:
            return None
        if kept is not None and compare(connection, kept):
            if not self.restored_since(connection, kept.at):
                # Not asked again with every entry: it takes a look through the log.
                self._newest, self._since = end[0], time.monotonic()
                return None
            kept = None
        known = next((one.number for one in self.signed(connection) if one.number <= end[0]), 0)
        previous = max(known, kept.number if kept else 0)
        if end[0] - previous < every:
            self._newest = previous
            return None
        head = self._signed(Head(self.desk, *end, now, self.key, "", previous))
        here = (checkpoints.c.desk == self.desk) & (checkpoints.c.number == head.number)
        connection.execute(delete(checkpoints).where(here))
        connection.execute(insert(checkpoints).values({**_row(head), "previous": previous}))
        connection.info[SIGNED] = head
        return head

    def sign_due(self, connection: Connection) -> None:
        """With what this transaction has written to the log, before it is committed: whoever writes, it is soon signed."""
        number = connection.info.get(WRITTEN)
        if number is None or connection.info[SIGNED] is not None:
            return
        late = time.monotonic() - self._since >= _SECONDS
        if late or number - self._newest >= EVERY:
            self.sign(connection, datetime.now(UTC), every=1 if late else EVERY)

    def committed(self, connection: Connection) -> None:
        """What was signed stands: from now on it is known. A keyring is slow, and no call waits for it."""
        head: Head | None = connection.info[SIGNED]
        if head is None or head.key != self.key:
            return
        self.last, self._newest, self._since = head, head.number, time.monotonic()
        if self._store is not None:
            keeper = threading.Thread(target=self._keep, name="checkpoint")
            # No thread to be had: as where the keyring refuses, the one before is remembered.
            with suppress(RuntimeError):
                keeper.start()
                self._keeper = keeper

    def settle(self) -> None:
        """Waits until the keyring has what was signed, or has refused it."""
        if self._keeper is not None:
            self._keeper.join()

    def restored_since(self, connection: Connection, at: datetime) -> bool:
        """Whether an older day was brought back since, by whoever signs, and signed for: it counts, and what went is no fault."""
        this = (audit.c.desk == self.desk) & (audit.c.event == RESTORED) & (func.typeof(audit.c.number) == "integer")
        rows = connection.execute(select(audit.c.number, audit.c.at).where(this)).all()
        restored = [(row.number, when) for row in rows if (when := time_in(row.at)) is not None and when > at]
        # Signed after it: an entry that somebody has dated ahead finds no checkpoint of that day.
        return bool(restored) and any(
            head.at >= when and head.number >= number
            for head in self.signed(connection)
            if not compare(connection, head)
            for number, when in restored
        )

    def signed(self, connection: Connection) -> Iterator[Head]:
        """What this desk has signed of its log, newest first; what somebody put there besides is none of it."""
        mine = (checkpoints.c.desk == self.desk) & (func.typeof(checkpoints.c.number) == "integer")
        for row in connection.execute(select(checkpoints).where(mine).order_by(checkpoints.c.number.desc())):
            head = _head(row)
            if self.knows(head.key) and head.is_signed:
                yield head

    def _keep(self) -> None:
        # One that was left out by a keyring that failed is only older: the log bears it out all the same.
        with self._turn, suppress(KeyringError):
            if self._store is not None:
                self._store.set(self._memory, str(self.last).encode("ascii"))

    def _kept(self) -> Head | None:
        """Raises KeyringError."""
        told = self._store.get(self._memory) if self._store is not None else None
        with suppress(ArchiveError, UnicodeDecodeError):
            head = Head.parse(told.decode("ascii")) if told else None
            if head is not None and head.is_signed and (head.desk, head.key) == (self.desk, self.key):
                return head
        return None

    def begin(self, connection: Connection, head: Head, now: datetime) -> None:
        """The log begins after this entry from now on."""
        begin = self._signed(replace(head, at=now, key=self.key, previous=None, kind=_BEGIN))
        connection.execute(delete(audit_begins).where(audit_begins.c.desk == begin.desk))
        connection.execute(insert(audit_begins).values(_row(begin)))

    def signature(self, told: bytes) -> str:
        """Ed25519, in base64. What is signed says by its first word what it is, so that nothing can stand for another thing.

        Raises ArchiveError: there is no key to sign with.
        """
        if self._private is None:
            raise ArchiveError("error.archive.no_signing_key")
        return base64.b64encode(self._private.sign(told)).decode("ascii")

    def _signed(self, head: Head) -> Head:
        return replace(head, signature=self.signature(head._told.encode("ascii")))


def signer_name(desk: str) -> str:
    return f"checkpoint-{desk}"


def known_signer_name(desk: str) -> str:
    """Under which the public half lies with somebody who was admitted."""
    return f"checkpoint-public-{desk}"


def memory_name(desk: str, folder: Path) -> str:
    """Under which the newest checkpoint lies with whoever signs: by the archive's place, as a copy elsewhere goes its own way."""
    place = os.path.normcase(folder.absolute())
    return f"checkpoint-last-{desk}-{hashlib.sha256(place.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


def heads(connection: Connection) -> Iterator[Head]:
    for row in connection.execute(select(checkpoints).order_by(checkpoints.c.desk, checkpoints.c.number)):
        yield _head(row)


def is_bare(connection: Connection, desk: str) -> bool:
    """Whether there is no checkpoint of its log, although more than an hour lies in it. No fault: who signs may have been away,
    and an engine that was killed has not signed."""
    if connection.execute(select(checkpoints.c.number).where(checkpoints.c.desk == desk).limit(1)).first():
        return False
    asked = select(audit.c.at).where(audit.c.desk == desk).order_by(audit.c.number)
    first, end = connection.execute(asked.limit(1)).scalar(), last(connection, desk)
    began, ended = time_in(first), time_in(end.at) if end else None
    return began is not None and ended is not None and (ended - began).total_seconds() > _SECONDS


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
    return Head(row.desk, row.number, row.hash, _time(row.at), row.key, row.signature, row.previous)


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
