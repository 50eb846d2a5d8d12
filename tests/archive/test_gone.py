"""What is deleted is gone: from the catalog's free pages and the disk, whichever way it went, and from the log in its time."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.crypto.slots import FILE, RECORD
from softphone.archive.examine.verify import verify
from softphone.archive.files.container import Chunk
from softphone.archive.files.reader import read_structure
from softphone.archive.log.checkpoint import Head
from softphone.archive.retention import forgetting
from softphone.archive.retention.sweep import SweepTerms, Swept, SweptItem, sweep
from softphone.domain.changes import AuditEntry, CloseRecording, Discard, DropWraps, ListCallBack, RememberRefusal
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from tests.archive.disk import ext4
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene, scene

OTHER = "+4520999999"
LATER = datetime(2030, 1, 1, tzinfo=UTC)
FIVE_YEARS_ON = datetime(2031, 12, 1, tzinfo=UTC)


def by_sweep(desk: Scene, _recording: str) -> None:
    sweep(desk.archive, LATER, clock=LATER, witness=LATER)


def by_opt_out(desk: Scene, recording: str) -> None:
    desk.commit(Discard(recording, "declined_by_key"), recording=recording, rule="G31")


def by_withdrawal(desk: Scene, recording: str) -> None:
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), recording=recording, rule="G04")
    desk.commit(Discard(recording, "withdrawn"), recording=recording, rule="G04")


Way = Callable[[Scene, str], None]


@pytest.mark.rule("G10")
@pytest.mark.parametrize("way", [by_sweep, by_opt_out, by_withdrawal, None])
def test_whichever_way_a_recording_goes_no_byte_of_it_is_left(desk: Scene, way: Way | None) -> None:
    # So much beside it that what is deleted lies in pages of others, and in pages of its own.
    for _ in range(30):
        desk.open(desk.call(retention="P50Y"), DOCUMENTATION, TRAINING)
    call = desk.call(number=OTHER)
    recording = desk.recorded(2, DOCUMENTATION, TRAINING, call=call)
    desk.commit(ListCallBack(call, AT), RememberRefusal(call, AT))
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION, TRAINING)), recording=recording)
    path = desk.archive.vault.path(recording)
    chunks = [chunk.sealed for chunk in read_structure(path).chunks]
    keys = records(desk, recording)
    secret = list[bytes]()
    with desk.archive.catalog.reading() as connection:
        where = "SELECT number_sealed FROM calls WHERE call = ?"
        secret.append(connection.exec_driver_sql(where, (recording.removesuffix("-1"),)).scalar_one())
    # Another name for the same blocks of the disk: what is in them stays to be seen after the file has gone.
    disk = desk.folder.parent / "disk"
    os.link(path, disk)
    wraps = desk.folder.parent / "wraps"
    os.link(desk.folder / FILE, wraps)
    assert all(one in desk.pages() for one in secret)
    assert len(keys) == 3
    assert all(one in wraps.read_bytes() for one in keys)
    assert all(chunk in disk.read_bytes() for chunk in chunks)

    if way is None:
        sweep(desk.archive, AT, clock=AT)
    else:
        way(desk, recording)

    left = [one for one in secret if one in desk.pages()]
    left += [one for one in keys if one[:48] in wraps.read_bytes() or one[60:100] in wraps.read_bytes()]
    left += [chunk for chunk in chunks if chunk[:48] in disk.read_bytes() or chunk[-48:] in disk.read_bytes()]
    assert left == ([] if way else [*secret, *keys, *chunks])
    assert path.exists() == (way is None)
    assert desk.archive.audit_of(recording)
    assert verify(desk.archive).ok
    if way is by_sweep:
        # Nothing ties the log of what has gone to a number.
        with desk.archive.catalog.reading() as connection:
            for table in ("call_backs", "refusals"):
                assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
    assert (desk.archive.secrets.number_index(OTHER) in desk.pages()) is (way is not by_sweep)


@pytest.mark.torture
@pytest.mark.parametrize("journal", [False, True])
def test_no_block_of_a_disk_s_image_holds_what_was_opted_out_or_erased(tmp_path: Path, journal: bool) -> None:
    with ext4(tmp_path, journal=journal) as image:
        with scene(image.mounted / "archive") as desk:
            recording, kept = (desk.recorded(2, DOCUMENTATION, TRAINING) for _ in range(2))
            for one in (recording, kept):
                desk.commit(CloseRecording(one, AT, (DOCUMENTATION, TRAINING)), recording=one)
            wraps = {one: records(desk, one) for one in (recording, kept)}
            sound = {
                one: [part for chunk in read_structure(desk.archive.vault.path(one)).chunks for part in parts(chunk)]
                for one in (recording, kept)
            }

            def left() -> tuple[set[KeyRole], bool]:
                """Whose wraps are still to be found, and whether any of the sound is."""
                data = image.bytes()
                assert all(wrap in data for wrap in wraps[kept])
                assert all(part in data for part in sound[kept])
                found = {role for wrap, role in wraps[recording].items() if wrap[:48] in data or wrap[60:100] in data}
                return found, any(part in data for part in sound[recording])

            assert left() == ({*KeyRole}, True)
            desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"), recording=recording, rule="G31")
            assert left() == ({KeyRole.DOCUMENTATION, KeyRole.CUSTODY}, True)
            by_withdrawal(desk, recording)
            assert left() == (set(), False)
        # Nor does the end of the process leave any in a log of pages that is removed.
        assert left() == (set(), False)


def records(desk: Scene, recording: str) -> dict[bytes, KeyRole]:
    """As a recording's sealed keys lie on the disk."""
    with desk.archive.catalog.reading() as connection:
        where = "SELECT slot, role FROM wraps WHERE recording = ?"
        found = connection.exec_driver_sql(where, (recording,)).all()
    data = (desk.folder / FILE).read_bytes()
    return {data[row.slot * RECORD :][:108]: KeyRole(row.role) for row in found}


