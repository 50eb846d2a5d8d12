"""Rows that belong to nothing, or to another desk's archive: only a change past the program leaves them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from softphone.archive.proof.proofs import desks
from softphone.archive.tables import calls, condemned, meta, metadata, recordings, touched, wraps

Found = tuple[str, dict[str, str | int]]
"""a finding's code and its parameters"""
_OTHERWISE = {"audit", "checkpoints", "audit_begins"}
"""tables whose rows are proved one by one"""


def strays(connection: Connection) -> Iterator[Found]:
    """Wraps of what does not exist, and recordings that stand and whose files are to go all the same."""
    known = select(recordings.c.recording).where(recordings.c.recording == wraps.c.recording).exists()
    for recording in connection.execute(select(wraps.c.recording).where(~known).distinct()).scalars():
        yield "wrap_stray", {"recording": recording}
    both = select(condemned.c.recording).join(recordings, recordings.c.recording == condemned.c.recording)
    for recording in connection.execute(both).scalars():
        yield "condemned_stands", {"recording": recording}


def of_nothing(connection: Connection) -> Iterator[Found]:
    """Rows of a recording that there is not, and calls of which nothing is kept: a number may stand there that is to be gone."""
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    for table in sorted({row.table for row in rows} - {wraps.name}):
        yield "rows_of_nothing", {"table": table, "count": sum(row.table == table for row in rows)}
    kept = select(recordings.c.recording).where(recordings.c.call == calls.c.call).exists()
    if count := connection.execute(select(func.count()).select_from(calls).where(~kept)).scalar_one():
        yield "rows_of_nothing", {"table": calls.name, "count": count}


def of_another_desk(connection: Connection) -> Iterator[Found]:
    """Each row says which desk has written it, and there is but one."""
    own = connection.execute(select(meta.c.value).where(meta.c.name == "desk")).scalar()
    for desk in desks(connection):
        if desk != own:
            yield "rows_of_another_desk", {"table": "audit", "desk": desk}
    for table in metadata.sorted_tables:
        if "desk" in table.c and table is not touched and table.name not in _OTHERWISE:
            found = select(table.c.desk).where(table.c.desk != own).distinct()
            for desk in connection.execute(found).scalars():
                yield "rows_of_another_desk", {"table": table.name, "desk": str(desk)}
