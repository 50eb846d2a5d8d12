"""The catalog: SQLite under SQLCipher with a raw key, opened for one writer at a time and any number of readers.

It knows tables and transactions; what a change means is the ledger's, what may be kept the sweep's.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, StaticPool, create_engine, insert, select, text
from sqlalchemy.exc import DatabaseError, PendingRollbackError
from sqlalchemy.util import LRUCache
from sqlcipher3 import dbapi2  # pyright: ignore[reportUnknownVariableType]

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.crypto import slots
from softphone.archive.crypto.slots import Slots
from softphone.archive.folder.disk import DAMAGED, FULL, LINKED, fault, sqlite_uri
from softphone.archive.log import audit
from softphone.archive.log.checkpoint import Signer
from softphone.archive.schema import migrations, tables
from softphone.archive.schema.migrations import HEAD
from softphone.domain.errors import ArchiveError

_dbapi: Any = dbapi2
_COMPILED: LRUCache[Any, Any] = LRUCache(500)
"""each statement's SQL, for all engines of the process: to compile it takes longer than to carry it out"""
_BUSY_MS = 5_000
OLDEST = "0014"
"""archives of unreleased versions before it are not read"""
_INDEX = 1 << 15
"""bytes of that log's index at least"""
UNCHANGED = "immutable=1"
"""nobody can write to it: nothing is written beside it, and its log of pages must be empty"""
_LOOKING = "mode=ro&readonly_shm=1"
"""others may write to it, and this one does not: neither to it nor to what SQLite keeps beside it"""
BROKEN_SEAL = "HMAC verification failed"
"""how what SQLCipher says of a page begins"""
LOCKED = "error.archive.locked"
Fault = (DatabaseError, OSError, sqlite3.Error)


