"""Where the sealed keys of the wraps lie: records of one size in one file beside the catalog, each written over where it
lies.

A database moves its rows, and leaves copies behind: in pages, and in the blocks of its log of pages. Here nothing moves. A
row of `wraps` names its slot; the record there is sealed once more, under a key of the archive, for that row alone. `wraps`
opens them. If the disk itself moves what is written over (SSD, btrfs), nothing is promised.

Record 0 is no key's: it says how far the log stood in the catalog when the file was last written to, so that an older
catalog shows.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select

from softphone.archive.crypto.wraps import Wrap
from softphone.archive.folder.disk import refused, sync_folder
from softphone.archive.folder.inplace import in_place
from softphone.archive.schema.tables import wraps
from softphone.domain.purpose import KeyRole

FILE = "wraps.bin"
BYTES = 80
"""of what HPKE makes of a data key: 32 bytes of X25519, 32 of the key and a tag of 16"""
RECORD = 128
"""bytes: no record lies in two sectors of a disk, so that a power cut leaves none half written over"""
_NONCE = 12
_SEALED = _NONCE + BYTES + 16
_NEVER = bytes(RECORD)
"""a slot that never held anything: also a hole in the file, or a lost file"""
_ERASED = bytes(RECORD - 1) + b"\1"
"""one that was written over"""
_LOG = b"log"
"""what record 0 is bound to"""
_AT_ONCE = 10_000
"""slots in one statement"""

Found = tuple[str, dict[str, str | int]]
Where = ColumnElement[bool]
LogEnd = tuple[str, int]
"""a desk, and the number of its newest entry that is committed"""


class Slots:
    """The file. Its slots are counted from 1. Methods raise ArchiveError where the disk refuses."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = AESGCM(HKDF(hashes.SHA256(), 32, None, b"klartone archive 1 slots").derive(key))
        self.free: set[int] | None = None
        """slots that were empty when it was last looked; None: not yet"""
        self.erased: set[int] = set()
        """of these, those that were written over, when `filled` was last asked"""

    def read(self, rows: Sequence[Row[Any]]) -> list[bytes | None]:
        """What is sealed for each of these rows of `wraps`; None if its record is empty, or not for it."""
        with self._open("rb") as file:
            return [self._unsealed(row, file) for row in rows]

    def _unsealed(self, row: Row[Any], file: Any) -> bytes | None:
        try:
            file.seek(row.slot * RECORD)
            record = file.read(_SEALED)
            return self._key.decrypt(record[:_NONCE], record[_NONCE:], _bound(row))
        except (InvalidTag, ValueError, TypeError, OverflowError, AttributeError):
            return None

    def write(self, made: Iterable[tuple[int, Wrap]], log: LogEnd) -> None:
        """On the disk when it returns."""
        with self._open("r+b", creates=True) as file:
            self._tell(file, log)
            for slot, one in made:
                self._seal(file, slot, one.sealed, _bound(one))
            file.flush()
            os.fsync(file.fileno())

    def _seal(self, file: Any, slot: int, data: bytes, bound: bytes) -> None:
        nonce = secrets.token_bytes(_NONCE)
        file.seek(slot * RECORD)
        file.write((nonce + self._key.encrypt(nonce, data, bound)).ljust(RECORD, b"\0"))

    def _tell(self, file: Any, log: LogEnd) -> None:
        desk, number = log
        self._seal(file, 0, f"{number} {desk}".encode().ljust(BYTES, b"\0"), _LOG)

    def log(self) -> LogEnd:
        """How far the log stood when this file was last written to. ("", 0): it does not say."""
        with self._open("rb") as file:
            record = file.read(_SEALED)
        try:
            told = self._key.decrypt(record[:_NONCE], record[_NONCE:], _LOG).rstrip(b"\0").decode()
        except (InvalidTag, ValueError):
            return "", 0
        number, _, desk = told.partition(" ")
        return desk, int(number)

    def erase(self, slots: Collection[int], log: LogEnd) -> None:
        """Empty these, on the disk when it returns. It needs no room."""
        if not slots or not self.path.exists():
            return
        with self._open("r+b") as file:
            end = os.fstat(file.fileno()).st_size
            self._tell(file, log)
            for slot in slots:
                if slot * RECORD < end:
                    file.seek(slot * RECORD)
                    file.write(_ERASED)
            file.flush()
            os.fsync(file.fileno())
        if self.free is not None:
            self.free.update(slots)

    def content(self) -> bytes:
        """All of it, for a backup; empty if nothing was ever sealed."""
        with self._open("rb") as file:
            return bytes(file.read())

    def whole(self, rows: Iterable[Row[Any]], data: bytes, before: bytes) -> bytes:
        """`data` of such a file, with what `before` has of these rows whose record is damaged, and was not written over."""
        now, then, made = BytesIO(data), BytesIO(before), bytearray(data)
        for row in rows:
            if self._unsealed(row, now) is not None or self._unsealed(row, then) is None:
                continue
            start, end = row.slot * RECORD, (row.slot + 1) * RECORD
            if data[start:end] != _ERASED:
                made.extend(bytes(max(0, end - len(made))))
                made[start:end] = before[start:end]
        return bytes(made)

    def filled(self) -> set[int]:
        """Every slot that is not empty; and `free` is known from then on."""
        data = self.content()
        slots = [(at // RECORD, data[at : at + RECORD]) for at in range(RECORD, len(data), RECORD)]
        found = {slot for slot, one in slots if one not in (_NEVER, _ERASED)}
        self.free = set(range(1, len(data) // RECORD)) - found
        self.erased = {slot for slot, one in slots if one == _ERASED}
        return found

    def sealed(
        self, connection: Connection, *which: Where, limit: int | None = None
    ) -> list[tuple[Row[Any], bytes | None]]:
        """Rows of `wraps`, by recording and segment, with what is sealed for them; None if that cannot be read."""
        rows = _rows(connection, which, limit)
        return list(zip(rows, self.read(rows), strict=True)) if rows else []

    def faults(self, connection: Connection) -> Iterator[Found]:
        """Wraps whose record has changed, or was written over before a commit that never came, and records that no row
        names: a finding's code and its parameters. Beside a writer, a finding that a second look does not confirm is no
        fault."""
        unread = [row for row, one in self.sealed(connection) if one is None]
        filled = self.filled()
        for row in unread:
            code = "slot_erased" if row.slot in self.erased else "slot_lost"
            yield code, {"recording": row.recording, "segment": row.segment, "role": row.role}
        for slot in sorted(unnamed(connection, filled)):
            yield "slot_unnamed", {"slot": slot}

    @contextmanager
    def _open(self, mode: str, *, creates: bool = False) -> Generator[Any]:
        is_new = creates and not self.path.exists()
        more = os.O_CREAT if creates else 0
        try:
            if mode == "rb" and not self.path.exists():
                # Nothing was ever sealed here.
                with Path(os.devnull).open("rb") as nothing:
                    yield nothing
                return
            with open(self.path, mode, opener=lambda name, flags: in_place(name, flags | more)) as file:
                if is_new:
                    sync_folder(self.path.parent)
                yield file
        except OSError as error:
            raise refused(self.path, error) from error


class Work:
    """What one transaction does in the file, and in the rows of `wraps` that name its slots.

    New records come before its commit (`before`), and what is replaced goes after it (`left`). What is narrowed goes before:
    whatever becomes of the entry, nobody opens it any more.
    """

    def __init__(self, file: Slots, connection: Connection, desk: str) -> None:
        self.file = file
        self.made: dict[int, Wrap] = {}
        self.narrowed: set[int] = set()
        self.replaced: set[int] = set()
        self._connection = connection
        self._desk = desk

    def add(self, made: Iterable[Wrap]) -> None:
        """None of them stands yet; of two for one key and one segment the later counts."""
        new = list({(one.recording, one.segment, one.role, one.key_id): one for one in made}.values())
        if not new:
            return
        filled = dict(zip(self._free(len(new)), new, strict=True))
        self.made |= filled
        rows = [
            {
                "recording": one.recording,
                "segment": one.segment,
                "role": one.role.value,
                "key_id": one.key_id,
                "suite": one.suite,
                "desk": self._desk,
                "slot": slot,
            }
            for slot, one in filled.items()
        ]
        self._connection.execute(insert(wraps), rows)

    def drop(self, *which: Where, replaced: bool = False) -> list[tuple[str, int]]:
        """The places, (recording, segment), whose wraps go. `replaced`: others take their place, so these must not go before
        those stand."""
        gone = self._connection.execute(
            delete(wraps).where(*which).returning(wraps.c.recording, wraps.c.segment, wraps.c.slot)
        ).all()
        for row in gone:
            if self.made.pop(row.slot, None) is None:
                (self.replaced if replaced else self.narrowed).add(row.slot)
        return [(row.recording, row.segment) for row in gone]

    def sealed(self, *which: Where) -> list[tuple[Row[Any], bytes | None]]:
        """As `Slots.sealed`, with what this transaction has made."""
        rows = self.file.sealed(self._connection, *which)
        return [(row, self.made[row.slot].sealed if row.slot in self.made else one) for row, one in rows]

    def emptied(self) -> Sequence[Row[Any]]:
        """Rows whose keys were written over before a commit that never came: nobody can open anything by them.

        If the file itself was lost, its rows stay: it may be put back, and `verify` reports it.
        """
        self.file.filled()
        gone = set(self._connection.execute(select(wraps.c.slot)).scalars()) & self.file.erased
        return _rows(self._connection, (wraps.c.slot.in_(sorted(gone)[:_AT_ONCE]),), None) if gone else []

    def before(self, log: LogEnd) -> None:
        if self.made:
            self.file.write(self.made.items(), log)
        self.file.erase(self.narrowed, log)

    def left(self, *, committed: bool) -> set[int]:
        """Slots that nothing names once it is over."""
        return self.replaced if committed else {*self.made}

    def _free(self, count: int) -> list[int]:
        """Empty slots first, then new ones at the end. Another process may have taken what was empty when it was last looked."""
        if self.file.free is None:
            self.file.filled()
        free, taken_here = self.file.free or set[int](), {*self.made, *self.narrowed, *self.replaced}
        some = sorted(free - taken_here)[: count * 2]
        taken = set(self._connection.execute(select(wraps.c.slot).where(wraps.c.slot.in_(some))).scalars())
        found = [slot for slot in some if slot not in taken][:count]
        free.difference_update(taken, found)
        last = self._connection.execute(select(func.max(wraps.c.slot))).scalar() or 0
        last = max([last, *taken_here, *found])
        return [*found, *range(last + 1, last + 1 + count - len(found))]


def _rows(connection: Connection, which: Sequence[Where], limit: int | None) -> Sequence[Row[Any]]:
    asked: Select[*tuple[Any, ...]] = select(wraps).where(*which).order_by(wraps.c.recording, wraps.c.segment)
    return connection.execute(asked.limit(limit)).all()


def wrap_of(row: Row[Any], sealed: bytes | None) -> Wrap:
    """Raises ValueError for an unknown role. One that cannot be read opens nothing."""
    return Wrap(row.recording, row.segment, KeyRole(row.role), row.key_id, row.suite, sealed or b"")


def unnamed(connection: Connection, filled: Iterable[int]) -> set[int]:
    """Of these slots, those that no row names."""
    these = {*filled}
    asked = select(wraps.c.slot)
    if len(these) <= _AT_ONCE:
        asked = asked.where(wraps.c.slot.in_(these))
    return these - set(connection.execute(asked).scalars())


def _bound(of: Row[Any] | Wrap) -> bytes:
    return "\0".join(map(str, (of.recording, of.segment, str(of.role), of.key_id, of.suite))).encode("utf-8")
