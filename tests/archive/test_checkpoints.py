"""Signed checkpoints: a log that was rewritten whole, or cut off and patched up, is not the log that it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.verify import verify
from softphone.archive.log.audit import append
from softphone.archive.log.audit import verify as verify_log
from softphone.archive.log.checkpoint import EVERY, Head, heads
from softphone.archive.retention import forgetting
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, Scene, scene


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        for number in range(6):
            made.archive.note(_entry(number))
        yield made


def _entry(number: int) -> AuditEntry:
    return AuditEntry(f"event{number}", "G11", AT, "")


def found(archive: Archive, head: Head | None = None) -> list[tuple[str, int]]:
    return [(finding.code, int(finding.params.get("number", 0))) for finding in verify(archive, head).findings]


def numbers(archive: Archive) -> list[int]:
    with archive.catalog.reading() as connection:
        return [one.number for one in heads(connection)]


def head(desk: Scene) -> Head:
    told = desk.archive.head(AT)
    assert told is not None
    return told


def force(desk: Scene, *statements: str) -> None:
    """As someone with the catalog's key can: past the triggers, and with the end of the chain made to fit."""
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_update")
        tx.connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_delete")
        for statement in statements:
            tx.connection.exec_driver_sql(statement)


def write_anew(desk: Scene, *entries: AuditEntry) -> None:
    """A whole new chain, without a flaw of its own."""
    force(desk, "DELETE FROM audit", "DELETE FROM meta WHERE name LIKE 'audit-end-%'")
    with desk.archive.catalog.writing() as tx:
        append(tx.connection, desk.archive.desk, entries)


@pytest.mark.rule("G11")
def test_a_head_can_be_printed_and_read_back_and_is_borne_out_by_the_log_as_it_grows(desk: Scene) -> None:
    first = head(desk)
    assert (first.number, first.at, first.is_signed) == (6, AT, True)
    assert Head.parse(f"  {first}\n") == first
    assert head(desk) == first
    desk.archive.note(_entry(7))
    second = head(desk)
    assert second.number == 7
    assert found(desk.archive, first) == found(desk.archive, second) == []
    assert verify(desk.archive).audit_ok


@pytest.mark.rule("G11")
def test_with_its_checkpoints_gone_too_a_head_that_was_kept_elsewhere_shows_it(desk: Scene) -> None:
    kept = head(desk)
    write_anew(desk, *(_entry(number) for number in range(4)))
    force(desk, "DELETE FROM checkpoints")
    assert found(desk.archive) == []
    assert found(desk.archive, kept) == [("audit_cut_off", 5)]
    assert not verify(desk.archive, kept).ok
    for text in ("", "klartone-head-1", "nothing of the kind at all here x", "klartone-head-1 d x h t k s"):
        with pytest.raises(ArchiveError) as refused:
            Head.parse(text)
        assert refused.value.code == "error.archive.no_head"


def test_a_log_that_was_written_anew_or_signed_by_another_s_key_is_found_by_its_checkpoints(
    desk: Scene, tmp_path: Path
) -> None:
    head(desk)
    write_anew(desk, *(_entry(number) for number in (0, 1, 2, 9, 4, 5, 6)))
    assert found(desk.archive) == [("audit_changed", 6)]
    with scene(tmp_path / "other", another=True) as other:
        other.archive.signer.desk = desk.archive.desk
        force(desk, "DELETE FROM checkpoints")
        write_anew(desk, _entry(0))
        with desk.archive.catalog.writing() as tx:
            other.archive.signer.sign(tx.connection, AT)
    assert found(desk.archive) == [("checkpoint_foreign", 1)]


@pytest.mark.rule("G10")
def test_a_log_whose_first_part_has_gone_in_its_time_is_signed_on_and_no_fault(desk: Scene) -> None:
    first = head(desk)
    desk.archive.note(_entry(7))
    second = head(desk)
    with desk.archive.catalog.writing() as tx:
        forgetting.cut(tx, desk.archive.signer, second, AT)
    assert numbers(desk.archive) == [second.number]
    assert [verify(desk.archive, one).head for one in (first, second, None)] == ["gone", "fits", None]
    desk.archive.note(_entry(8))
    assert head(desk).number > second.number
    assert found(desk.archive) == []


def test_no_part_of_a_head_can_be_changed(desk: Scene) -> None:
    kept = head(desk)
    for changed in (
        replace(kept, number=5),
        replace(kept, hash="0" * 64),
        replace(kept, at=AT.replace(year=2025)),
        replace(kept, key="A" * 43 + "="),
        replace(kept, signature="A" * 86 + "=="),
        replace(kept, desk="another"),
    ):
        assert not changed.is_signed
        assert ("head_forged", changed.number) in found(desk.archive, changed)


def test_a_running_engine_signs_now_and_then_with_a_key_that_is_in_no_file(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert numbers(desk.archive) == []
    desk.archive.note(*(_entry(number) for number in range(EVERY - 10)))
    desk.commit()
    assert numbers(desk.archive) == []
    for _ in range(3):
        desk.commit()
    assert numbers(desk.archive) == [EVERY]
    # Nor is anything left unsigned for longer than an hour.
    monkeypatch.setattr("softphone.archive.log.checkpoint._SECONDS", 0.0)
    desk.commit()
    assert len(numbers(desk.archive)) == 2
    desk.ledger.stop()
    private = desk.memory.held[f"checkpoint-{desk.archive.desk}"]
    assert private not in desk.files() + desk.pages()
    again = desk.reopen()
    assert again.signer.key == desk.archive.signer.key
    assert verify(again).ok
    again.close()


def test_each_single_character_of_the_log_that_is_changed_is_found(desk: Scene) -> None:
    head(desk)
    force(desk)
    changed = 0
    with desk.archive.catalog.writing() as tx:
        rows = tx.connection.exec_driver_sql("SELECT * FROM audit ORDER BY number").mappings().all()
        # The last of them is signed too.
        for row in (rows[0], rows[-1]):
            for column, value in row.items():
                text = str(value) if value is not None else ""
                others = [text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :] for at in range(len(text))]
                for other in [*others, text + "0", None if text else "x"]:
                    if other is None or (column == "number" and any(str(one["number"]) == other for one in rows)):
                        continue
                    this = (row["desk"], row["number"])
                    tx.connection.exec_driver_sql("SAVEPOINT whole")
                    tx.connection.exec_driver_sql(
                        f"UPDATE audit SET {column} = ? WHERE desk = ? AND number = ?", (other, *this)
                    )
                    assert [*verify_log(tx.connection)], (column, other)
                    tx.connection.exec_driver_sql("ROLLBACK TO whole")
                    changed += 1
        assert not [*verify_log(tx.connection)]
    assert changed > 300
