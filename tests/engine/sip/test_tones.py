"""Tones that the phone makes: the one that warns both sides of a recording, and the ringing that the caller alone hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.engine.sip.media.tones import RINGING_HERTZ, WARNING_HERTZ, WARNING_SECONDS
from tests.engine.sip.hearing import ear, loudness, pairs, tone_frames
from tests.peers.processes import until
from tests.peers.second_phone import connect, part, second_phone, talk


@pytest.mark.calm
def test_the_warning_tone_is_heard_by_both_and_is_in_no_recording_of_ours(tmp_path: Path) -> None:
    # Both are silent, so that the tone stands alone.
    with second_phone() as agent, second_phone() as customer:
        theirs, ours = connect(customer, agent)
        talk(agent, 25)
        agent.do("warn")
        talk(customer, 40)
        agent.do("warn")
        talk(customer, 40)
        heard = pairs(customer, tmp_path, theirs).heard
        recorded = pairs(agent, tmp_path, ours)
        own_ear = ear(agent, tmp_path)
        part(customer, agent)
    frames = round(WARNING_SECONDS * 50)
    for sound in (heard, own_ear):
        beeps = tone_frames(sound, WARNING_HERTZ)
        assert 2 * (frames - 2) <= sum(beeps) <= 2 * (frames + 2)
        # Modest: about 24 dB below full scale.
        assert 1200 < max(loudness(sound)) < 3500
    assert not any(tone_frames(recorded.own, WARNING_HERTZ))
    assert not any(tone_frames(recorded.heard, WARNING_HERTZ))


def test_no_warning_tone_reaches_a_party_on_hold(tmp_path: Path) -> None:
    with second_phone() as agent, second_phone() as customer:
        theirs, _ = connect(customer, agent)
        agent.do("hold")
        agent.wait_for("HoldChanged", by_us=True)
        agent.do("warn")
        talk(customer, 25)
        assert not any(tone_frames(pairs(customer, tmp_path, theirs).heard, WARNING_HERTZ))
        part(customer, agent)


def test_who_calls_hears_it_ring_until_the_answer(tmp_path: Path) -> None:
    with second_phone() as agent, second_phone() as customer:
        agent.do("dial", target=f"sip:customer@127.0.0.1:{customer.udp}")
        customer.wait_for("CallArrived")

        def ringing() -> int:
            return sum(tone_frames(ear(agent, tmp_path), RINGING_HERTZ))

        until(lambda: ringing() >= 20, 10, "the ringing tone")
        customer.do("answer")
        agent.wait_for("CallEstablished")
        before = ringing()
        talk(agent, 75)
        assert ringing() - before <= 2
        assert not any(tone_frames(pairs(agent, tmp_path).heard, RINGING_HERTZ))
        part(customer, agent)
