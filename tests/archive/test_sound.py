"""What goes in comes out: sample counts, channels, pauses and marks of recordings, through the real encoder and files."""

from __future__ import annotations

import os
import resource
import wave
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softphone.archive.files import wav
from softphone.archive.files.container import Chunk, Content, Gap, Sealer, read_header, scan
from softphone.archive.files.opus import Decoder, Encoder, codec_header
from softphone.archive.files.reader import MarkKind, OpenedRecording, read_structure
from softphone.archive.files.vault import Vault
from softphone.archive.files.writing import SegmentWriter
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, FRAME, RATE, strength, voices

KEY = bytes(range(32))
ID = "01a212e2-ae58-74b6-8435-2e9e6c2fe590-1"


def written(vault: Vault, frames: int, *, segment: int = 0, origin: int = 0, recording: str = ID) -> None:
    sound = voices(frames / 50)
    writer = vault.writer(recording, segment, KEY, origin)
    for number in range(frames):
        frame = sound[number * FRAME : (number + 1) * FRAME]
        writer.write(origin + number, frame[:, 0].tobytes(), frame[:, 1].tobytes())
    writer.finish()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.create(ID, AT)
    return vault


def opened(vault: Vault, *segments: int) -> OpenedRecording:
    return OpenedRecording.open(vault.path(ID), dict.fromkeys(segments or (0,), KEY))


def exported(sound: OpenedRecording, out: Path) -> None:
    wav.write(sound, out, sound.marks(), lambda: None, lambda _: None)


@settings(max_examples=12, deadline=None)
@given(frames=st.integers(1, 260))
def test_an_export_has_exactly_as_many_samples_as_were_fed(
    tmp_path_factory: pytest.TempPathFactory, frames: int
) -> None:
    vault = Vault(tmp_path_factory.mktemp("vault"))
    vault.create(ID, AT)
    written(vault, frames)
    out = vault.folder / "out.wav"

    exported(opened(vault), out)

    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, RATE, 2)
        assert file.getnframes() == frames * FRAME


def test_what_comes_out_is_what_went_in_at_the_same_time_each_voice_on_its_own_channel_only(vault: Vault) -> None:
    written(vault, 500)
    sound, fed = np.concatenate(list(opened(vault).pcm())).astype(float), voices(10).astype(float)
    agent, party = sound[:, 0], sound[:, 1]
    assert min(strength(agent, 440), strength(party, 1_000)) > 3_000
    assert 20 * np.log10(strength(party, 440) / strength(agent, 440)) < -45
    assert 20 * np.log10(strength(agent, 1_000) / strength(party, 1_000)) < -45
    for channel in (0, 1):
        error = sound[RATE:, channel] - fed[RATE:, channel]
        assert 20 * np.log10(np.std(error) / np.std(fed[RATE:, channel])) < -15


def test_a_lost_chunk_is_silence_of_its_length_and_marked_and_the_rest_stays_in_place(vault: Vault) -> None:
    written(vault, 250)
    whole = np.concatenate(list(opened(vault).pcm()))
    data = vault.path(ID).read_bytes()
    chunks = [item for item in scan(data, read_header(data)[1]) if isinstance(item, Chunk)]
    cut = data[: chunks[1].offset] + data[chunks[2].offset :]
    vault.path(ID).write_bytes(cut)

    recording = opened(vault)
    sound = np.concatenate(list(recording.pcm()))

    assert len(sound) == len(whole) == 250 * FRAME
    marks = recording.marks()
    assert [(mark.kind, mark.samples) for mark in marks] == [(MarkKind.DAMAGED, 50 * FRAME)]
    at = marks[0].at
    assert not sound[at : at + 50 * FRAME].any()
    assert np.array_equal(sound[:at], whole[:at])
    later = slice(at + 60 * FRAME, None)
    assert np.std(sound[later].astype(float) - whole[later]) < 0.02 * np.std(whole[later].astype(float))


def test_a_pause_between_segments_is_silence_of_its_true_length_and_marked(vault: Vault, tmp_path: Path) -> None:
    written(vault, 60, segment=0, origin=100)
    written(vault, 70, segment=1, origin=400)
    recording = opened(vault, 0, 1)

    sound = np.concatenate(list(recording.pcm()))

    pause = (400 - 160) * FRAME
    assert len(sound) == recording.length == 60 * FRAME + pause + 70 * FRAME
    assert not sound[60 * FRAME : 60 * FRAME + pause].any()
    assert [(mark.kind, mark.at, mark.samples) for mark in recording.marks()] == [(MarkKind.PAUSE, 60 * FRAME, pause)]
    exported(recording, tmp_path / "marked.wav")
    assert b"cue " in (tmp_path / "marked.wav").read_bytes()
    assert b"pause 4.80 s" in (tmp_path / "marked.wav").read_bytes()


def test_frames_that_never_came_are_silence_in_place_and_marked(vault: Vault) -> None:
    sound = voices(2)
    writer = vault.writer(ID, 0, KEY, 7)
    for number in [*range(30), *range(40, 100)]:
        frame = sound[number * FRAME : (number + 1) * FRAME]
        writer.write(7 + number, frame[:, 0].tobytes(), frame[:, 1].tobytes())
    writer.finish()

    recording = opened(vault)

    assert recording.segments[0].samples == 100 * FRAME
    assert [(mark.kind, mark.at, mark.samples) for mark in recording.marks()] == [
        (MarkKind.GAP, 30 * FRAME, 10 * FRAME)
    ]


