"""A file sealed to the house's keys by a program of somebody's own: what it says of itself is bounded by what is in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.examine.verify import verify
from softphone.archive.files import wav
from softphone.archive.files.container import Content, Gap, Sealer
from softphone.archive.files.reader import read_structure
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, DOCUMENTATION, FRAME, RATE, Scene, export

YEARS = 2**55


def packets(desk: Scene, recording: str) -> tuple[bytes, ...]:
    structure = read_structure(desk.archive.vault.path(recording))
    content = Sealer(structure.raw_header, recording, 0, desk.keys[recording, 0]).open(structure.chunks[0])
    assert content is not None
    return content.packets


def seal(desk: Scene, recording: str, *contents: tuple[int, Content]) -> None:
    """The recording's file anew, with these chunks alone, the last of them final."""
    path = desk.archive.vault.path(recording)
    raw = read_structure(path).raw_header
    sealer = Sealer(raw, recording, 0, desk.keys[recording, 0])
    last = contents[-1][0]
    path.write_bytes(raw + b"".join(sealer.seal(index, index == last, content) for index, content in contents))


HOSTILE: dict[str, Callable[[tuple[bytes, ...]], list[tuple[int, Content]]]] = {
    "samples": lambda some: [(0, Content(0, 0, YEARS, some))],
    "origin": lambda some: [(0, Content(0, 0, RATE, some)), (1, Content(YEARS, 50, YEARS, some))],
    "first": lambda some: [(0, Content(0, 0, RATE, some)), (1, Content(0, YEARS, YEARS, some))],
    "index": lambda some: [(0, Content(0, 0, RATE, some)), (2**31, Content(0, 2**31 * 50, YEARS, some))],
    "gap": lambda some: [(0, Content(0, 0, RATE, some, (Gap(0, 2**31),)))],
}


@pytest.mark.rule("G11")
@pytest.mark.parametrize("what", list(HOSTILE))
def test_what_its_packets_do_not_bear_out_passes_no_proof_and_takes_no_room(
    desk: Scene, tmp_path: Path, what: str
) -> None:
    recording = desk.closed(DOCUMENTATION)
    seal(desk, recording, *HOSTILE[what](packets(desk, recording)))

    assert "chunk_changed" in {one.code for one in verify(desk.archive).findings}
    with closing(desk.archive.open_recording(recording, AT)) as reader:
        assert reader.length <= 2 * RATE
        assert sum(len(block) for block in reader.pcm()) == reader.length
    out = tmp_path / "out.wav"
    done = export(desk.archive, recording, out)
    assert done.seconds <= 2
    assert out.stat().st_size < 1 << 20


def test_a_packet_that_is_no_sound_is_silence(desk: Scene, tmp_path: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    some = packets(desk, recording)
    junk = (b"", b"\xff" * 40, bytes(3), *some[3:])
    seal(desk, recording, (0, Content(0, 0, RATE, junk)))
    done = export(desk.archive, recording, tmp_path / "out.wav")
    assert done.seconds == 1
    sound = np.concatenate(list(desk.archive.open_recording(recording, AT).pcm()))
    assert np.abs(sound[: 2 * FRAME]).max() < 100
    assert np.abs(sound[10 * FRAME :]).max() > 1_000


def test_an_export_is_refused_before_its_first_byte_where_there_is_no_room(
    desk: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    some = packets(desk, recording)
    seal(desk, recording, (0, Content(0, 0, RATE, some)))
    out = tmp_path / "out.wav"
    monkeypatch.setattr(wav, "MOST", 4 * RATE - 1)
    with pytest.raises(ArchiveError) as refused:
        export(desk.archive, recording, out)
    assert refused.value.code == "error.archive.export_large"
    assert not list(tmp_path.glob("out*"))
