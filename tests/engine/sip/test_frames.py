"""The fast way into a pjsua2 frame's memory, and the slow one it falls back to."""

from __future__ import annotations

import pjsua2 as pj
import pytest

from softphone.engine.sip.media import frames

PATTERN = bytes(range(256)) * 2 + bytes(range(128))


def test_the_fast_copy_is_proved_on_this_platform() -> None:
    assert frames.frame_copiers() == (frames.read_fast, frames.write_fast)


@pytest.mark.parametrize("write", [frames.write_fast, frames.write_slow])
@pytest.mark.parametrize("read", [frames.read_fast, frames.read_slow])
def test_both_ways_carry_the_same_bytes(write: frames.Writer, read: frames.Reader) -> None:
    vector = pj.ByteVector()
    write(vector, PATTERN)
    assert read(vector, len(PATTERN)) == PATTERN


def test_an_empty_frame_has_no_bytes() -> None:
    assert frames.read_fast(pj.ByteVector(), 640) == b""
    assert frames.read_slow(pj.ByteVector(), 640) == b""


def test_another_layout_of_the_vector_takes_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def other_layout(vector: pj.ByteVector) -> tuple[int, int]:
        return int(vector.this), int(vector.this) + 1_000_000

    monkeypatch.setattr(frames, "_bounds", other_layout)
    assert frames.frame_copiers() == (frames.read_slow, frames.write_slow)
