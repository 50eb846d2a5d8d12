"""A call from a real baresip, recorded: what it said is in the archive, in its own channel."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import pytest

from softphone.wire.snapshot import CallPhase
from tests.engine.sip.hearing import tone_frames
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, stage
from tests.peers.baresip import baresip

pytestmark = [pytest.mark.journey, pytest.mark.peer("baresip")]

HERTZ = 620
RATE = 8_000


def _tone(path: Path, seconds: int = 30) -> Path:
    samples = (round(8000 * math.sin(2 * math.pi * HERTZ * n / RATE)) for n in range(seconds * RATE))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


@pytest.mark.rule("G05")
def test_a_call_from_baresip_is_told_of_and_recorded_after_the_notice(tmp_path: Path) -> None:
    with stage(tmp_path / "stage", lines=("n7",)) as on, baresip(_tone(tmp_path / "says.wav")) as caller:
        caller.dial(f"sip:{NUMBERS['n7']}@{LOOPBACK}:{on.sip_port}")
        call = on.desk.answer().id
        on.sealed(call, 2.0)
        ended = on.desk.wait_event("notice_ended", call=call)
        first = on.desk.wait_event("first_sample", call=call)
        assert ended.since_answer is not None
        assert first.since_answer is not None
        assert first.since_answer > ended.since_answer
        caller.hang_up()
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        on.end()
    row = on.row(call)
    assert row is not None
    sound = on.exported(row.recording)
    agent, party = (tone_frames(sound[:, side].copy().tobytes(), HERTZ) for side in (0, 1))
    print(f"{sum(party)} of {len(party)} frames are baresip's tone; {sum(agent)} in the agent's channel")
    # What baresip sends late on a busy machine is concealed.
    assert sum(party) / len(party) > 0.8
    assert sum(agent) == 0
    assert on.verified()["ok"]
