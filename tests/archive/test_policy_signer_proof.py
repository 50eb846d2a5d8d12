"""The signer that an archive asks for is proved by its log, past the program and past a backup."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up, tell
from softphone.archive.proof.verify import verify
from softphone.archive.retention.sweep import SweepTerms, Swept, sweep
from softphone.domain.changes import AuditEntry
from softphone.domain.policy.period import Period
from tests.archive.golden import LATER, copied
from tests.archive.scene import AT, DOCUMENTATION, scene
from tests.archive.signers import OTHER, SIGNER, asks_for

pytestmark = pytest.mark.usefixtures("english")


PUT_IN = "INSERT INTO meta (name, value) VALUES ('policy-signer', ?)"
TAKEN_OUT = "DELETE FROM meta WHERE name = 'policy-signer'"


def by_sql(archive: Archive, statement: str, *values: str) -> None:
    with archive.catalog.writing() as connection:
        connection.exec_driver_sql(statement, values)


def codes(archive: Archive) -> list[str]:
    return [one.code for one in verify(archive).findings if one.is_fault]


@pytest.mark.rule("G11")
def test_a_signer_that_is_changed_lifted_or_put_in_by_sql_is_found(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        desk.recorded(1, DOCUMENTATION)
        by_sql(desk.archive, PUT_IN, OTHER)
        assert codes(desk.archive) == ["policy_signer_changed"]
        by_sql(desk.archive, TAKEN_OUT)
        assert codes(desk.archive) == []
        asks_for(desk, SIGNER)
        assert codes(desk.archive) == []
        by_sql(desk.archive, "UPDATE meta SET value = ? WHERE name = 'policy-signer'", OTHER)
        assert codes(desk.archive) == ["policy_signer_changed"]
        by_sql(desk.archive, TAKEN_OUT)
        assert codes(desk.archive) == ["policy_signer_changed"]
        by_sql(desk.archive, PUT_IN, SIGNER)
        assert codes(desk.archive) == []
        asks_for(desk, "")
        assert codes(desk.archive) == []


@pytest.mark.rule("G11")
def test_an_archive_of_an_earlier_version_has_none_and_one_that_was_put_in_by_sql_is_found(tmp_path: Path) -> None:
    archive = Archive.open(*copied(tmp_path / "golden", "0005"))
    archive.clock = lambda: LATER
    assert (archive.policy_signer, codes(archive)) == ("", [])
    by_sql(archive, PUT_IN, OTHER)
    assert codes(archive) == ["policy_signer_changed"]
    archive.close()


@pytest.mark.rule("G11")
def test_the_signer_is_proved_also_when_the_entry_that_chose_it_has_gone_in_its_time(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        archive = desk.archive
        asks_for(desk, SIGNER)
        archive.note(AuditEntry("since_then", "G11", AT, ""))
        assert archive.head(AT)
        later = AT + timedelta(days=6 * 366)
        archive.clock = lambda: later
        swept = sweep(archive, later, clock=later, witness=later, terms=SweepTerms(log_kept=Period(months=60)))
        assert [one.what for one in swept if one.what is Swept.LOG_CUT]
        assert "policy_signer_chosen" not in [one.event for one in archive.audit_of()]
        assert codes(archive) == []
        by_sql(archive, TAKEN_OUT)
        assert codes(archive) == ["policy_signer_changed"]


@pytest.mark.rule("G11")
@pytest.mark.parametrize("key", [SIGNER, ""], ids=["chosen", "lifted"])
def test_a_restore_of_an_older_backup_brings_back_no_other_signer(tmp_path: Path, key: str) -> None:
    with scene(tmp_path / "archive") as desk:
        desk.recorded(1, DOCUMENTATION)
        if not key:
            asks_for(desk, SIGNER)
        back_up(desk.archive, tmp_path / "disk", AT)
        asks_for(desk, key)
        tell(desk.archive, tmp_path / "disk", AT)
        restore(tmp_path / "disk", tmp_path / "new", desk.store, AT + timedelta(hours=1), accept_unknown=True)
        new = Archive.open(tmp_path / "new", desk.store)
        new.clock = lambda: AT
        assert (new.policy_signer, codes(new)) == (key, [])
        new.close()
