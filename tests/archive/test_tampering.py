"""Bytes changed, chunks exchanged, recordings mixed: none of it is taken for what was said, and verify names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from softphone.archive.examine import look
from softphone.archive.examine import verify as proving
from softphone.archive.examine.facts import NOTES, Facts
from softphone.archive.examine.verify import verify
from softphone.archive.files.container import Chunk, Damage, Sealer, read_header, scan
from softphone.archive.files.reader import OpenedRecording, read_structure
from softphone.archive.log.audit import Chain
from softphone.archive.log.checkpoint import heads
from softphone.archive.retention import forgetting
from softphone.archive.schema.tables import metadata, recordings
from softphone.domain.changes import (
    AuditEntry,
    CloseRecording,
)
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, DOCUMENTATION, FRAME, Scene, voices


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


def test_an_untouched_archive_is_proved_by_opening_it_and_without_keys_by_its_structure(
    desk: Scene,
) -> None:
    desk.recorded(3, DOCUMENTATION)
    proof = verify(desk.archive)
    assert (proof.ok, proof.audit_ok, proof.findings, proof.as_json()["ok"]) == (True, True, (), True)
    assert proof.chunks == proof.opened_chunks == 4
    desk.archive.store = desk.only()
    proof = verify(desk.archive)
    assert (proof.ok, proof.chunks, proof.opened_chunks) == (True, 4, 0)


# --- all of a small recording ------------------------------------------------------------------------


class Small:
    """A recording of two segments and some chunks, in about two thousand bytes, and what `verify` says of its file."""

    def __init__(self, desk: Scene, connection: Connection, recording: str) -> None:
        self._look = look.Look(desk.archive)
        self._facts = Facts.of(connection, desk.archive.catalog.slots, [recording])
        self._row = connection.execute(select(recordings).where(recordings.c.recording == recording)).one()
        self.path = desk.archive.vault.path(recording)
        self.whole = self.path.read_bytes()
        chunks = chunks_of(self.whole)
        self.records = [record_of(self.whole, chunks, number) for number in range(len(chunks))]
        self.header = self.whole[: chunks[0].offset]

    def forget(self) -> None:
        """The keys that it has looked for."""
        self._look._privates.clear()

    def found(self, data: bytes) -> list[str]:
        self.path.write_bytes(data)
        return [finding.code for finding in self._look.once(self._row, self._facts)]

    def faults(self, data: bytes) -> list[str]:
        return [code for code in self.found(data) if code not in NOTES]

    def found_in(self, *records: bytes) -> list[str]:
        return self.found(self.header + b"".join(records))


@pytest.fixture
def small(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Small, Small]]:
    """Two that are alike."""
    monkeypatch.setattr("softphone.archive.files.writing.CHUNK_PACKETS", 3)
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


def test_each_byte_of_a_recording_that_is_another_is_found(desk: Scene, small: tuple[Small, Small]) -> None:
    one, _ = small
    assert 1_000 < len(one.whole) < 4_000

    def unseen(step: int) -> list[int]:
        return [
            at
            for at in range(0, len(one.whole), step)
            if not one.found(one.whole[:at] + bytes([one.whole[at] ^ 1 << at % 8]) + one.whole[at + 1 :])
        ]

    assert unseen(37) == []
    # Each of them without any key, by the digest that the log has.
    desk.archive.store = desk.only()
    one.forget()
    assert unseen(1) == []


def test_a_recording_that_is_cut_off_anywhere_or_goes_on_is_found(small: tuple[Small, Small]) -> None:
    one, _ = small
    ends = [len(one.header) + sum(map(len, one.records[:number])) for number in range(len(one.records))]
    assert [at for at in {*range(0, len(one.whole), 5), *ends} if not one.faults(one.whole[:at])] == []
    assert [at for at in range(1, 40) if not one.found(one.whole + bytes(at))] == []


def test_each_chunk_exchanged_taken_out_doubled_or_of_another_recording_is_found(small: tuple[Small, Small]) -> None:
    one, other = small
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
        for foreign in other.records:
            assert one.found_in(*records[:at], foreign, *records[at + 1 :])
            assert one.found_in(*records[:at], foreign, *records[at:])
    assert one.found_in(*other.records)
    assert one.found(other.header + b"".join(records))


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
        with desk.archive.catalog.writing() as tx:
            head = next(heads(tx.connection))
            forgetting.cut(tx, desk.archive.signer, head, AT)
    table = metadata.tables[name]
    unseen: list[tuple[str, Any, Any]] = []
    with desk.archive.catalog.writing() as tx:
        for (trigger,) in tx.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            tx.connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        rows = tx.execute(select(table)).all()
        assert rows
        for row in rows:
            this = [column == row._mapping[column.name] for column in table.columns]
            for column in table.columns:
                for value in values_changed(row._mapping[column.name]):
                    tx.connection.exec_driver_sql("SAVEPOINT one")
                    with suppress(IntegrityError):
                        tx.execute(update(table).where(*this).values({column.name: value}))
                        if not [*proving._log(desk.archive, lambda: nullcontext(tx.connection), None, Chain())]:
                            unseen.append((column.name, row._mapping[column.name], value))
                    tx.connection.exec_driver_sql("ROLLBACK TO one")
    assert unseen == []


@pytest.mark.rule("G11")
def test_other_sound_that_opens_with_the_right_keys_shows_with_or_without_them(desk: Scene) -> None:
    victim, call = desk.recorded(2, DOCUMENTATION), desk.call()
    other = desk.open(call, DOCUMENTATION)
    desk.start(call, other, 0)
    desk.talk(call, voices(2, agent=600))
    desk.recorder.stop(call, other, 0)
    desk.drained(other, 0, 100 * FRAME)
    desk.commit(CloseRecording(victim, AT, (DOCUMENTATION,)), recording=victim)
    assert found(desk) == set()
    source, there = (read_structure(desk.archive.vault.path(one)) for one in (other, victim))
    opens = Sealer(source.raw_header, other, 0, desk.keys[other, 0])
    seals = Sealer(there.raw_header, victim, 0, desk.keys[victim, 0])
    contents = [(chunk, opens.open(chunk)) for chunk in source.chunks]
    records = [seals.seal(chunk.index, chunk.final, content) for chunk, content in contents if content is not None]
    desk.archive.vault.path(victim).write_bytes(there.raw_header + b"".join(records))
    assert found(desk) == {"sound_replaced"}
    desk.archive.store = desk.only()
    assert found(desk) == {"sound_replaced"}


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


def test_structure_is_found_again_after_bytes_that_are_no_chunk(desk: Scene) -> None:
    recording = desk.recorded(4, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    data = path.read_bytes()
    chunks = chunks_of(data)
    path.write_bytes(data[: chunks[2].offset] + b"KTCH and so on" + data[chunks[2].offset :])

    structure = read_structure(path)
    assert [chunk.index for chunk in structure.chunks] == [0, 1, 2, 3, 4]
    assert [damage.length for damage in structure.damages if isinstance(damage, Damage)] == [14]
    opened = OpenedRecording.open(path, {0: desk.keys[recording, 0]})
    assert opened.length == 200 * FRAME
