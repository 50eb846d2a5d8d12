"""Bytes changed, chunks exchanged, recordings mixed: none of it is taken for what was said, and verify names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from softphone.archive.files.container import Chunk, Damage, Sealer, read_header, scan
from softphone.archive.files.reader import MarkKind, OpenedRecording, read_structure
from softphone.archive.keys import slots
from softphone.archive.keys.wraps import Recipient, create_key_pair
from softphone.archive.proof import audit, proofs, told
from softphone.archive.proof import verify as proving
from softphone.archive.proof.audit import Chain
from softphone.archive.proof.checkpoint import heads
from softphone.archive.proof.holders import Facts, Keys
from softphone.archive.proof.verify import verify
from softphone.archive.retention import forgetting
from softphone.archive.retention.sweep import sweep
from softphone.archive.review.session import open_review
from softphone.archive.tables import metadata, recordings
from softphone.domain.changes import (
    AuditEntry,
    CloseRecording,
    Commit,
    EndCallBack,
    ListCallBack,
    RememberRefusal,
    UseDraw,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.review.calls import answered, rings
from tests.archive.scene import AT, DOCUMENTATION, FRAME, NUMBER, TRAINING, Scene, scene, voices


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


def chunks_of(data: bytes) -> list[Chunk]:
    return [item for item in scan(data, read_header(data)[1]) if isinstance(item, Chunk)]


def found(desk: Scene) -> set[str]:
    return {finding.code for finding in verify(desk.archive).findings}


def rewritten(desk: Scene, recording: str, change: Callable[[bytes, list[Chunk]], bytes]) -> None:
    path = desk.archive.vault.path(recording)
    data = path.read_bytes()
    path.write_bytes(change(data, chunks_of(data)))


def record_of(data: bytes, chunks: list[Chunk], number: int) -> bytes:
    end = chunks[number + 1].offset if number + 1 < len(chunks) else len(data)
    return data[chunks[number].offset : end]


def test_an_untouched_archive_is_proved_and_every_chunk_opened(desk: Scene) -> None:
    desk.recorded(3, DOCUMENTATION)
    proof = verify(desk.archive)
    assert proof.ok
    assert proof.findings == ()
    assert proof.chunks == proof.opened_chunks == 4
    assert proof.audit_ok
    assert proof.as_json()["ok"] is True


def test_without_any_private_key_the_structure_is_proved(desk: Scene) -> None:
    desk.recorded(3, DOCUMENTATION)
    desk.archive.store = desk.only()
    proof = verify(desk.archive)
    assert proof.ok
    assert (proof.chunks, proof.opened_chunks) == (4, 0)


# --- all of a small recording ------------------------------------------------------------------------


class Small:
    """A recording of two segments and some chunks, in about two thousand bytes, and what `verify` says of its file."""

    def __init__(self, desk: Scene, connection: Connection, recording: str) -> None:
        self._look = proving._Look(desk.archive, Keys.of(connection), told.Told(), AT)
        self._facts = Facts.of(connection, [recording], Keys.of(connection))
        self._row = connection.execute(select(recordings).where(recordings.c.recording == recording)).one()
        self.path = desk.archive.vault.path(recording)
        self.whole = self.path.read_bytes()
        chunks = chunks_of(self.whole)
        self.records = [record_of(self.whole, chunks, number) for number in range(len(chunks))]
        self.header = self.whole[: chunks[0].offset]

    def found(self, data: bytes) -> list[str]:
        self.path.write_bytes(data)
        return [finding.code for finding in self._look.once(self._row, self._facts)]

    def faults(self, data: bytes) -> list[str]:
        return [code for code in self.found(data) if code not in proving.NOTES]

    def found_in(self, *records: bytes) -> list[str]:
        return self.found(self.header + b"".join(records))


@pytest.fixture
def small(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Small, Small]]:
    """Two that are alike."""
    monkeypatch.setattr("softphone.archive.files.vault.CHUNK_PACKETS", 3)
    made: list[str] = []
    for _ in range(2):
        call = desk.call()
        made.append(desk.open(call, DOCUMENTATION))
        for segment in range(2):
            if segment:
                desk.commit(desk.segment(made[-1], segment, DOCUMENTATION), recording=made[-1])
            desk.start(call, made[-1], segment)
            desk.talk(call, voices(0.12), first=segment * 100)
            desk.recorder.stop(call, made[-1], segment)
            desk.drained(made[-1], segment, 6 * FRAME)
        desk.commit(CloseRecording(made[-1], AT, (DOCUMENTATION,)), recording=made[-1])
    with desk.archive.catalog.reading() as connection:
        one, other = (Small(desk, connection, recording) for recording in made)
        assert one.found(one.whole) == other.found(other.whole) == []
        yield one, other


def test_each_byte_of_a_recording_that_is_another_is_found(small: tuple[Small, Small]) -> None:
    one, _ = small
    assert 1_000 < len(one.whole) < 4_000
    unseen = [
        at
        for at in range(len(one.whole))
        if not one.found(one.whole[:at] + bytes([one.whole[at] ^ 1 << at % 8]) + one.whole[at + 1 :])
    ]
    assert unseen == []


def test_a_recording_that_is_cut_off_anywhere_or_goes_on_is_found(small: tuple[Small, Small]) -> None:
    one, _ = small
    ends = [len(one.header) + sum(map(len, one.records[:number])) for number in range(len(one.records))]
    assert [at for at in {*range(0, len(one.whole), 5), *ends} if not one.faults(one.whole[:at])] == []
    assert [at for at in range(1, 40) if not one.found(one.whole + bytes(at))] == []


def test_each_chunk_exchanged_taken_out_or_doubled_is_found(small: tuple[Small, Small]) -> None:
    one, _ = small
    records, places = one.records, range(len(one.records))
    assert len(records) >= 6
    for first, second in combinations(places, 2):
        swapped = [*records]
        swapped[first], swapped[second] = records[second], records[first]
        assert one.found_in(*swapped), (first, second)
    for at in places:
        assert one.faults(one.header + b"".join([*records[:at], *records[at + 1 :]])), at
        for to in range(len(records) + 1):
            assert one.found_in(*records[:to], records[at], *records[to:]), (at, to)
            moved = records[:at] + records[at + 1 :]
            if to not in (at, at + 1):
                assert one.found_in(*moved[: to - (to > at)], records[at], *moved[to - (to > at) :]), (at, to)


def test_each_chunk_of_another_recording_is_found(small: tuple[Small, Small]) -> None:
    one, other = small
    for at in range(len(one.records)):
        for foreign in other.records:
            assert one.found_in(*one.records[:at], foreign, *one.records[at + 1 :])
            assert one.found_in(*one.records[:at], foreign, *one.records[at:])
    assert one.found_in(*other.records)
    assert one.found(other.header + b"".join(one.records))


# --- all that was signed of the audit log (its entries: test_checkpoints) ----------------------------


def values_changed(value: Any) -> Iterator[Any]:
    """Each byte of it another, and one more or less."""
    if isinstance(value, int):
        yield from (value ^ 1 << bit for bit in range(16))
        return
    text = str(value)
    yield from (text[:at] + chr(ord(text[at]) ^ 1 << at % 7) + text[at + 1 :] for at in range(len(text)))
    yield from (text + " ", text[:-1])


@pytest.mark.parametrize("name", ["checkpoints", "audit_begins"])
def test_each_byte_of_what_was_signed_of_the_log_that_is_another_is_found(desk: Scene, name: str) -> None:
    desk.recorded(1, DOCUMENTATION)
    assert desk.archive.head(AT) is not None
    if name == "audit_begins":
        desk.archive.note(AuditEntry("later", "G11", AT, ""))
        with desk.archive.catalog.writing() as connection:
            head = next(heads(connection))
            forgetting.cut(connection, desk.archive.signer, head, AT)
    table = metadata.tables[name]
    unseen: list[tuple[str, Any, Any]] = []
    with desk.archive.catalog.writing() as connection:
        for (trigger,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        rows = connection.execute(select(table)).all()
        assert rows
        for row in rows:
            this = [column == row._mapping[column.name] for column in table.primary_key]
            for column in table.columns:
                for value in values_changed(row._mapping[column.name]):
                    connection.exec_driver_sql("SAVEPOINT one")
                    with suppress(IntegrityError):
                        connection.execute(update(table).where(*this).values({column.name: value}))
                        if not [*proving._log(desk.archive, lambda: nullcontext(connection), None, Chain())]:
                            unseen.append((column.name, row._mapping[column.name], value))
                    connection.exec_driver_sql("ROLLBACK TO one")
    assert unseen == []


def test_an_entry_that_was_made_unreadable_is_told_of_and_stops_no_proof(desk: Scene) -> None:
    desk.archive.note(AuditEntry("key_revoked", "G11", AT, "", params={"key": "x", "role": "custody"}))
    for params in ("", "{", "[]", "{}", '"key"'):
        with desk.archive.catalog.writing() as connection:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_update")
            connection.exec_driver_sql("UPDATE audit SET params = ? WHERE event = 'key_revoked'", (params,))
        assert "audit_changed" in found(desk)
        assert [(row.event, row.at) for row in desk.archive.audit_of()][-1] == ("key_revoked", AT)
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE audit SET at = 'yesterday' WHERE event = 'key_revoked'")
    assert "audit_changed" in found(desk)
    assert [(row.event, row.at) for row in desk.archive.audit_of()][-1] == ("key_revoked", None)


def test_what_was_said_in_a_review_is_as_the_log_left_it_or_is_told(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION, TRAINING)), recording=recording)
    with open_review(desk.archive, recording, "lead-1", AT, items=(("tone", 5),)) as review:
        taken_back = review.comment(0, "Fin åbning.", AT)
        review.comment(800, "Hør efter her.", AT)
        review.score("tone", 3, AT)
        review.score("tone", 4, AT)
        review.share(True, AT)
        review.remove(taken_back.id, AT)
    assert found(desk) == set()
    for forged in (
        "UPDATE review_comments SET text = 'forged'",
        "DELETE FROM review_scores",
        "UPDATE review_scores SET points = 1",
        "UPDATE reviews SET shared = 0",
    ):
        with desk.archive.catalog.reading() as connection:
            connection.exec_driver_sql("PRAGMA query_only=OFF")
            connection.exec_driver_sql(forged)
            assert "rows_changed" in {code for code, _ in told.against_the_log(lambda: nullcontext(connection))}, forged


@pytest.mark.rule("G31")
def test_a_no_or_a_promise_that_was_taken_off_its_list_is_told(desk: Scene) -> None:
    calls = [desk.call(number=number) for number in (NUMBER, "+4530123456")]
    for call in calls:
        desk.commit(RememberRefusal(call, AT), ListCallBack(call, AT), call=call)
    desk.commit(EndCallBack(calls[0]), call=calls[0])
    assert found(desk) == set()
    for table in ("refusals", "call_backs"):
        with desk.archive.catalog.writing() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        assert f"{table}_changed" in found(desk)
        # Nor does it hide behind what the program writes later.
        desk.commit(RememberRefusal(calls[0], AT), ListCallBack(calls[0], AT), call=calls[0])
        assert f"{table}_changed" in found(desk)


def test_what_the_sweep_forgets_of_its_lists_is_no_difference(desk: Scene) -> None:
    call = desk.call()
    desk.commit(RememberRefusal(call, AT), ListCallBack(call, AT), call=call)
    late = AT + timedelta(days=500)
    assert sweep(desk.archive, late, clock=late, witness=late)
    desk.archive.clock = lambda: late
    assert found(desk) == set()


def test_chunks_that_were_exchanged_are_found(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)

    def swap(data: bytes, chunks: list[Chunk]) -> bytes:
        first, second = record_of(data, chunks, 1), record_of(data, chunks, 2)
        return data[: chunks[1].offset] + second + first + data[chunks[3].offset :]

    rewritten(desk, recording, swap)
    assert found(desk) == {"chunks_out_of_order"}


def test_a_chunk_renumbered_into_another_s_place_is_refused(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    structure = read_structure(path)
    sealer = Sealer(structure.raw_header, recording, 0, desk.keys[recording, 0])
    first, second = structure.chunks[0], structure.chunks[1]

    assert sealer.open(first) is not None
    assert sealer.open(Chunk(0, 1, False, first.sealed)) is None
    assert sealer.open(Chunk(0, 0, True, first.sealed)) is None
    assert sealer.open(Chunk(0, 0, False, second.sealed)) is None
    assert sealer.open(Chunk(1, 0, False, first.sealed)) is None


def test_a_chunk_of_another_recording_is_refused_even_under_the_same_key(desk: Scene) -> None:
    one, other = desk.recorded(2, DOCUMENTATION), desk.recorded(2, DOCUMENTATION)
    key = desk.keys[one, 0]
    structure = read_structure(desk.archive.vault.path(other))
    sealed = Sealer(structure.raw_header, other, 0, key)
    foreign = Sealer(read_structure(desk.archive.vault.path(one)).raw_header, one, 0, key)
    content = foreign.open(read_structure(desk.archive.vault.path(one)).chunks[0])
    assert content is not None
    record = sealed.seal(0, False, content)
    chunk = next(item for item in scan(record, 0) if isinstance(item, Chunk))
    assert sealed.open(chunk) is not None
    assert foreign.open(chunk) is None


def test_recordings_whose_files_were_exchanged_are_not_opened(desk: Scene) -> None:
    one, other = desk.recorded(2, DOCUMENTATION), desk.recorded(2, DOCUMENTATION)
    paths = [desk.archive.vault.path(recording) for recording in (one, other)]
    shutil.move(paths[0], desk.folder / "aside")
    shutil.move(paths[1], paths[0])
    shutil.move(desk.folder / "aside", paths[1])

    assert found(desk) == {"object_of_another"}
    with pytest.raises(ArchiveError) as refused:
        desk.archive.open_recording(one, AT)
    assert refused.value.code == "error.archive.foreign_recording"


def test_a_chunk_taken_out_doubled_or_added_after_the_end_is_found(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()

    rewritten(desk, recording, lambda data, chunks: data[: chunks[1].offset] + data[chunks[2].offset :])
    assert found(desk) == {"chunk_missing"}
    path.write_bytes(whole)
    rewritten(desk, recording, lambda data, chunks: data + record_of(data, chunks, 1))
    assert "chunk_doubled" in found(desk)
    path.write_bytes(whole)
    rewritten(desk, recording, lambda data, chunks: data[: chunks[-1].offset])
    assert found(desk) == {"broke_off"}


def test_a_torn_end_is_told_as_a_crash_and_what_is_before_it_is_heard(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)
    rewritten(desk, recording, lambda data, chunks: data[:-5])

    proof = verify(desk.archive)
    assert {finding.code for finding in proof.findings} == {"torn", "broke_off"}
    assert proof.ok
    opened = desk.archive.open_recording(recording, AT)
    heard = np.concatenate(list(opened.pcm()))
    assert len(heard) == 200 * FRAME - opened.header.delay
    assert opened.marks()[-1].kind is MarkKind.BROKE_OFF


def test_a_file_that_is_missing_strayed_or_of_a_later_version_is_told(desk: Scene) -> None:
    recording = desk.recorded(2, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()

    path.with_name("0stray.ktr").write_bytes(whole)
    assert found(desk) == {"object_stray"}
    path.with_name("0stray.ktr").unlink()
    path.write_bytes(whole[:8] + b"\x00\x09" + whole[10:])
    with pytest.raises(ArchiveError) as refused:
        desk.archive.open_recording(recording, AT)
    assert refused.value.code == "error.archive.unknown_version"
    assert refused.value.params["found"] == 9
    path.unlink()
    assert found(desk) == {"object_unreadable"}


def test_a_wrap_that_was_changed_moved_or_lost_is_found(desk: Scene) -> None:
    one, other = desk.recorded(1, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    catalog = desk.archive.catalog
    with catalog.writing() as connection:
        of = "(SELECT slot FROM wraps WHERE recording = ? AND role = 'documentation')"
        connection.exec_driver_sql(
            f"UPDATE slots SET sealed = (SELECT sealed FROM slots WHERE slot = {of}) WHERE slot = {of}", (other, one)
        )
    assert found(desk) == {"wrap_changed", "wrap_copied", "wraps_changed"}
    with pytest.raises(ArchiveError) as refused:
        desk.archive.open_recording(one, AT, role=KeyRole.DOCUMENTATION)
    assert refused.value.code == "error.archive.wrap_changed"
    with catalog.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wraps WHERE role = 'custody'")
        connection.exec_driver_sql("INSERT INTO slots SELECT slot + 100, 0, sealed FROM slots WHERE free = 0")
        connection.exec_driver_sql(
            "INSERT INTO wraps SELECT recording, segment, 'training', key_id, suite, desk, slot + 100 FROM wraps"
        )
    assert {"wrap_missing", "wrap_too_many"} <= found(desk)


def test_one_of_two_keys_of_a_role_that_lost_its_wrap_of_a_segment_is_told(desk: Scene) -> None:
    other = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    desk.policy_recipients.append(other)
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    assert found(desk) == {"segment_empty"}
    first = desk.recipients[KeyRole.DOCUMENTATION]
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wraps WHERE segment = 1 AND key_id = ?", (other.key_id,))
    faults = {one.code: one.params for one in verify(desk.archive).findings if one.is_fault}
    assert faults.keys() == {"wrap_of_key_missing", "wraps_changed"}
    assert faults["wrap_of_key_missing"] == {
        "recording": recording, "segment": 1, "role": "documentation", "key": other.key_id,
    }  # fmt: skip
    # A rotation that was cut off between the two has a word for it in the log; one that was revoked is nobody's.
    with desk.archive.catalog.writing() as connection:
        told = {"from": other.key_id, "to": first.key_id, "role": "documentation", "segments": 1}
        audit.append(connection, desk.archive.desk, [AuditEntry("rotation_begun", "G11", AT, "", params=told)])
    assert found(desk) == {"segment_empty", "wraps_changed"}


@pytest.mark.rule("G11")
def test_the_second_of_two_keys_that_lost_its_only_wrap_is_told_until_the_wrap_is_back(desk: Scene) -> None:
    other = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    desk.policy_recipients.append(other)
    recording = desk.recorded(1, DOCUMENTATION)
    (lost,) = [one for one in desk.archive.wraps_of(recording) if one.key_id == other.key_id]
    assert found(desk) == set()
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wraps WHERE key_id = ?", (other.key_id,))
    assert found(desk) == {"wraps_changed"}
    with desk.archive.catalog.writing() as connection:
        slots.add(connection, desk.archive.desk, [lost])
    assert found(desk) == set()
    # Nor does it hide behind what the program writes later.
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wraps WHERE key_id = ?", (other.key_id,))
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    assert found(desk) == {"wraps_changed"}


def test_what_an_earlier_version_told_of_a_recording_says_nothing_of_its_wraps_and_is_no_difference(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_of = proofs.state_of

    def as_then(connection: Connection, of: str) -> str:
        return state_of(connection, of)[:32]

    with monkeypatch.context() as earlier:
        earlier.setattr(proofs, "state_of", as_then)
        recording = desk.recorded(1, DOCUMENTATION)
    assert found(desk) == set()
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    assert found(desk) == set()
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE wraps SET suite = 'another' WHERE role = 'custody'")
    assert "wraps_changed" in found(desk)


@pytest.mark.rule("G33")
@pytest.mark.parametrize("forged", [
    "UPDATE sample_tallies SET count = 9 WHERE what = 'drawn'",
    "UPDATE sample_tallies SET agent = 'bo'",
    "DELETE FROM sample_tallies",
    "INSERT INTO sample_tallies SELECT desk, line, agent, '2026-10', what, count FROM sample_tallies LIMIT 1",
    "INSERT INTO sample_tallies SELECT desk, line, agent, '2026-12', what, count FROM sample_tallies LIMIT 1",
])  # fmt: skip
def test_figures_of_the_sample_that_nobody_counted_are_told_also_when_it_is_counted_on(
    desk: Scene, forged: str
) -> None:
    answered(desk)
    assert found(desk) == set()
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql(forged)
    assert found(desk) == {"sample_tallies_changed"}
    for at in (AT, AT + timedelta(days=30)):
        answered(desk, at=at)
    assert found(desk) == {"sample_tallies_changed"}


@pytest.mark.rule("G34")
def test_a_place_in_the_sample_that_was_moved_is_told_and_one_that_is_used_up_is_in_the_log(desk: Scene) -> None:
    rings_and_is_answered = rings(desk, "50 %").call
    # As the engine says it of each call: there is nothing else to tell.
    desk.ledger.submit(Commit(1_000, (UseDraw(rings_and_is_answered, AT),), ()))
    desk.commit(UseDraw(rings_and_is_answered, AT))
    assert [row.event for row in desk.archive.audit_of(call=rings_and_is_answered)] == ["place_used"]
    assert found(desk) == set()
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE sample_runs SET next = 0")
    assert found(desk) == {"sample_runs_changed"}


def test_a_long_log_of_which_nobody_has_signed_anything_is_told(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "EVERY", 3)
    desk.archive.note(*(AuditEntry(f"event{number}", "G11", AT, "") for number in range(3)))
    assert found(desk) == set()
    desk.archive.note(AuditEntry("one more", "G11", AT, ""))
    assert found(desk) == {"checkpoint_missing"}
    assert desk.archive.head(AT)
    assert found(desk) == set()


def test_a_segment_that_lost_all_its_chunks_is_told(desk: Scene) -> None:
    recording = desk.recorded(2, DOCUMENTATION)
    rewritten(desk, recording, lambda data, chunks: data[: chunks[0].offset])
    assert found(desk) == {"segment_empty"}


def test_of_a_recording_that_was_whole_on_the_disk_a_torn_end_is_no_crash_s_work(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(8))
    assert [(one.code, one.is_fault) for one in verify(desk.archive).findings] == [("torn", False)]
    path.write_bytes(whole)

    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)

    path.write_bytes(whole + bytes(8))
    assert [(one.code, one.params["length"]) for one in verify(desk.archive).findings] == [("end_changed", 8)]
    assert not verify(desk.archive).ok
    path.write_bytes(whole[: len(whole) // 2])
    assert found(desk) == {"end_changed", "chunks_too_few", "broke_off"}
    path.write_bytes(whole)
    assert found(desk) == set()


def test_an_end_that_was_cut_away_and_a_segment_that_was_taken_out_are_no_crash_s_work(desk: Scene) -> None:
    call = desk.call()
    recording = desk.recorded(2, DOCUMENTATION, call=call)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=200)
    desk.recorder.stop(call, recording, 1)
    desk.drained(recording, 1, 50 * FRAME)
    desk.commit(desk.segment(recording, 2, DOCUMENTATION), recording=recording)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()
    # In the third nothing was ever said.
    assert found(desk) == {"segment_empty"}
    assert verify(desk.archive).ok

    rewritten(desk, recording, lambda data, chunks: data[: chunks[-1].offset])
    assert found(desk) == {"broke_off", "chunks_too_few", "segment_empty"}
    assert not verify(desk.archive).ok
    first = sum(chunk.segment == 0 for chunk in chunks_of(whole))
    path.write_bytes(whole)
    rewritten(desk, recording, lambda data, chunks: data[: chunks[first].offset])
    proof = verify(desk.archive)
    assert [(one.code, one.params.get("segment")) for one in proof.findings if one.is_fault] == [("chunks_too_few", 1)]
    # Nor does it help to say so in the row.
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE segments SET chunks = NULL WHERE segment = 1")
    assert "rows_changed" in found(desk)


def test_structure_is_found_again_after_bytes_that_are_no_chunk(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    data = path.read_bytes()
    chunks = chunks_of(data)
    path.write_bytes(data[: chunks[2].offset] + b"KTCH and so on" + data[chunks[2].offset :])

    structure = read_structure(path)
    assert [chunk.index for chunk in structure.chunks] == [0, 1, 2, 3, 4]
    assert [damage.length for damage in structure.damages if isinstance(damage, Damage)] == [14]
    opened = OpenedRecording(structure, recording, {0: desk.keys[recording, 0]})
    assert opened.length() == 200 * FRAME
