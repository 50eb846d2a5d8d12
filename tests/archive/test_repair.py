"""What a crash left half-done is set right at the next start, and told; nothing that could be heard is lost by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from softphone.archive.examine.repair import Repair, let_orphan_go, repair
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import read_structure
from softphone.archive.files.writing import Written
from softphone.archive.log.written import counted
from softphone.domain.changes import CloseRecording
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, DOCUMENTATION, Scene, voices

NOW = datetime.now(UTC) + timedelta(days=1)


def repaired(desk: Scene) -> list[tuple[Repair, str, int]]:
    done = [(one.what, one.recording, one.cut) for one in repair(desk.archive, NOW)]
    desk.archive.head(NOW)  # as who writes does in the end
    return done


def found(desk: Scene) -> list[str]:
    return [finding.code for finding in verify(desk.archive).findings]


def heard(desk: Scene, recording: str) -> int:
    opened = desk.archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)
    return len(np.concatenate(list(opened.pcm())))


def test_a_recording_that_broke_off_is_marked_and_its_half_written_chunk_cut(desk: Scene) -> None:
    whole, broken = desk.recorded(2, DOCUMENTATION), desk.recorded(2, DOCUMENTATION)
    desk.commit(CloseRecording(whole, AT, (DOCUMENTATION,)), recording=whole)
    path = desk.archive.vault.path(broken)
    sealed = path.read_bytes()
    path.write_bytes(sealed + sealed[-900:-200])
    before = heard(desk, broken)
    assert found(desk) == ["torn"]

    assert repaired(desk) == [(Repair.BROKE_OFF, broken, 700)]

    assert path.read_bytes() == sealed
    assert heard(desk, broken) == before
    assert found(desk) == []
    with desk.archive.catalog.reading() as connection:
        at = connection.exec_driver_sql("SELECT max(broke_off_at) FROM recordings").scalar_one()
    assert datetime.fromisoformat(at) < NOW
    entry = next(row for row in desk.archive.audit_of(broken) if row.event == "recording_broke_off")
    assert (entry.rule, entry.params) == ("G10", {"cut": 700})
    assert desk.archive.find(whole).closed_at == AT
    assert repaired(desk) == []


def killed_in_its_last_sound(desk: Scene) -> str:
    """A call that has ended, and whose last sound was still being written: nobody could say how much of it there is."""
    tell = desk.archive.vault.on_ended

    def silent(of: str, segment: int, _written: Written) -> None:
        desk.ended.append((of, segment))

    desk.archive.vault.on_ended = silent
    recording = desk.closed(DOCUMENTATION, seconds=2)
    desk.archive.vault.on_ended = tell
    return recording


def chunks_told(desk: Scene, recording: str) -> int | None:
    with desk.archive.catalog.reading() as connection:
        asked = "SELECT chunks FROM segments WHERE recording = ?"
        return connection.exec_driver_sql(asked, (recording,)).scalar_one()


@pytest.mark.parametrize("how", ["by itself", "at the next start", "at the next start, torn"])
def test_how_much_there_is_of_a_call_whose_last_sound_was_still_being_written_is_counted(desk: Scene, how: str) -> None:
    recording = killed_in_its_last_sound(desk)
    path = desk.archive.vault.path(recording)
    sealed = path.read_bytes()
    assert chunks_told(desk, recording) is None
    if how == "by itself":
        (there,) = counted(read_structure(path)).values()
        desk.archive.vault.on_ended(recording, 0, there)
        # The ledger goes on in order.
        desk.commit(call="another")
    elif "torn" in how:
        path.write_bytes(sealed + sealed[-900:-200])
        assert repaired(desk) == [(Repair.BROKE_OFF, recording, 700)]
    else:
        assert repaired(desk) == []
        assert [row.event for row in desk.archive.audit_of(recording)][-1] == "recording_whole"
    assert chunks_told(desk, recording) == 3
    assert path.read_bytes() == sealed
    assert found(desk) == []
    before = desk.archive.audit_of()
    assert repaired(desk) == []
    assert desk.archive.audit_of() == before


def test_a_segment_that_a_full_disk_ended_or_that_never_began_is_no_crash_of_a_closed_recording(
    desk: Scene,
) -> None:
    call, now = desk.call(), datetime.now(UTC)
    recording = desk.open(call, DOCUMENTATION)
    writer = desk.archive.vault.writer(recording, 0, desk.keys[recording, 0], 0)
    for number in range(60):
        writer.write(number, b"", b"")
    # As the recorder ends it where the disk refuses: what is there is counted, and there is no end.
    writer.break_off()
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=60)
    desk.recorder.stop(call, recording, 1)
    desk.drained(recording, 1, 16_000)
    desk.commit(desk.segment(recording, 2, DOCUMENTATION), recording=recording)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    assert [*repair(desk.archive, now)] == []
    with desk.archive.catalog.reading() as connection:
        asked = "SELECT chunks IS NULL, broke_off_at FROM segments JOIN recordings USING (recording) ORDER BY segment"
        assert [tuple(row) for row in connection.exec_driver_sql(asked)] == [(0, None)] * 3
    assert verify(desk.archive).ok


def test_what_no_crash_does_is_left_for_verify_to_tell(desk: Scene) -> None:
    recording = desk.recorded(3, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    changed = bytes(data)
    path.write_bytes(changed)
    told = found(desk)
    assert (Repair.BROKE_OFF, recording, 0) in repaired(desk)
    assert path.read_bytes() == changed
    assert found(desk) == told

    path.write_bytes(changed + bytes(100_000))
    assert repaired(desk) == []
    assert path.read_bytes() == changed + bytes(100_000)


def test_a_file_without_a_row_is_kept_aside_and_told_and_comes_back_with_its_row(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION)
    desk.archive.vault.create("begun", AT)
    path = desk.archive.vault.path(recording)
    kept = path.read_bytes()
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        tx.connection.exec_driver_sql("UPDATE recordings SET recording = 'another' WHERE recording = ?", (recording,))
        for table in ("segments", "purposes", "wraps"):
            tx.connection.exec_driver_sql(f"UPDATE {table} SET recording = 'another'")

    assert repaired(desk) == [(Repair.SET_ASIDE, recording, 0), (Repair.SET_ASIDE, "begun", 0)]

    assert not path.exists()
    assert kept in desk.files()
    proof = verify(desk.archive)
    assert {finding.code for finding in proof.findings} == {
        *("object_begun", "object_aside", "object_unreadable", "slot_lost", "erasure_untold"),
    }
    assert repaired(desk) == []

    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        tx.connection.exec_driver_sql("UPDATE recordings SET recording = ? WHERE recording = 'another'", (recording,))
        for table in ("segments", "purposes", "wraps"):
            tx.connection.exec_driver_sql(f"UPDATE {table} SET recording = ?", (recording,))
    assert repaired(desk) == [(Repair.BROUGHT_BACK, recording, 0)]
    assert path.read_bytes() == kept
    assert found(desk) == ["object_begun"]
    assert verify(desk.archive).ok
    assert heard(desk, recording) == 16_000
    # While the catalog knows it, nobody deletes it as a file that belongs to nothing.
    desk.archive.vault.set_aside(recording)
    with pytest.raises(ArchiveError, match="no_orphan"):
        let_orphan_go(desk.archive, recording, AT)
    assert recording in desk.archive.vault.aside()
