"""Bytes changed, chunks exchanged, recordings mixed: none of it is taken for what was said, and verify names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softphone.archive.files.container import Chunk, Damage, Sealer, read_header, scan
from softphone.archive.files.reader import MarkKind, OpenedRecording, read_structure
from softphone.archive.verify import verify
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, DOCUMENTATION, FRAME, Scene, scene


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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_is_found_and_is_never_heard(desk: Scene, data: st.DataObject) -> None:
    recordings = desk.archive.list()
    recording = recordings[0].recording if recordings else desk.recorded(2, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    try:
        proof = verify(desk.archive)
        # A bit of the last record's length or magic looks like a cut-off end: told too, as what a crash leaves.
        assert {finding.code for finding in proof.findings} & {
            "chunk_damaged", "object_unreadable", "object_of_another", "torn", "chunk_changed", "chunk_missing"
        }  # fmt: skip
        heard: list[Chunk] = []
        try:
            heard = list(read_structure(path).chunks)
        except ArchiveError:
            return
        sealer = Sealer(whole[: read_header(whole)[1]], recording, 0, desk.keys[recording, 0])
        original = {chunk.index: chunk.sealed for chunk in chunks_of(whole)}
        assert all(sealer.open(chunk) is None or chunk.sealed == original[chunk.index] for chunk in heard)
    finally:
        path.write_bytes(whole)


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
        connection.exec_driver_sql(
            "UPDATE wraps SET sealed = (SELECT sealed FROM wraps WHERE recording = ? AND role = 'documentation') "
            "WHERE recording = ? AND role = 'documentation'",
            (other, one),
        )
    assert found(desk) == {"wrap_changed"}
    with pytest.raises(ArchiveError) as refused:
        desk.archive.open_recording(one, AT, role=KeyRole.DOCUMENTATION)
    assert refused.value.code == "error.archive.wrap_changed"
    with catalog.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wraps WHERE role = 'custody'")
        connection.exec_driver_sql(
            "INSERT INTO wraps SELECT recording, segment, 'training', key_id, suite, desk, sealed FROM wraps"
        )
    assert {"wrap_missing", "wrap_too_many"} <= found(desk)


def test_a_segment_that_lost_all_its_chunks_is_told(desk: Scene) -> None:
    recording = desk.recorded(2, DOCUMENTATION)
    rewritten(desk, recording, lambda data, chunks: data[: chunks[0].offset])
    assert found(desk) == {"segment_empty"}


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
