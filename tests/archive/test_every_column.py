"""Every table and every column of the catalog: what is changed in it past the program, or taken out, or put in, `verify` tells.

What it need not tell stands here, with the reason. It is all done without a private key: with the catalog's alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, LargeBinary, Table
from sqlalchemy.exc import IntegrityError

from softphone.archive.access import choose_signer
from softphone.archive.backup.run import back_up
from softphone.archive.changes import CallFacts, Tables
from softphone.archive.finding import own_calls
from softphone.archive.finding.own_calls import OwnCall
from softphone.archive.keys import rotation
from softphone.archive.keys.wraps import Recipient, create_key_pair
from softphone.archive.proof import audit
from softphone.archive.proof.told import against_the_log
from softphone.archive.proof.verify import NOTES, Finding, verify
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import sweep
from softphone.archive.review.session import mark_reviewed, open_review
from softphone.archive.tables import metadata
from softphone.domain.changes import (
    AuditEntry,
    CloseRecording,
    HoldBy,
    ListCallBack,
    RememberLanguage,
    RememberRefusal,
)
from softphone.domain.purpose import Direction, KeyRole, Language
from tests.archive.review.calls import answered, reviewable
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, TRAINING, Scene, scene

NOT_PROVED = {
    "touched": "what a backup has yet to hear of: the next backup copies the catalog itself",
    "condemned.at": "says nothing but since when; the file goes at the next chance",
    "past_calls": "an agent's own list: what happened in a call, the log tells",
}
OF_META = {
    "clock-seen": "a sweep by a clock that was set ahead shows by the log's own times (`swept_ahead`)",
    "last-swept": "a sweep that found nothing has no entry; it tells a note from a fault, and no more",
    "ends-found": "says nothing but that no earlier version's recordings are still to be given their ends",
    "to-scour": "what is still to be scoured is in no row any more",
    "backup-": "what a folder was told: its own manifest is signed, and says so itself",
}
"""how the names begin of what stands in `meta` and is not proved"""
LATER = (AT + timedelta(days=7)).date()
ROW, MOST = "at_row", 2
NOT_MINDED = {
    "condemned": "a file that there is not cannot go",
    "meta": "a name that nobody asks for",
    "past_calls": "no call's rights hang on a list",
}
"""rows that may be put in; of what counts in `meta`, another value is told above"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An archive with something in each table, and no private key."""
    folder = tmp_path_factory.mktemp("every")
    with scene(folder / "archive") as desk:
        archive = desk.archive
        archive.repair(AT)
        both = reviewable(desk, DOCUMENTATION, TRAINING, keep="P30D")
        answered(desk)
        with open_review(archive, both, "lead-1", AT, items=(("tone", 5),)) as review:
            review.comment(0, "Fin åbning.", AT)
            review.score("tone", 3, AT)
            review.share(True, AT)
        mark_reviewed(archive, both, "lead-1", AT)
        held = desk.recorded(1, DOCUMENTATION)
        desk.commit(CloseRecording(held, AT, (DOCUMENTATION,)), recording=held)
        hold = holding.raise_hold(archive, held, HoldBy.PARTY, "the price", "anna", AT)
        holding.confirm(archive, hold, (AT + timedelta(days=90)).date(), AT)
        call = desk.call()
        desk.commit(RememberRefusal(call, AT), ListCallBack(call, AT), RememberLanguage(call, Language.EN, AT))
        with archive.catalog.writing() as connection:
            facts = CallFacts(call, "salg", Direction.INBOUND, NUMBER, AT, Language.DA, "Europe/Copenhagen", {})
            Tables(connection, archive.desk, archive.secrets).remember_upheld(facts, DOCUMENTATION, AT)
            audit.append(connection, archive.desk, [AuditEntry("changed", "G23", AT, call)])
            own_calls.put(connection, archive.desk, archive.secrets, OwnCall(call, "anna", AT, LATER, "missed"))
        leaver = Recipient("leaver", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
        rotation.revoke(archive, leaver)
        assert archive.head(AT)
        back_up(archive, folder / "disk", AT)
        sweep(archive, AT, clock=AT)
        gone = desk.recorded(1, DOCUMENTATION)
        with archive.catalog.writing() as connection:
            # As a file that could not go yet.
            Tables(connection, archive.desk, archive.secrets).discard(gone, AT)
            audit.append(connection, archive.desk, [AuditEntry("discarded", "G10", AT, "", gone)])
        choose_signer(archive, "c2lnbmVy", AT)
        archive.store = desk.only()
        assert faults(desk) == []
        yield desk


def faults(desk: Scene) -> list[Finding]:
    return [one for one in verify(desk.archive).findings if one.is_fault]


@contextmanager
def past_the_program(desk: Scene, table: Table) -> Generator[Connection]:
    """Whoever has the catalog's key, and nothing holds them: what locks it is back afterwards."""
    with desk.archive.catalog._writer.connect() as connection:
        for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        of_it = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        locks = connection.exec_driver_sql(of_it, (table.name,)).all()
        for lock in locks:
            connection.exec_driver_sql(f"DROP TRIGGER {lock.name}")
        try:
            yield connection
            for lock in locks:
                connection.exec_driver_sql(lock.sql)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise


def others(column: Column[Any], value: Any, *, each: bool = False) -> Iterator[Any]:
    """What might stand there as well; `each`: and nothing, and what never does."""
    if isinstance(value, int):
        yield value ^ 1
    elif isinstance(value, bytes):
        yield value[:-1] + bytes([value[-1] ^ 1])
    elif isinstance(value, str):
        yield value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    else:
        yield 1 if isinstance(column.type, Integer) else b"x" if isinstance(column.type, LargeBinary) else "2026-11-25"
    if each and column.nullable and value is not None:
        yield None
    if each and not isinstance(value, bytes):
        yield b"\x00\xff"


def rows(desk: Scene, table: Table) -> list[dict[str, Any]]:
    with desk.archive.catalog.reading() as connection:
        asked = connection.exec_driver_sql(f"SELECT rowid AS {ROW}, * FROM {table.name} ORDER BY rowid").all()
    found = [dict(one._mapping) for one in asked]
    # Of a long one some, from its beginning to its end.
    return found if len(found) <= MOST or table.name == "meta" else [*found[:: len(found) // (MOST - 1)], found[-1]]


def is_excused(table: Table, row: dict[str, Any], column: str = "") -> bool:
    of_meta = table.name == "meta" and str(row["name"]).startswith((*OF_META,))
    return of_meta or not {table.name, f"{table.name}.{column}"}.isdisjoint(NOT_PROVED)


def is_empty(row: dict[str, Any]) -> bool:
    """A slot with nothing in it."""
    return row.get("free") == 1


def put(desk: Scene, table: Table, gone: dict[str, Any] | None, there: dict[str, Any] | None) -> None:
    """One row in the place of another. Where a number is its key, the database knows it by that."""
    number = next((one.name for one in table.primary_key if isinstance(one.type, Integer)), "")
    own = number if len(table.primary_key) == 1 else ""
    with past_the_program(desk, table) as connection:
        if gone is not None:
            connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE rowid = ?", (gone[own or ROW],))
        if there is not None:
            told = {name: value for name, value in there.items() if not (own and name == ROW)}
            names = ", ".join("rowid" if name == ROW else f'"{name}"' for name in told)
            places = ", ".join("?" * len(told))
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({places})", (*told.values(),))


def is_told(desk: Scene, table: Table, was: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
    """Or the database itself does not take it. Afterwards it is as it was."""
    try:
        put(desk, table, was, now)
    except IntegrityError:
        return True
    try:
        # A part of `verify` that tells of most, and takes a fifth of its time.
        by_the_log = against_the_log(desk.archive.catalog.reading)
        return any(code not in NOTES for code, _ in by_the_log) or bool(faults(desk))
    finally:
        put(desk, table, now, was)


TABLES = pytest.mark.parametrize(
    "table", [pytest.param(one, id=one.name) for one in metadata.sorted_tables if one.name != "audit_begins"]
)
"""where a log begins whose first part has gone is proved byte by byte in `test_tampering`"""


@pytest.fixture
def desk(made: Scene, table: Table) -> Iterator[Scene]:
    assert rows(made, table)
    yield made
    assert faults(made) == []


@pytest.mark.rule("G11")
@TABLES
def test_a_value_that_is_another_is_told(desk: Scene, table: Table) -> None:
    unseen = [
        (column.name, row[column.name], other)
        for number, row in enumerate(rows(desk, table))
        for column in table.columns
        for other in others(column, row[column.name], each=number == 0)
        if not is_told(desk, table, row, {**row, column.name: other}) and not is_excused(table, row, column.name)
    ]
    assert unseen == []


@pytest.mark.rule("G11")
@TABLES
def test_a_row_that_was_taken_out_is_told(desk: Scene, table: Table) -> None:
    unseen = [
        row
        for row in rows(desk, table)
        if not is_told(desk, table, row, None) and not is_excused(table, row) and not is_empty(row)
    ]
    assert unseen == []


@pytest.mark.rule("G11")
@TABLES
def test_a_row_that_was_put_in_is_told(desk: Scene, table: Table) -> None:
    unseen: list[dict[str, Any]] = []
    for row in rows(desk, table):
        *_, key = table.primary_key
        value = row[key.name]
        other = value + 1_000 if isinstance(value, int) else next(others(key, value))
        put_in = {**row, ROW: row[ROW] + 1_000, key.name: other}
        told = is_told(desk, table, None, put_in)
        if not told and not is_excused(table, put_in) and table.name not in NOT_MINDED and not is_empty(put_in):
            unseen.append(put_in)
    assert unseen == []
