"""Signed checkpoints: a log that was rewritten whole, or cut off and patched up, is not the log that it was."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from softphone.archive import commands
from softphone.archive.archive import Archive
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up
from softphone.archive.keys.wraps import admitted_name
from softphone.archive.proof import audit
from softphone.archive.proof.audit import append
from softphone.archive.proof.audit import verify as verify_log
from softphone.archive.proof.checkpoint import EVERY, Head, heads, known_signer_name, memory_name
from softphone.archive.proof.verify import verify
from softphone.archive.retention import forgetting, holding
from softphone.domain.changes import AuditEntry, CloseRecording, HoldBy
from softphone.domain.errors import ArchiveError, KeyringError
from tests.archive.golden import LATER, copied
from tests.archive.scene import AT, DOCUMENTATION, MemoryKeys, Scene, scene


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


def elsewhere(desk: Scene) -> Archive:
    """As somebody has it who was admitted, without numbers."""
    archive, keys = desk.archive, MemoryKeys()
    keys.set(admitted_name(archive.id), archive.secrets.pack(numbers=False))
    keys.set(known_signer_name(archive.desk), base64.b64decode(archive.signer.key))
    opened = Archive.open(desk.folder, keys)
    assert not opened.signer.signs
    assert opened.signer.key == archive.signer.key
    return opened


def cut_out(archive: Archive, these: Callable[[int, str | None], bool]) -> None:
    """These entries and all checkpoints from there on, past the program: what is left of the log is a chain without a flaw."""
    with archive.catalog.writing() as connection:
        of_it = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('audit', 'checkpoints')"
        guards = connection.exec_driver_sql(of_it).all()
        for guard in guards:
            connection.exec_driver_sql(f"DROP TRIGGER {guard.name}")
        rows = audit.entries(connection)
        first = min(row.number for row in rows if these(row.number, row.recording))
        connection.exec_driver_sql("DELETE FROM checkpoints WHERE number >= ?", (first,))
        connection.exec_driver_sql("DELETE FROM audit")
        number, previous = 0, audit.GENESIS
        for row in rows:
            if these(row.number, row.recording):
                continue
            number += 1
            told = {**row._mapping, "number": number, "previous": previous}
            told["hash"] = previous = audit._digest(told, previous)
            places = ", ".join("?" * len(told))
            connection.exec_driver_sql(f"INSERT INTO audit ({', '.join(told)}) VALUES ({places})", (*told.values(),))
        connection.exec_driver_sql("UPDATE meta SET value = ? WHERE name LIKE 'audit-end-%'", (f"{number} {previous}",))
        for guard in guards:
            connection.exec_driver_sql(guard.sql)


def head(desk: Scene) -> Head:
    told = commands.head(desk.archive, AT)
    assert told is not None
    return told


def force(desk: Scene, *statements: str) -> None:
    """As someone with the catalog's key can: past the triggers, and with the end of the chain made to fit."""
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_update")
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_delete")
        for statement in statements:
            connection.exec_driver_sql(statement)


def write_anew(desk: Scene, *entries: AuditEntry) -> None:
    """A whole new chain, without a flaw of its own."""
    force(desk, "DELETE FROM audit", "DELETE FROM meta WHERE name LIKE 'audit-end-%'")
    with desk.archive.catalog.writing() as connection:
        append(connection, desk.archive.desk, entries)


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


def test_a_log_that_was_cut_off_and_patched_up_is_found_by_its_checkpoints(desk: Scene) -> None:
    head(desk)
    write_anew(desk, *(_entry(number) for number in range(4)))
    assert found(desk.archive) == [("audit_cut_off", 5)]


def test_a_log_that_was_written_anew_is_found_by_its_checkpoints(desk: Scene) -> None:
    head(desk)
    write_anew(desk, *(_entry(number) for number in (0, 1, 2, 9, 4, 5, 6)))
    assert found(desk.archive) == [("audit_changed", 6)]


