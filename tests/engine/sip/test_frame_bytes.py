"""The fast way into a pjsua2 frame's memory, and the slow one it falls back to."""

from __future__ import annotations

import pjsua2 as pj
import pytest

from softphone.engine.sip.media import frame_bytes

PATTERN = bytes(range(256)) * 2 + bytes(range(128))


def test_the_fast_copy_is_proved_on_this_platform() -> None:
    assert frame_bytes.frame_copiers() == (frame_bytes.read_fast, frame_bytes.write_fast)


@pytest.mark.parametrize("write", [frame_bytes.write_fast, frame_bytes.write_slow])
@pytest.mark.parametrize("read", [frame_bytes.read_fast, frame_bytes.read_slow])
def test_both_ways_carry_the_same_bytes(write: frame_bytes.Writer, read: frame_bytes.Reader) -> None:
    vector = pj.ByteVector()
    write(vector, PATTERN)
    assert read(vector, len(PATTERN)) == PATTERN


def test_an_empty_frame_has_no_bytes() -> None:
    assert frame_bytes.read_fast(pj.ByteVector(), 640) == b""
    assert frame_bytes.read_slow(pj.ByteVector(), 640) == b""


def test_another_layout_of_the_vector_takes_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def other_layout(vector: pj.ByteVector) -> tuple[int, int]:
        return int(vector.this), int(vector.this) + 1_000_000

    monkeypatch.setattr(frame_bytes, "_bounds", other_layout)
    assert frame_bytes.frame_copiers() == (frame_bytes.read_slow, frame_bytes.write_slow)