def test_no_byte_of_plain_sound_or_codec_packets_is_in_the_file(vault: Vault) -> None:
    sound = voices(2)
    encoder, packets = Encoder(), []
    writer = vault.writer(ID, 0, KEY, 0)
    for number in range(100):
        frame = sound[number * FRAME : (number + 1) * FRAME]
        packets += encoder.encode(frame[:, 0].tobytes(), frame[:, 1].tobytes())
        writer.write(number, frame[:, 0].tobytes(), frame[:, 1].tobytes())
    writer.finish()
    data = vault.path(ID).read_bytes()

    structure = read_structure(vault.path(ID))
    contents = [Sealer(structure.raw_header, ID, 0, KEY).open(chunk) for chunk in structure.chunks]
    assert packets[10] in b"".join(packet for content in contents if content for packet in content.packets)
    assert not any(packet[:16] in data for packet in packets)
    assert sound[1000:1016].tobytes() not in data


@given(
    origin=st.integers(0, 2**40),
    first=st.integers(0, 2**40),
    packets=st.lists(st.binary(max_size=300), max_size=60),
    gaps=st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 3000)), max_size=5),
)
def test_a_chunk_s_content_survives_packing(
    origin: int, first: int, packets: list[bytes], gaps: list[tuple[int, int]]
) -> None:
    content = Content(origin, first, first * FRAME, tuple(packets), tuple(Gap(*gap) for gap in gaps))
    assert Content.unpack(content.pack()) == content


def test_the_codec_says_its_own_delay_and_that_its_two_streams_share_nothing() -> None:
    head, delay = codec_header()
    family, streams, coupled = head[18:21]  # RFC 7845, section 5.1
    assert (family, streams, coupled) == (255, 2, 0)
    assert delay == int.from_bytes(head[10:12], "little") // 3 == 40
    assert Decoder(head).decode(Encoder().encode(bytes(640), bytes(640))[0]).shape == (FRAME, 2)


def test_a_chunk_is_told_only_when_it_is_on_the_disk(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    sync = os.fdatasync

    def spy(descriptor: int) -> None:
        sync(descriptor)
        told.append("synced")

    monkeypatch.setattr(os, "fdatasync", spy)
    writer = vault.writer(ID, 0, KEY, 0, lambda samples: told.append(f"sealed {samples}"))
    for number in range(70):
        writer.write(number, bytes(640), bytes(640))
    assert told == ["synced", f"sealed {50 * FRAME}"]
    writer.finish()
    assert told[2:] == ["synced", f"sealed {70 * FRAME}"]


@contextmanager
def refusing(path: Path, how: str) -> Generator[None]:
    """The system itself refuses what is written to that open file, or that it is on the disk."""
    if how == "too long":
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    (number,) = (int(one.name) for one in Path("/proc/self/fd").iterdir() if one.exists() and one.samefile(path))
    kept = os.dup(number)
    other = os.open(
        {"full": "/dev/full", "not synced": "/dev/null"}.get(how, path), os.O_RDWR if how != "closed" else 0
    )
    try:
        os.dup2(other, number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)
        os.close(other)


def fed(writer: SegmentWriter, first: int, frames: int) -> None:
    """Other sound at every place, so that no two chunks are alike."""
    sound = voices((first + frames) / 50)[first * FRAME :]
    for number in range(frames):
        frame = sound[number * FRAME : (number + 1) * FRAME]
        writer.write(first + number, frame[:, 0].tobytes(), frame[:, 1].tobytes())


def _fed_more(writer: SegmentWriter) -> None:
    fed(writer, 150, 60)


@pytest.mark.parametrize("how", ["full", "not synced", "closed", "too long"])
@pytest.mark.parametrize("used_on", [_fed_more, SegmentWriter.break_off, SegmentWriter.finish])
def test_a_writer_whose_chunk_was_refused_seals_no_other_under_its_nonce(
    vault: Vault, how: str, used_on: Callable[[SegmentWriter], None]
) -> None:
    writer = vault.writer(ID, 0, KEY, 0)
    fed(writer, 0, 75)
    before = vault.path(ID).read_bytes()
    with refusing(vault.path(ID), how), pytest.raises(ArchiveError) as refused:
        fed(writer, 75, 75)

    for _ in range(2):
        with pytest.raises(ArchiveError) as again:
            used_on(writer)
        assert again.value.code == refused.value.code

    assert vault.path(ID).read_bytes() == before
    written(vault, 60, segment=1, origin=150)
    chunks = [(chunk.segment, chunk.index) for chunk in read_structure(vault.path(ID)).chunks]
    assert chunks == [(0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize("indices", [(0, 0), (0, 1, 0), (3, 2)])
def test_a_sealer_uses_no_nonce_twice(indices: tuple[int, ...]) -> None:
    sealer = Sealer(b"header", ID, 0, KEY)
    *earlier, last = indices
    for index in earlier:
        sealer.seal(index, False, Content(0, 50 * index, 50 * RATE, (b"one",)))

    with pytest.raises(ValueError, match=str(last)):
        sealer.seal(last, False, Content(0, 50 * last, 50 * RATE, (b"another",)))
