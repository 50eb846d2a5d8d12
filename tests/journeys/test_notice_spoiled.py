"""A notice whose sound is no longer the one that was made tells nobody anything, and is made anew."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from softphone.domain.purpose import Reason
from softphone.domain.status import Headline
from tests.journeys.stage import stage
from tests.peers.processes import until

pytestmark = [pytest.mark.journey, pytest.mark.rule("G05")]


def test_a_notice_that_was_cut_in_the_cache_counts_as_heard_by_nobody_and_is_made_anew(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1",), notice_seconds=2.0) as on:
        whole = {made: made.read_bytes() for made in (on.home.folders.cache / "notices").glob("*.wav")}
        for made in whole:
            _cut_in_half(made)
        call = on.call("n1")
        assert on.desk.wait_event("notice_cut", call=call).params["reason"] == "file"
        failed = on.desk.wait_status(lambda one: one.headline is Headline.FAILED, "failed", call)
        assert failed.reasons[0].reason is Reason.NOTICE_FAILED
        until(lambda: all(made.read_bytes() == was for made, was in whole.items()), 10, "a notice made anew")
        on.desk.act(call, "play_again")
        on.desk.wait_event("notice_ended", call=call)
        on.desk.wait_event("first_sample", call=call)
        on.over(call)
        on.end()
    assert on.verified()["ok"]


def _cut_in_half(path: Path) -> None:
    """A whole file all the same, of half the length."""
    with wave.open(str(path), "rb") as sound:
        shape, half = sound.getparams(), sound.readframes(sound.getnframes() // 2)
    with wave.open(str(path), "wb") as cut:
        cut.setparams(shape)
        cut.writeframes(half)
