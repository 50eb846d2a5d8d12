"""The file that sealed keys lie in: whatever goes in whichever order, nothing of it is left, and a crash loses nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.crypto import slots
from softphone.archive.crypto.slots import RECORD, LogEnd, Slots, Work
from softphone.archive.crypto.wraps import Recipient, create_key_pair, data_key, wrap
from softphone.archive.examine.repair import Repair, repair
from softphone.archive.examine.verify import verify
from softphone.archive.keys import rotation
from softphone.archive.retention.holding import raise_holds
from softphone.archive.retention.sweep import SweepTerms, sweep
from softphone.archive.schema.tables import wraps
from softphone.domain.changes import Discard, DropWraps, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.disk import fill, tmpfs
from tests.archive.judged import to_judge
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, CommitFailedError, Scene, scene


def records(desk: Scene) -> dict[int, bytes]:
    """What is in each slot, as it lies on the disk, but for the mark of what was written over."""
    data = (desk.folder / slots.FILE).read_bytes()
    return {at // RECORD: data[at : at + RECORD - 1] for at in range(RECORD, len(data), RECORD)}


def named(archive: Archive) -> set[int]:
    with archive.catalog.reading() as connection:
        return set(connection.execute(select(wraps.c.slot)).scalars())


@pytest.mark.rule("G10")
def test_whatever_comes_and_goes_in_whichever_order_only_what_stands_is_in_the_file(desk: Scene) -> None:
    chance, alive, gone, most = random.Random(4), list[str](), set[bytes](), 0
    for _ in range(60):
        before = records(desk) if alive else {}
        if len(alive) < 5 or chance.random() < 0.5:
            alive.append(desk.open(desk.call(), *chance.sample([DOCUMENTATION, TRAINING], chance.randint(1, 2))))
        elif chance.random() < 0.5:
            recording = alive.pop(chance.randrange(len(alive)))
            desk.commit(Discard(recording, "declined_by_key"), recording=recording)
        else:
            recording = chance.choice(alive)
            desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), recording=recording)
        now, names = records(desk), named(desk.archive)
        assert {slot for slot, one in now.items() if any(one)} == names
        most = max(most, len(names))
        gone |= {one for slot, one in before.items() if any(one) and now[slot] != one}
    data = (desk.folder / slots.FILE).read_bytes()
    assert len(gone) > 30
    assert not [one for one in gone if one[:48] in data or one[48:96] in data]
    # What has gone makes room for what comes.
    assert len(data) // RECORD == most + 1
    for recording in alive:
        assert all(one.sealed for one in desk.archive.wraps_of(recording))


def test_a_record_opens_in_its_own_place_alone(desk: Scene) -> None:
    one, other = (desk.recorded(0.1, DOCUMENTATION) for _ in range(2))
    of = {row.recording: row.slot * RECORD for row, _ in looked(desk, wraps.c.role == "documentation")}
    data = bytearray((desk.folder / slots.FILE).read_bytes())
    data[of[other] : of[other] + RECORD] = data[of[one] : of[one] + RECORD]
    (desk.folder / slots.FILE).write_bytes(data)
    with pytest.raises(ArchiveError) as refused:
        desk.archive.open_recording(other, AT, role=KeyRole.DOCUMENTATION)
    assert refused.value.code == "error.archive.wrap_changed"
    assert "slot_lost" in {one.code for one in verify(desk.archive).findings}
    desk.archive.open_recording(one, AT, role=KeyRole.DOCUMENTATION)


def looked(desk: Scene, which: Any) -> list[Any]:
    with desk.archive.catalog.reading() as connection:
        return desk.archive.catalog.slots.sealed(connection, which)


# --- cut off in between ---------------------------------------------------------------------------


class PowerCutError(BaseException):
    pass


def cut(*_: Any, **__: Any) -> Any:
    raise PowerCutError


def erased_and_cut(only_first: bool = False) -> Callable[[Slots, set[int], LogEnd], None]:
    erase = Slots.erase

    def erases(file: Slots, which: set[int], log: LogEnd) -> None:
        erase(file, {min(which)} if only_first else which, log)
        raise PowerCutError

    return erases


@pytest.mark.rule("G10")
def test_what_was_written_for_a_commit_that_never_came_is_erased_at_the_next_start(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION)
    stands = records(desk)
    made = wrap(data_key(), Recipient("case-2", KeyRole.TRAINING, create_key_pair(desk.store)), recording, 0)
    with monkeypatch.context() as patch:
        patch.setattr(Slots, "erase", cut)
        with pytest.raises(PowerCutError), desk.archive.catalog.writing() as tx:
            tx.wraps.add([made])
    assert len(records(desk)) == len(stands) + 1
    desk.reopen().close()
    assert {slot: one for slot, one in records(desk).items() if any(one)} == stands


@pytest.mark.rule("G10")
@pytest.mark.rule("G31")
@pytest.mark.parametrize(
    ("role", "first"), [("training", False), ("training", True), ("custody", True), ("every", False)]
)
def test_keys_that_went_before_a_commit_that_never_came_stay_gone_and_the_next_start_finishes_it(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, role: str, first: bool
) -> None:
    recording, stays = (desk.recorded(0.1, DOCUMENTATION, TRAINING) for _ in range(2))
    desk.commit(desk.segment(recording, 1, DOCUMENTATION, TRAINING), recording=recording)
    with monkeypatch.context() as patch:
        patch.setattr(Slots, "erase", erased_and_cut(first))
        of_role = wraps.c.role == role if role != "every" else wraps.c.role != ""
        with pytest.raises(PowerCutError), desk.archive.catalog.writing() as tx:
            tx.wraps.drop(of_role & (wraps.c.recording == recording))
    desk.close()
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        # Nothing is damaged: no backup is to be looked for.
        assert verify(archive).ok
        assert Repair.NARROWED in {one.what for one in repair(archive, AT)}
        assert "narrowing_finished" in {one.event for one in archive.audit_of(recording)}
        # Custody's go with the recording alone: it was being erased.
        left = {KeyRole.DOCUMENTATION, KeyRole.CUSTODY} if role == "training" else set[KeyRole]()
        assert {one.role for one in archive.wraps_of(recording)} == left
        assert set(archive.vault.recordings()) == ({recording, stays} if left else {stays})
        proof = verify(archive)
        assert proof.ok
        assert {one.code for one in proof.findings} <= {"wrap_erased", "segment_empty"}
        assert repair(archive, AT) == []


@pytest.mark.rule("G10")
def test_the_next_start_discards_nothing_that_is_held_though_its_custody_s_keys_went(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)
    raise_holds(desk.archive, [desk.archive.find(recording, AT)], HoldBy.PARTY, "om prisen", "sofie", AT)
    with monkeypatch.context() as patch:
        patch.setattr(Slots, "erase", erased_and_cut())
        with pytest.raises(PowerCutError), desk.archive.catalog.writing() as tx:
            tx.wraps.drop(wraps.c.role == "custody")
    desk.close()
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        assert [one.what for one in repair(archive, AT)].count(Repair.NARROWED) == 1
        assert {one.role for one in archive.wraps_of(recording)} == {KeyRole.DOCUMENTATION}
        assert set(archive.vault.recordings()) == {recording}


@pytest.mark.rule("G10")
@pytest.mark.parametrize("deed", ["rotate", "sweep"])
def test_keys_that_others_replace_or_custody_may_give_back_open_until_the_entry_stands(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    recording, old = to_judge(desk, DOCUMENTATION), desk.recipients[KeyRole.DOCUMENTATION]
    before, day = Work.before, AT + timedelta(days=100)

    def before_and_cut(work: Work, log: LogEnd) -> None:
        before(work, log)
        if work.made or work.narrowed or work.replaced:
            raise PowerCutError

    if deed == "rotate":
        # It goes as soon as its successor stands.
        assert rotation.revoke(desk.archive, old).kept == 1
    successor = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    deeds: dict[str, Callable[[], object]] = {
        "rotate": lambda: rotation.rotate(desk.archive, old, successor),
        "sweep": lambda: sweep(desk.archive, day, clock=day, witness=day, terms=SweepTerms()),
    }
    with monkeypatch.context() as patch:
        patch.setattr(Work, "before", before_and_cut)
        with pytest.raises(PowerCutError):
            deeds[deed]()
    # What was written for it went with it, and waits for no start.
    assert {slot for slot, one in records(desk).items() if any(one)} == named(desk.archive)
    desk.close()
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        assert repair(archive, AT) == []
        assert archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION).length == RATE


@pytest.mark.rule("G10")
@pytest.mark.rule("G31")
def test_on_a_disk_without_room_for_the_entry_an_opt_out_erases_its_keys_and_a_hold_takes_none_away(
    tmp_path: Path,
) -> None:
    # The ledger tries the disk that failed again and again, by the connection that the desk's own archive writes by.
    with tmpfs(tmp_path) as disk, scene(disk / "archive") as desk, closing(desk.archive.beside()) as beside:
        recording, disputed = (desk.recorded(0.1, DOCUMENTATION, TRAINING) for _ in range(2))
        beside.catalog.empty_log()
        full, rows = fill(disk), [beside.find(disputed, AT)]
        with pytest.raises(CommitFailedError):
            desk.commit(Discard(recording, "declined_by_key"), recording=recording)
        with pytest.raises(ArchiveError):
            raise_holds(beside, rows, HoldBy.PARTY, "om prisen", "sofie", AT)
        assert sum(map(any, records(desk).values())) == 3
        with pytest.raises(ArchiveError):
            beside.open_recording(recording, AT)
        full.unlink()
        assert all(one.sealed for one in beside.wraps_of(disputed))
        desk.commit(Discard(recording, "declined_by_key"), recording=recording)
        raise_holds(beside, rows, HoldBy.PARTY, "om prisen", "sofie", AT)
        assert {slot for slot, one in records(desk).items() if any(one)} == named(beside)
        assert {one.role for one in beside.wraps_of(disputed)} == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
        assert verify(beside).ok


@pytest.mark.rule("G10")
def test_a_file_that_is_lost_takes_no_row_with_it_and_opens_again_once_it_is_back(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION)
    file = desk.folder / slots.FILE
    desk.close()
    lost = file.rename(desk.folder.with_name("lost"))
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        assert Repair.NARROWED not in {one.what for one in repair(archive, AT)}
        # What is written meanwhile makes a new file, with a hole where the others were.
        key = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
        with archive.catalog.writing() as tx:
            tx.wraps.add([wrap(data_key(), key, recording, 0)])
        assert Repair.NARROWED not in {one.what for one in repair(archive, AT)}
        assert "slot_lost" in {one.code for one in verify(archive).findings}
    lost.replace(file)
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)


@pytest.mark.rule("G10")
@pytest.mark.parametrize("since", ["rotated", "recorded"])
def test_a_catalog_of_an_older_day_is_not_opened_and_the_newest_then_has_all(desk: Scene, since: str) -> None:
    recordings = [desk.closed(DOCUMENTATION) for _ in range(2)]
    catalog = desk.archive.catalog.path
    desk.archive.catalog.empty_log()
    older = catalog.read_bytes()
    if since == "rotated":
        new = Recipient("custody-2", KeyRole.CUSTODY, create_key_pair(desk.store))
        rotation.revoke(desk.archive, desk.recipients[KeyRole.CUSTODY])
        rotation.rotate(desk.archive, desk.recipients[KeyRole.CUSTODY], new)
    else:
        recordings += [desk.closed(DOCUMENTATION) for _ in range(2)]
    desk.close()
    newest, sealed = catalog.read_bytes(), records(desk)

    catalog.write_bytes(older)
    with pytest.raises(ArchiveError) as refused:
        # Of one that is opened wrongly, the start takes the recordings.
        repair(Archive.open(desk.folder, desk.store), AT)
    assert refused.value.code == "error.archive.older_catalog"

    catalog.write_bytes(newest)
    assert records(desk) == sealed
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        assert repair(archive, AT) == []
        for recording in recordings:
            archive.open_recording(recording, AT, role=KeyRole.CUSTODY)
        assert verify(archive).ok


def test_two_who_write_take_no_slot_of_each_other_s(desk: Scene) -> None:
    other = desk.reopen()
    key = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)
    with closing(other):
        other.catalog.slots.filled()
        desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), recording=recording)
        other.catalog.slots.filled()
        second = desk.open(desk.call(), DOCUMENTATION)
        with other.catalog.writing() as tx:
            tx.wraps.add([wrap(data_key(), key, second, 0)])
        assert len(named(other)) == 5
        assert all(one.sealed for each in (recording, second) for one in other.wraps_of(each))
