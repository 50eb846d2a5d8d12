"""The catalog's tables, indexes and triggers against those that this version makes: what was dropped or written anew shows.

It looks at how the catalog is built; what stands in it is `verify`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, StaticPool, create_engine

from softphone.archive.migrations import HEAD

_OWN = "sqlite_"
"""what the database makes by itself"""


def changed(connection: Connection) -> Iterator[str]:
    """The names of what is another than it should be, is missing, or is there besides."""
    found, made = _of(connection), _made()
    yield from sorted(one[1] for one in found.keys() | made.keys() if found.get(one) != made.get(one))


@cache
def _made() -> Mapping[tuple[str, str], str]:
    """Of an empty catalog that was brought to this version the same way."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
        made = _of(connection)
    engine.dispose()
    return made


def _of(connection: Connection) -> dict[tuple[str, str], str]:
    rows = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    return {(row.type, row.name): " ".join(str(row.sql).split()) for row in rows if not row.name.startswith(_OWN)}