def parts(chunk: Chunk) -> list[bytes]:
    """Pieces of a chunk small enough to lie in one block."""
    return [chunk.sealed[at : at + 48] for at in range(0, len(chunk.sealed) - 48, 1_000)]


# --- the log's own time ----------------------------------------------------------------------------


def logged(desk: Scene, at: datetime, count: int = 5) -> Head:
    desk.archive.note(*(AuditEntry(f"event{number}", "G11", at, "") for number in range(count)))
    head = desk.archive.head(at)
    assert head is not None
    return head


def swept(desk: Scene, now: datetime) -> list[SweptItem]:
    return [one for one in sweep(desk.archive, now, clock=now, witness=now) if one.what is Swept.LOG_CUT]


@pytest.mark.rule("G10")
def test_the_log_s_first_part_goes_in_its_time_and_what_is_left_still_proves_itself(desk: Scene) -> None:
    first, second = logged(desk, AT), logged(desk, AT + timedelta(days=400))
    over = datetime(2031, 11, 25, 12, tzinfo=UTC)
    assert swept(desk, over - timedelta(days=1)) == []
    planned = sweep(desk.archive, over, clock=over, dry_run=True)

    assert swept(desk, over) == planned == [SweptItem(Swept.LOG_CUT, None, "G10", count=5)]

    rows = desk.archive.audit_of()
    assert [row.number for row in rows] == [6, 7, 8, 9, 10, 11]
    assert (rows[-1].event, rows[-1].params) == ("sweep_log_cut", {"count": 5, "kept": "P5Y", "begins": 6})
    # Heads that were kept elsewhere are borne out, also that of the entry which the chain now begins after.
    for head in (first, second, desk.archive.head(over)):
        assert verify(desk.archive, head).findings == ()
    desk.archive.note(AuditEntry("more", "G11", over, ""))
    desk.reopen().close()
    assert verify(desk.archive).ok
    assert swept(desk, over) == []
    # And again, in the second part's time.
    assert swept(desk, over + timedelta(days=800))[0].count == 5
    assert verify(desk.archive, second).findings == ()


def test_a_long_log_goes_a_part_at_a_time_no_further_than_was_wanted_and_is_in_no_page(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 6)
    desk.archive.note(AuditEntry("only-here", "G11", AT, ""))
    heads = [logged(desk, AT + timedelta(minutes=number), 3) for number in range(5)]
    parts: list[int] = []
    cut = forgetting.cut

    def told(connection: Any, signer: Any, head: Head, now: datetime) -> None:
        parts.append(head.number)
        cut(connection, signer, head, now)

    monkeypatch.setattr(forgetting, "cut", told)
    assert b"only-here" in desk.pages()
    planned = sweep(desk.archive, FIVE_YEARS_ON, clock=FIVE_YEARS_ON, dry_run=True)
    assert swept(desk, FIVE_YEARS_ON) == planned == [SweptItem(Swept.LOG_CUT, None, "G10", count=16)]
    assert parts == [4, 10, 16]
    for head in heads:
        assert verify(desk.archive, head).findings == ()
    assert b"only-here" not in desk.pages()


@pytest.mark.rule("G10")
@pytest.mark.rule("G11")
def test_the_log_is_cut_no_younger_than_what_is_here_may_be_kept_and_not_from_its_first_entry_on(desk: Scene) -> None:
    archive, now = desk.archive, AT + timedelta(days=900)
    for days in (800, 500, 100):
        archive.note(AuditEntry(f"before_{days}", "G11", now - timedelta(days=days), ""))
        archive.head(now)
    recording = desk.recorded(0.1, DOCUMENTATION, call=desk.call(at=now, retention="P2Y"), at=now)
    first = archive.audit_of(recording)[0].number
    archive.head(now)
    terms = SweepTerms(log_kept=Period(days=1))
    planned = sweep(archive, now, clock=now, dry_run=True, terms=terms)
    assert sweep(archive, now, clock=now, terms=terms) == planned == [SweptItem(Swept.LOG_CUT, None, "G10", count=1)]
    rows = archive.audit_of()
    assert [row.event for row in rows[:2]] == ["before_500", "before_100"]
    assert (rows[-1].event, rows[-1].params) == ("sweep_log_cut", {"count": 1, "kept": "P2Y", "begins": 2})
    # However old all of it is.
    later = now + timedelta(days=729)
    sweep(archive, later, clock=later, witness=later, terms=terms)
    assert archive.audit_of()[0].number <= first
    assert verify(archive).ok


def test_where_there_is_no_checkpoint_or_the_log_was_changed_nothing_of_it_goes(desk: Scene) -> None:
    desk.archive.note(AuditEntry("unsigned", "G11", AT, ""))
    assert swept(desk, FIVE_YEARS_ON) == []
    logged(desk, AT)
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        tx.connection.exec_driver_sql("UPDATE audit SET event = 'another' WHERE number = 2")
    assert swept(desk, FIVE_YEARS_ON) == []
    assert ("audit_changed", 2) in [(one.code, one.params.get("number")) for one in verify(desk.archive).findings]
