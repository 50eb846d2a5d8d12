"""The catalog: SQLite under SQLCipher with a raw key, opened for one writer at a time and any number of readers.

It knows tables and transactions; what a change means is the ledger's, what may be kept the sweep's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, StaticPool, create_engine, insert, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlcipher3 import dbapi2  # pyright: ignore[reportUnknownVariableType]

from softphone.archive import tables
from softphone.archive.migrations import HEAD
from softphone.domain.errors import ArchiveError

_dbapi: Any = dbapi2
_BUSY_MS = 5_000
Fault = (DatabaseError, OSError, sqlite3.Error)


class Catalog:
    """One writer's connection, kept open, for one thread at a time; readers get their own. Raises ArchiveError throughout."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key
        self._writer = self._engine(readers=False)
        self._reader = self._engine(readers=True)

    @classmethod
    def create(cls, path: Path, key: bytes, facts: dict[str, str]) -> Catalog:
        """A new catalog with its tables and `facts` in `meta`."""
        with suppress(OSError):
            # For this user alone, and so is what SQLite puts beside it; where it cannot be made, SQLite says why.
            path.touch(0o600)
        catalog = cls(path, key)
        with catalog._translated():
            catalog._migrate()
            with catalog.writing() as connection:
                connection.execute(
                    insert(tables.meta), [{"name": name, "value": value} for name, value in facts.items()]
                )
        return catalog

    @classmethod
    def open(cls, path: Path, key: bytes) -> Catalog:
        """An existing catalog, brought up to date. Raises ArchiveError: another key or no catalog, locked, of a later version."""
        if not path.is_file():
            raise ArchiveError("error.archive.no_catalog", path=str(path))
        catalog = cls(path, key)
        with catalog._translated():
            found = catalog._version()
            if found is None or found > HEAD:
                raise ArchiveError("error.archive.unknown_version", found=found or "-", known=HEAD)
            if found < HEAD:
                catalog._migrate()
        return catalog

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One transaction, begun at once for writing: a read that turns into a write would be refused when another writes."""
        with self._translated(), self._writer.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                with suppress(*Fault):
                    connection.exec_driver_sql("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A short look that cannot write, at one moment's state."""
        with self._translated(), self._reader.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                with suppress(*Fault):
                    connection.exec_driver_sql("ROLLBACK")

    def scour(self) -> bool:
        """What was deleted is in no page any more: the pages are overwritten, and the log of pages is emptied.

        False where a reader was in the way: to be tried again.
        """
        with self._translated(), self._writer.connect() as connection:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy

    def meta(self) -> dict[str, str]:
        with self.reading() as connection:
            return {row.name: row.value for row in connection.execute(select(tables.meta))}

    def integrity(self) -> list[str]:
        """SQLCipher's own check of each page's seal, then SQLite's of its structure: what they found."""
        with self.reading() as connection:
            seals = [str(row[0]) for row in connection.execute(text("PRAGMA cipher_integrity_check"))]
            structure = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
        return [*seals, *(found for found in structure if found != "ok")]

    def _engine(self, *, readers: bool) -> Engine:
        def connect() -> Any:
            connection = _dbapi.connect(
                str(self.path), timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA cipher_log_level=NONE")
                connection.execute(f"PRAGMA key=\"x'{self._key.hex()}'\"")
                connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
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
        return create_engine(
            "sqlite://",
            module=_dbapi,
            creator=connect,
            poolclass=NullPool if readers else StaticPool,
            # A fault never carries what was to be written: it may end in a log.
            hide_parameters=True,
        )

    def _version(self) -> str | None:
        with self._reader.connect() as connection:
            row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
            return str(row[0]) if row else None

    def _migrate(self) -> None:
        # Only where there is something to do: Alembic takes longer to import than the catalog to open.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except OperationalError as error:
            detail = str(error.orig)
            if "locked" in detail or "busy" in detail:
                raise ArchiveError("error.archive.locked", path=str(self.path)) from error
            if "no such table" in detail:
                raise ArchiveError("error.archive.wrong_key", path=str(self.path)) from error
            raise ArchiveError("error.archive.unwritable", path=str(self.path), detail=detail) from error
        except (DatabaseError, sqlite3.Error, _dbapi.Error) as error:
            detail = str(getattr(error, "orig", error))
            if "not a database" in detail or "encrypted" in detail:
                raise ArchiveError("error.archive.wrong_key", path=str(self.path)) from error
            if "locked" in detail:
                raise ArchiveError("error.archive.locked", path=str(self.path)) from error
            raise ArchiveError("error.archive.unwritable", path=str(self.path), detail=detail) from error
