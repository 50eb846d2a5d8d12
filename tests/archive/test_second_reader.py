"""Another program can read a recording: one that was written from docs/container.md alone, and knows nothing of ours."""

from __future__ import annotations

import wave
from io import FileIO
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.archive import Archive
from softphone.archive.files.container import (
    FRAME,
    Chunk,
    Content,
    Header,
    Sealer,
    read_header,
    scan,
)
from softphone.archive.files.opus import codec_header
from softphone.archive.files.reader import MarkKind, OpenedRecording, read_structure
from softphone.archive.files.vault import Vault
from softphone.domain.purpose import KeyRole
from tests.archive import second_reader
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, Scene, opened, voices

KEY = bytes(range(32))


def with_a_pause_and_a_gap(desk: Scene) -> str:
    """Two segments, 3.2 s apart; frames are missing in the second."""
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION, TRAINING)
    desk.start(call, recording, 0)
    desk.talk(call, voices(2.5), first=40)
    desk.recorder.stop(call, recording, 0)
    desk.drained(recording, 0, 125 * FRAME)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=325)
    desk.talk(call, voices(1), first=395)
    desk.recorder.stop(call, recording, 1)
    desk.drained(recording, 1, 120 * FRAME)
    return recording


def wraps_of(archive: Archive, recording: str) -> list[second_reader.Wrap]:
    return [
        (one.recording, one.segment, one.role.value, one.key_id, one.suite, one.sealed)
        for one in archive.wraps_of(recording)
    ]


def private_of(desk: Scene, role: KeyRole) -> bytes:
    return desk.memory.held[f"private-{desk.recipients[role].key_id}"]


@pytest.mark.parametrize("role", [KeyRole.TRAINING, KeyRole.CUSTODY])
def test_it_gives_an_export_sample_for_sample_with_pauses_and_gaps(desk: Scene, tmp_path: Path, role: KeyRole) -> None:
    recording = with_a_pause_and_a_gap(desk)
    data = desk.archive.vault.path(recording).read_bytes()

    master = desk.memory.held[f"archive-{desk.archive.id}"]
    wraps = second_reader.wraps_in(desk.folder / "catalog.db", master, recording)
    assert sorted(wraps) == sorted(wraps_of(desk.archive, recording))
    heard = second_reader.read(data, wraps, private_of(desk, role))

    opened(desk.archive, recording, role=role).export(str(tmp_path / "out.wav"), lambda _done, _samples: None)
    with wave.open(str(tmp_path / "out.wav")) as wav:
        ours = np.frombuffer(wav.readframes(wav.getnframes()), "<i2").reshape(-1, 2)
    segments = 1 if role is KeyRole.TRAINING else 2
    assert len(ours) == (125 * FRAME if segments == 1 else (125 + 160 + 120) * FRAME)
    assert np.array_equal(heard, ours)
    assert np.abs(heard).max() > 3_000
    keys = {segment: key for (of, segment), key in desk.keys.items() if of == recording}
    parts = second_reader.parts(data, keys).values()
    assert [(one.origin, one.samples, one.gaps) for one in parts] == [
        (40, 125 * FRAME, []),
        (325, 120 * FRAME, [(50, 20)]),
    ]
    clock = second_reader.header(data)[0]["clock"]
    assert (clock["time_zone"], clock["opened_at"]) == ("Europe/Copenhagen", AT.isoformat())


# --- from any second ----------------------------------------------------------------------------------


class Counted(FileIO):
    """A file that counts what is read of it."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size) or b""
        self.bytes_read += len(data)
        return data


@pytest.mark.parametrize("damaged", [False, True])
def test_playing_from_any_moment_sounds_as_the_whole_does_from_there(desk: Scene, damaged: bool) -> None:
    recording = with_a_pause_and_a_gap(desk)
    path = desk.archive.vault.path(recording)
    if damaged:
        data = path.read_bytes()
        chunk = next(item for item in scan(data, read_header(data)[1]) if isinstance(item, Chunk) and item.index == 1)
        path.write_bytes(data[: chunk.offset + 40] + bytes(50) + data[chunk.offset + 90 :])
    keys = {segment: key for (of, segment), key in desk.keys.items() if of == recording}
    reader = OpenedRecording.open(path, keys)
    whole = np.concatenate(list(reader.pcm()))
    assert reader.length == len(whole) == (125 + 160 + 120) * FRAME
    (mark,) = (one for one in reader.marks() if one.kind is MarkKind.DAMAGED) if damaged else (None,)
    if mark:
        assert mark.samples == RATE
        assert not whole[mark.at : mark.at + mark.samples].any()

    for at in (1, 319, RATE, 2 * RATE + 77, 125 * FRAME - 1, 3 * RATE, (125 + 160) * FRAME, 6 * RATE, len(whole) - 1):
        heard = np.concatenate(list(reader.pcm(at)))
        assert heard.shape == whole[at:].shape
        error = heard.astype(float) - whole[at:]
        assert np.sqrt(np.mean(error**2)) <= 0.01 * np.sqrt(np.mean(whole.astype(float) ** 2)), at
    assert list(reader.pcm(len(whole))) == []
    reader.close()


@pytest.mark.parametrize("second", [0, 3_598])
def test_an_hour_is_played_from_any_second_after_reading_a_fiftieth_of_it_at_most(tmp_path: Path, second: int) -> None:
    head, delay = codec_header()
    header = Header("hour", AT, head, delay, "Europe/Copenhagen").pack()
    sealer = Sealer(header, "hour", 0, KEY)
    vault = Vault(tmp_path)
    vault.create("short", AT)
    writer = vault.writer("short", 0, KEY, 0)
    for at, frame in enumerate(voices(3).reshape(-1, FRAME, 2)):
        writer.write(at, frame[:, 0].tobytes(), frame[:, 1].tobytes())
    writer.finish()
    structure = read_structure(vault.path("short"))
    packets = [Sealer(structure.raw_header, "short", 0, KEY).open(chunk) for chunk in structure.chunks]
    one = packets[1]
    assert one is not None
    with (tmp_path / "hour.ktr").open("wb") as file:
        file.write(header)
        for index in range(3_600):
            content = Content(0, index * 50, (index + 1) * RATE, one.packets)
            file.write(sealer.seal(index, index == 3_599, content))
    size = (tmp_path / "hour.ktr").stat().st_size
    assert size > 10_000_000

    file = Counted(tmp_path / "hour.ktr")
    reader = OpenedRecording(file, {0: KEY})
    assert reader.length == 3_600 * RATE
    block = next(reader.pcm(second * RATE))

    assert np.abs(block).max() > 3_000
    assert file.bytes_read < size / 50, file.bytes_read / size
    before = file.bytes_read
    blocks = reader.pcm(second * RATE)
    next(blocks)
    began = file.bytes_read
    next(blocks, None)
    assert began - before < 256 * 1024
    assert file.bytes_read - began < 16 * 1024
    reader.close()