def test_with_its_checkpoints_gone_it_is_found_by_the_desk_that_signed_and_by_a_head_kept_elsewhere(
    desk: Scene,
) -> None:
    kept = head(desk)
    write_anew(desk, *(_entry(number) for number in range(4)))
    force(desk, "DELETE FROM checkpoints")
    assert found(desk.archive) == [("audit_cut_off", 5)]
    other = elsewhere(desk)
    assert found(other) == []
    assert found(other, kept) == [("audit_cut_off", 5)]
    assert not verify(other, kept).ok
    assert commands.verify(other, str(kept)) == verify(other, kept)
    other.close()


def test_that_not_one_checkpoint_is_there_is_told_to_everybody_once_there_would_be_one(desk: Scene) -> None:
    other = elsewhere(desk)
    desk.archive.note(_entry(1))
    desk.archive.note(AuditEntry("later", "G11", AT + timedelta(minutes=59), "call"))
    assert found(other) == []
    desk.archive.note(AuditEntry("later", "G11", AT + timedelta(minutes=61), "call"))
    # No fault: an engine that was killed has made none.
    assert found(other) == [("checkpoint_none", 0)]
    assert verify(other).ok
    head(desk)
    assert found(other) == []
    force(desk, "DELETE FROM checkpoints")
    assert found(other) == [("checkpoint_none", 0)]
    assert [code for code, _ in found(desk.archive)] == ["checkpoint_gone"]
    other.close()


