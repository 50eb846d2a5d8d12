"""A catalog of an earlier version is brought up to date when it is opened, and keeps what it holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from softphone.archive import audit, catalog
from softphone.archive.archive import Archive
from softphone.archive.migrations import HEAD
from softphone.domain.changes import AuditEntry
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
    # Of a log's beginning that version knew nothing.
    monkeypatch.setattr(audit, "_begins", no_begins)
    with made.catalog.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO call_backs (call, desk, number_sealed, number_index, line, at) VALUES (?, ?, ?, ?, ?, ?)",
            ("c1", made.desk, sealed, index, "salg", datetime(2026, 11, 30, 9, tzinfo=UTC).isoformat()),
        )
        connection.exec_driver_sql(
            "INSERT INTO refusals VALUES (?, ?, ?, ?)", (index, made.desk, AT.isoformat(), "2027-11-25")
        )
        audit.append(connection, made.desk, [AuditEntry("changed", "N4", AT, "c1")])
    monkeypatch.undo()
    return made


def no_begins(_: object) -> dict[str, tuple[int, str]]:
    return {}


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