class Catalog:
    """One writer's connection, kept open, for one thread at a time; readers get their own. Raises ArchiveError throughout."""

    def __init__(self, path: Path, key: bytes, how: str = "", *, looks: bool = False) -> None:
        self.path = path
        self._how = how
        self._looks = looks
        self.signer: Signer | None = None
        """signs what is written to the log, where that is due"""
        self._key = key
        self.slots = Slots(path.with_name(slots.FILE), key)
        self._writer = self._engine(readers=False, kept=True)
        self._cutter = self._engine(readers=False, kept=False, waits=False)
        self._reader = self._engine(readers=True, kept=False)
        self._before = self._engine(readers=True, kept=True)

    @classmethod
    def create(cls, path: Path, key: bytes, facts: dict[str, str]) -> Catalog:
        """A new catalog with its tables and `facts` in `meta`."""
        with suppress(OSError):
            # For this user alone, and so is what SQLite puts beside it; where it cannot be made, SQLite says why.
            path.touch(0o600)
        catalog = cls(path, key)
        with catalog._closed_on_failure(), catalog._translated():
            catalog._migrate()
            with catalog.writing() as tx:
                tx.execute(insert(tables.meta), [{"name": name, "value": value} for name, value in facts.items()])
        return catalog

    @classmethod
    def open(cls, path: Path, key: bytes, how: str = "") -> Catalog:
        """An existing catalog, brought up to date. `how`: UNCHANGED, or as others write to it too.

        Raises ArchiveError: another key or no catalog, damaged, locked, of a later version, or a link where SQLite would write.
        """
        if not path.is_file():
            raise ArchiveError("error.archive.no_catalog", path=str(path))
        if not how and _size(path.with_name(f"{path.name}-shm")) < _INDEX and _free(path.parent) < 2 * _INDEX:
            # SQLite would map the index into memory all the same: a part of it for which there is no block ends the process.
            raise ArchiveError(FULL, path=str(path.parent), detail="")
        _check_links(path)
        catalog = cls(path, key, how)
        with catalog._closed_on_failure(), catalog._translated():
            if catalog._known_version() < HEAD:
                catalog._migrate()
        return catalog

    @classmethod
    def look(cls, path: Path, key: bytes) -> Catalog:
        """An existing catalog as it is, also one with an earlier schema. No file is changed, and none is made but an index of
        the log, where a power cut took it.

        A phone of another version may have it open. Raises as `open`.
        """
        if not path.is_file():
            raise ArchiveError("error.archive.no_catalog", path=str(path))
        _check_links(path)
        log, index = (path.with_name(path.name + beside) for beside in ("-wal", "-shm"))
        how = _LOOKING if index.exists() else "mode=ro" if _size(log) else UNCHANGED
        catalog = cls(path, key, how, looks=True)
        with catalog._closed_on_failure(), catalog._translated():
            catalog._known_version()
        return catalog

    def schema_is_earlier(self) -> bool:
        """Than this version's: `open` would bring it up to date. Raises ArchiveError."""
        with self._translated():
            return self._known_version() < HEAD

    def _known_version(self) -> str:
        found = self._version()
        if found is None or not OLDEST <= found <= HEAD:
            raise ArchiveError("error.archive.unknown_version", found=found or "-", known=HEAD)
        return found

    @contextmanager
    def _closed_on_failure(self) -> Generator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._writer.dispose()
        self._cutter.dispose()
        self._reader.dispose()
        self._before.dispose()

    @property
    def is_unchanged(self) -> bool:
        """Opened on a disk that can only be read, where nobody writes to it either."""
        return bool(self._how)

    def _anew(self) -> None:
        """Once that disk can be written, others may write to it: from then on it is opened as everywhere else."""
        if self._how and not self._looks and os.access(self.path.parent, os.W_OK):
            self._how = ""
            self.close()

    @contextmanager
    def writing(self) -> Generator[Transaction]:
        """One transaction, begun at once for writing: a read that turns into a write would be refused when another writes."""
        self._anew()
        with self._translated(), self._writer.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            desk = self.signer.desk if self.signer else ""
            tx = Transaction(connection, desk, self.slots, partial(self._look, self._before))
            try:
                yield tx
                tx.commit(self.signer)
            except BaseException:
                with suppress(*Fault, PendingRollbackError):
                    connection.exec_driver_sql("ROLLBACK")
                self._erase_unnamed(connection, tx.wraps.left(committed=False))
                raise
            self._erase_unnamed(connection, tx.wraps.left(committed=True))

    def is_older(self) -> bool:
        """Than the sealed keys beside it: a copy of an older day was put in its place. Its rows name keys that have gone since,
        and keys that came since are named by none of them. No crash leaves that. Raises ArchiveError."""
        # The file first: others may write meanwhile.
        desk, number = self.slots.log()
        with self.reading() as connection:
            return audit.told(connection, desk) < number

    def erase_unnamed(self) -> None:
        """Whatever a crash left in the wraps' file that no row names is overwritten. Raises ArchiveError."""
        filled = self.slots.filled()
        with self.reading() as connection:
            left = slots.unnamed(connection, filled)
        if left:
            with self._translated(), self._writer.connect() as connection:
                self._erase_unnamed(connection, left)

    def _erase_unnamed(self, connection: Connection, left: set[int]) -> None:
        """Under the lock that whoever names a slot holds. What cannot be erased now is found by the next start."""
        if not left:
            return
        with suppress(ArchiveError, *Fault, PendingRollbackError):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                desk = self.signer.desk if self.signer else ""
                self.slots.erase(slots.unnamed(connection, left), (desk, audit.told(connection, desk)))
            finally:
                connection.exec_driver_sql("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A short look that cannot write, at one moment's state."""
        self._anew()
        with self._translated(), self._look(self._reader) as connection:
            yield connection

    @contextmanager
    def _look(self, engine: Engine) -> Generator[Connection]:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                # Ctrl-C in mid-statement has closed it, and with it what it looked at.
                with suppress(*Fault, PendingRollbackError):
                    connection.exec_driver_sql("ROLLBACK")

    def empty_log(self) -> None:
        """What was deleted is then in no page of the database nor of its log. Where somebody is in the way it stays there, under
        the catalog's key, until the next time: nobody is waited for. For any thread. Raises ArchiveError."""
        with self._translated(), self._cutter.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def meta(self) -> dict[str, str]:
        with self.reading() as connection:
            return {row.name: row.value for row in connection.execute(select(tables.meta))}

    def integrity(self) -> list[str]:
        """SQLCipher's own check of each page's seal, then SQLite's of its structure: what they found."""
        return [*self.seals(), *self._checked("PRAGMA integrity_check")]

    def seals(self) -> list[str]:
        """Each page whose seal does not hold."""
        return self._checked("PRAGMA cipher_integrity_check")

    def _checked(self, asked: str) -> list[str]:
        found: list[str] = []
        try:
            with self.reading() as connection:
                found += (str(row[0]) for row in connection.execute(text(asked)))
        except ArchiveError as error:
            # A page that cannot be read ends the check, and not what it has told before.
            if error.code != DAMAGED:
                raise
            found.append(str(error.params["detail"]))
        return [one for one in found if one != "ok"]

    def _engine(self, *, readers: bool, kept: bool, waits: bool = True) -> Engine:
        patience = _BUSY_MS if waits else 0

        def connect() -> Any:
            connection = _dbapi.connect(
                sqlite_uri(self.path.absolute(), self._how) if self._how else str(self.path),
                timeout=patience / 1000,
                isolation_level=None,
                check_same_thread=False,
                uri=bool(self._how),
            )
            try:
                connection.text_factory = _as_text
                connection.execute("PRAGMA cipher_log_level=NONE")
                connection.execute(f"PRAGMA key=\"x'{self._key.hex()}'\"")
                connection.execute(f"PRAGMA busy_timeout={patience}")
                if readers:
                    connection.execute("PRAGMA query_only=ON")
                else:
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.execute("PRAGMA synchronous=FULL")
                    connection.execute("PRAGMA secure_delete=ON")
                    connection.execute("PRAGMA foreign_keys=ON")
                    connection.execute("PRAGMA temp_store=MEMORY")
            except BaseException:
                connection.close()
                raise
            return connection

        # A pool named by hand: the default for SQLite would keep a connection a thread.
        spoken = _spoken()
        pool = (StaticPool if kept else NullPool)(connect, dialect=spoken.dialect)
        # A fault never carries what was to be written: it may end in a log.
        options = {"compiled_cache": _COMPILED}
        return Engine(pool, spoken.dialect, spoken.url, execution_options=options, hide_parameters=True)

    def _version(self) -> str | None:
        # By the connection that stays: with one that was closed again, as the only one, SQLite would remove its log.
        with self._look(self._before) as connection:
            row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
            return str(row[0]) if row else None

    def _migrate(self) -> None:
        # Only where there is something to do: Alembic takes longer to import than the catalog to open.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        with self.writing() as tx:
            config.attributes["connection"] = tx.connection
            command.upgrade(config, HEAD)

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (DatabaseError, sqlite3.Error, _dbapi.Error) as error:
            cause = getattr(error, "orig", None) or error
            detail = str(cause)
            if any(word in detail for word in ("not a database", "encrypted", "no such table")):
                raise ArchiveError("error.archive.wrong_key", path=str(self.path)) from error
            if "locked" in detail or "busy" in detail:
                raise ArchiveError(LOCKED, path=str(self.path)) from error
            raise fault(self.path, cause) from error


@cache
def _spoken() -> Engine:
    """Its dialect is that of all engines, and has asked SQLCipher's library once what it can. It opens no file."""
    made = create_engine("sqlite://", module=_dbapi, poolclass=NullPool)
    made.connect().close()
    return made


def _as_text(raw: bytes) -> str:
    """What somebody wrote past the program need be no text: it ends no look at all the rest."""
    return raw.decode("utf-8", "replace")


def _check_links(path: Path) -> None:
    """SQLite would write where they lead to."""
    for beside in ("-wal", "-shm"):
        if (log := path.with_name(path.name + beside)).is_symlink():
            raise ArchiveError(LINKED, path=str(log), detail="")


def _free(folder: Path) -> int:
    """Bytes; none are missed where they cannot be counted."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 2 * _INDEX


def _size(path: Path) -> int:
    """Bytes; 0 where there is none, or none that can be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
