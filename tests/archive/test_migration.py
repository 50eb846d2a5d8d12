"""A catalog of an earlier version is brought up to date when it is opened, and keeps what it holds."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive import catalog
from softphone.archive.archive import Archive
from softphone.archive.migrations import HEAD
from softphone.archive.proof import audit
from tests.archive.lines import asked, line
from tests.archive.scene import AT, NUMBER, MemoryKeys

FIRST = "0001"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive as the first version made it, with a promise to call back and a refusal."""
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "HEAD", FIRST)
        made = Archive.create(tmp_path / "archive", MemoryKeys())
    sealed, index = made.secrets.seal_number(NUMBER, "c1"), made.secrets.number_index(NUMBER)
    with made.catalog.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO call_backs (call, desk, number_sealed, number_index, line, at) VALUES (?, ?, ?, ?, ?, ?)",
            ("c1", made.desk, sealed, index, "salg", datetime(2026, 11, 30, 9, tzinfo=UTC).isoformat()),
        )
        connection.exec_driver_sql(
            "INSERT INTO refusals VALUES (?, ?, ?, ?)", (index, made.desk, AT.isoformat(), "2027-11-25")
        )
        # As that version wrote an entry: it knew nothing of a log's beginning, nor of rows that an entry seals.
        told = {"desk": made.desk, "number": 1, "at": AT.isoformat(), "event": "changed", "rule": "N4", "call": "c1"}
        entry = {**told, "recording": None, "params": "{}"}
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256((audit.GENESIS + text).encode("ascii")).hexdigest()
        connection.exec_driver_sql(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*entry.values(), audit.GENESIS, digest)
        )
        connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (f"audit-end-{made.desk}", f"1 {digest}"))
    return made


def test_a_catalog_of_the_first_version_keeps_its_promises_and_its_log(old: Archive) -> None:
    with old.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == FIRST
    old.close()

    now = Archive.open(old.folder, old.store)

    with now.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == HEAD
        assert not [*audit.verify(connection)]
    listed = now.lookups.call_backs(AT)
    assert [(one.id, one.number, one.until) for one in listed] == [("c1", NUMBER, date(2027, 3, 2))]
    known = now.lookups.look_up(asked(line("100 %")))
    assert (known.declined_earlier, known.call_back, known.drawn) == (True, True, True)
    assert [row.event for row in now.audit_of()] == ["changed"]
    now.close()


def test_a_sample_s_place_of_which_nobody_knows_when_it_was_last_used_has_its_year_from_now_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "HEAD", "0004")
        made = Archive.create(tmp_path / "archive", MemoryKeys())
    with made.catalog.writing() as connection:
        columns = "line, agent, desk, number, seed, share, block, start, next, taken"
        row = ("salg", "bo@pbx.example", made.desk, 1, b"", "1/4", 0, 0, 1, "0")
        connection.exec_driver_sql(f"INSERT INTO sample_runs ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?)", row)
    made.close()
    now = Archive.open(made.folder, made.store)
    with now.catalog.reading() as connection:
        until = date.fromisoformat(connection.exec_driver_sql("SELECT until FROM sample_runs").scalar_one())
    now.close()
    assert timedelta(days=360) < until - datetime.now(UTC).date() < timedelta(days=370)