@pytest.mark.rule("G11")
def test_somebody_admitted_makes_no_held_recording_vanish_and_has_nobody_sign_for_it(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "the price", "anna", AT)
    signed = head(desk).number
    desk.close()
    thief = elsewhere(desk)
    with thief.catalog.writing() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in ("wraps", "segments", "purposes", "holds", "recordings"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE recording = ?", (recording,))
        connection.exec_driver_sql("DELETE FROM calls")
    thief.vault.path(recording).unlink()
    cut_out(thief, lambda number, of: number > 6 or of == recording)
    thief.note(AuditEntry("archive_restored", "G10", AT + timedelta(days=365), ""))
    assert found(thief) == [("checkpoint_none", 0)]
    thief.close()

    again = desk.reopen()
    assert found(again) == [("audit_cut_off", 8)]
    # Nor once it has gone on from there: what is signed is what goes on from the desk's own.
    again.note(*(_entry(number) for number in range(2 * EVERY)))
    assert again.head(AT) is None
    again.close()
    again = desk.reopen()
    assert found(again) == [("audit_changed", signed), ("checkpoint_missing", 0)]
    again.close()


def test_what_is_written_stands_whatever_becomes_of_the_memory_of_it(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_connection: Connection) -> None:
        raise MemoryError

    monkeypatch.setattr(desk.archive.signer, "committed", fails)
    recording = desk.recorded(1, DOCUMENTATION)
    assert desk.archive.find(recording).bytes
    assert desk.archive.vault.path(recording).exists()


@pytest.mark.rule("G11")
def test_a_restore_that_somebody_dated_ahead_excuses_nothing_that_they_cut_out_later(desk: Scene) -> None:
    desk.archive.note(*(_entry(number) for number in range(5)))
    head(desk)
    thief = elsewhere(desk)
    thief.note(AuditEntry("archive_restored", "G10", AT + timedelta(days=20_000), ""))
    ahead = head(desk).number
    desk.archive.note(*(_entry(number) for number in range(5)))
    last = head(desk).number
    cut_out(thief, lambda number, _: number > ahead)
    thief.close()
    desk.close()
    again = desk.reopen()
    assert [code for code, _ in found(again)] == ["audit_cut_off"], last
    again.note(_entry(9))
    newest = again.head(AT)
    assert newest is not None
    assert newest.number <= ahead
    again.close()


@pytest.mark.rule("G11")
def test_an_opening_cut_out_of_a_long_log_with_its_checkpoints_is_found_by_whoever_looks(desk: Scene) -> None:
    for number in range(10):
        desk.archive.note(*(_entry(number) for _ in range(EVERY // 5)))
    assert numbers(desk.archive) == [506, 1006]
    thief = elsewhere(desk)
    cut_out(thief, lambda number, _: number == 20)
    assert found(thief) == [("checkpoint_missing", 0)]
    assert found(desk.archive) == [("audit_cut_off", 1006), ("checkpoint_missing", 0)]
    thief.close()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_checkpoint_that_was_taken_out_is_missed(desk: Scene, which: int) -> None:
    signed = []
    for number in range(3):
        desk.archive.note(_entry(number))
        signed.append(head(desk).number)
    force(desk, f"DELETE FROM checkpoints WHERE number = {signed[which]}")
    assert found(desk.archive) == [("checkpoint_gone", signed[which])]
    # What is signed later names it too.
    desk.archive.note(_entry(9))
    head(desk)
    other = elsewhere(desk)
    assert found(other) == [("checkpoint_gone", signed[which])]
    other.close()


def test_a_checkpoint_that_somebody_put_in_keeps_no_desk_from_signing(desk: Scene) -> None:
    first = head(desk)
    force(
        desk,
        "INSERT INTO checkpoints SELECT desk, number + 1, hash, at, key, signature, previous FROM checkpoints LIMIT 1",
    )
    force(
        desk, "INSERT INTO checkpoints SELECT desk, 999999, hash, at, key, signature, previous FROM checkpoints LIMIT 1"
    )
    assert {code for code, _ in found(desk.archive)} == {"checkpoint_forged"}
    desk.archive.note(_entry(7))
    second = head(desk)
    assert (second.number, second.previous) == (first.number + 1, first.number)
    assert found(desk.archive) == [("checkpoint_forged", 999999)]


def test_checkpoints_from_before_they_named_one_another_count_and_the_next_names_the_last(tmp_path: Path) -> None:
    archive = Archive.open(*copied(tmp_path / "golden", "0005"))
    archive.clock = lambda: LATER
    with archive.catalog.reading() as connection:
        *_, last = old = [*heads(connection)]
    assert {one.previous for one in old} == {None}
    archive.note(_entry(1))
    new = archive.head(LATER)
    assert new is not None
    assert new.previous == last.number
    assert Head.parse(str(new)) == new
    assert found(archive) == []
    with archive.catalog.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM checkpoints WHERE number = {last.number}")
    assert found(archive) == [("checkpoint_gone", last.number)]
    archive.close()


@pytest.mark.rule("G10")
def test_a_log_whose_first_part_has_gone_in_its_time_is_signed_on_and_no_fault(desk: Scene) -> None:
    first = head(desk)
    long_running = desk.archive.beside()
    long_running.signer = long_running.catalog.signer = desk.reopen().signer
    assert long_running.signer.last == first
    desk.archive.note(_entry(7))
    second = head(desk)
    with desk.archive.catalog.writing() as connection:
        forgetting.cut(connection, desk.archive.signer, second, AT)
    assert numbers(desk.archive) == [second.number]
    assert [verify(desk.archive, one).head for one in (first, second, None)] == ["gone", "fits", None]
    for archive in (desk.archive, long_running):
        assert found(archive) == []
        archive.note(_entry(8))
        signed = archive.head(AT)
        assert signed is not None
        assert signed.number > second.number
        assert found(archive) == []
    long_running.close()


@pytest.mark.rule("G10")
@pytest.mark.parametrize("own", [True, False], ids=["by the desk", "by another user with its keys"])
def test_what_a_restore_brings_back_of_an_older_day_is_signed_on_and_no_fault(
    tmp_path: Path, desk: Scene, own: bool
) -> None:
    now = datetime.now(UTC)
    back_up(desk.archive, tmp_path / "disk", now)
    desk.archive.note(*(_entry(number) for number in range(8)))
    assert desk.archive.head(now)
    desk.close()
    older = {path: path.read_bytes() for path in desk.folder.glob("catalog.db*")}
    keys = desk.store
    if not own:
        keys = MemoryKeys()
        keys.held = {**desk.memory.held}
        del keys.held[memory_name(desk.archive.desk, desk.folder)]
    moved = desk.folder.rename(tmp_path / "lost")
    restore(tmp_path / "disk", desk.folder, keys, now + timedelta(hours=1), accept_unknown=True)
    again = desk.reopen()
    assert found(again) == []
    again.note(_entry(9))
    signed = again.head(now + timedelta(hours=2))
    assert signed is not None
    assert found(again) == []
    again.close()
    assert (moved / "catalog.db").exists()
    # What lay there before is no older day that anybody brought back.
    for path, data in older.items():
        path.write_bytes(data)
    again = desk.reopen()
    assert [code for code, _ in found(again)] == ["audit_changed"]
    again.close()


@pytest.mark.rule("G10")
def test_a_restore_that_is_tried_out_elsewhere_keeps_no_desk_from_signing_its_own(tmp_path: Path, desk: Scene) -> None:
    now = datetime.now(UTC)
    back_up(desk.archive, tmp_path / "disk", now)
    restore(tmp_path / "disk", tmp_path / "tried", desk.store, now + timedelta(hours=1), accept_unknown=True)
    tried = Archive.open(tmp_path / "tried", desk.store)
    for later, archive in enumerate((desk.archive, tried, desk.archive, tried), 2):
        archive.note(_entry(later))
        signed = archive.head(now + timedelta(hours=later))
        assert signed is not None
        assert found(archive) == []
    tried.close()
    again = desk.reopen()
    assert found(again) == []
    again.close()


class Slow(MemoryKeys):
    """A keyring that takes its time, and then refuses, or does not."""

    def __init__(self, keys: MemoryKeys, *, refuses: bool) -> None:
        super().__init__()
        self.held = keys.held
        self.asked, self.goes_on, self.refuses = threading.Event(), threading.Event(), refuses

    def set(self, name: str, secret: bytes) -> None:
        self.asked.set()
        assert self.goes_on.wait(20)
        if self.refuses:
            raise KeyringError("error.keyring.locked")
        super().set(name, secret)


@pytest.mark.parametrize("refuses", [False, True])
def test_no_call_waits_for_a_keyring_that_is_slow_and_one_that_refuses_is_no_fault(desk: Scene, refuses: bool) -> None:
    first = head(desk)
    desk.close()
    slow = Slow(desk.memory, refuses=refuses)
    again = Scene(desk.folder, store=slow, recipients=desk.recipients)
    again.archive.note(*(_entry(number) for number in range(EVERY - 1)))
    assert not slow.asked.is_set()
    again.commit()
    assert slow.asked.wait(20)
    again.commit()
    slow.goes_on.set()
    again.close()
    signed = numbers(again.archive)[-1]
    opened = desk.reopen()
    assert opened.signer.last is not None
    assert opened.signer.last.number == (first.number if refuses else signed)
    assert found(opened) == []
    opened.close()


def test_a_difference_that_the_chain_shows_as_well_is_told_once(desk: Scene) -> None:
    head(desk)
    force(desk, "DELETE FROM audit WHERE number > 4")
    assert found(desk.archive) == [("audit_cut_off", 5)]
    force(desk, "UPDATE audit SET event = 'another' WHERE number = 2")
    assert ("audit_changed", 2) in found(desk.archive)


@pytest.mark.parametrize("field", ["number", "hash", "at", "key", "signature", "desk"])
def test_no_part_of_a_checkpoint_or_of_a_head_can_be_changed(desk: Scene, field: str) -> None:
    kept = head(desk)
    changed = {
        "number": replace(kept, number=5),
        "hash": replace(kept, hash="0" * 64),
        "at": replace(kept, at=AT.replace(year=2025)),
        "key": replace(kept, key="A" * 43 + "="),
        "signature": replace(kept, signature="A" * 86 + "=="),
        "desk": replace(kept, desk="another"),
    }[field]
    assert not changed.is_signed
    assert ("head_forged", changed.number) in found(desk.archive, changed)
    value = getattr(changed, field)
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE checkpoints SET {field} = ?", (value if isinstance(value, str | int) else value.isoformat(),)
        )
    assert ("checkpoint_forged", changed.number) in found(desk.archive)


def test_a_checkpoint_by_another_s_key_is_none_of_ours(desk: Scene, tmp_path: Path) -> None:
    head(desk)
    with scene(tmp_path / "other", another=True) as other:
        other.archive.signer.desk = desk.archive.desk
        force(desk, "DELETE FROM checkpoints")
        write_anew(desk, _entry(0))
        with desk.archive.catalog.writing() as connection:
            other.archive.signer.sign(connection, AT)
    assert found(desk.archive) == [("checkpoint_foreign", 1), ("audit_cut_off", 2)]


@pytest.mark.parametrize(
    "text", ["", "klartone-head-1", "nothing of the kind at all here x", "klartone-head-1 d x h t k s"]
)
def test_what_is_no_head_is_refused_with_words(desk: Scene, text: str) -> None:
    with pytest.raises(ArchiveError) as refused:
        commands.verify(desk.archive, text)
    assert refused.value.code == "error.archive.no_head"


def test_a_running_engine_signs_now_and_then_and_when_it_ends(desk: Scene) -> None:
    assert numbers(desk.archive) == []
    desk.archive.note(*(_entry(number) for number in range(EVERY - 10)))
    desk.commit()
    assert numbers(desk.archive) == []
    for _ in range(3):
        desk.commit()
    assert numbers(desk.archive) == [EVERY]
    desk.ledger.stop()
    assert numbers(desk.archive) == [EVERY]
    again = desk.reopen()
    assert again.signer.key == desk.archive.signer.key
    assert verify(again).ok
    again.close()


def test_a_desk_that_writes_leaves_nothing_unsigned_for_longer_than_an_hour(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    head(desk)
    desk.commit()
    assert numbers(desk.archive) == [6]
    monkeypatch.setattr("softphone.archive.proof.checkpoint._SECONDS", 0.0)
    desk.commit()
    assert numbers(desk.archive) == [6, 8]


def test_the_private_half_is_in_the_keyring_and_in_no_file(desk: Scene) -> None:
    head(desk)
    private = desk.memory.held[f"checkpoint-{desk.archive.desk}"]
    assert private not in desk.files()
    assert private not in desk.pages()
    assert private.hex().encode() not in desk.pages()


def test_each_single_character_of_the_log_that_is_changed_is_found(desk: Scene) -> None:
    head(desk)
    force(desk)
    changed = 0
    with desk.archive.catalog.writing() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM audit ORDER BY number").mappings().all()
        for row in rows:
            for column, value in row.items():
                text = str(value) if value is not None else ""
                others = [text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :] for at in range(len(text))]
                for other in [*others, text + "0", None if text else "x"]:
                    if other is None or (column == "number" and any(str(one["number"]) == other for one in rows)):
                        continue
                    this = (row["desk"], row["number"])
                    connection.exec_driver_sql("SAVEPOINT whole")
                    connection.exec_driver_sql(
                        f"UPDATE audit SET {column} = ? WHERE desk = ? AND number = ?", (other, *this)
                    )
                    assert [*verify_log(connection)], (column, other)
                    connection.exec_driver_sql("ROLLBACK TO whole")
                    changed += 1
        assert not [*verify_log(connection)]
    assert changed > 1_000
