"""While a call is recorded both hear a tone now and then, the agent's own tones can be off, and a muted agent is silence."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from softphone.audio.files import read_wav
from softphone.engine.sip.media.tones import WARNING_HERTZ, WARNING_SECONDS
from softphone.wire.to_engine import HoldCall, Mute
from tests.engine.sip.hearing import tone_frames
from tests.journeys.stage import Stage, stage
from tests.peers.processes import until
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey


@pytest.mark.calm  # when each tone comes
def test_a_muted_agent_is_silence_in_the_recording_and_the_warning_tone_is_heard_all_the_same(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1",), each='warning_tone = "PT2S"\nagent_tones = false') as on:
        desk = on.desk
        call = on.call("n1")
        desk.do(Mute, call=call, on=True)
        desk.wait_event("first_sample", call=call)
        until(lambda: len(_tones(on)) >= 2, 15, "two warning tones")
        # Held talk is private: neither told to the party nor kept.
        desk.do(HoldCall, call=call, on=True)
        desk.wait_status(lambda one: not one.recording, "held", call)
        sealed = desk.wait_until(lambda: len(desk.told("recorder_stopped", call=call)), "the recorder stopped")
        talk(on.customer, 50)
        desk.do(HoldCall, call=call, on=False)
        desk.wait_until(lambda: len(desk.told("first_sample", call=call)) > sealed, "recorded again")
        on.hang_up(call)
        tones = _tones(on)
        on.end()
        row = on.row(call)
        assert row is not None
        sound = on.exported(row.recording)
    agent, party = sound[:, 0], sound[:, 1]
    assert np.abs(party).max() > 1000
    assert np.abs(agent).max() < 50
    print(f"{len(tones)} warning tones at {tones} s")
    # Every two seconds; a busy machine may delay one of them on its way, and not the next.
    assert all(later - earlier >= 1.5 for earlier, later in pairwise(tones))
    assert desk.tones == []


def _tones(on: Stage) -> list[float]:
    """When the customer heard a warning tone begin, seconds from the call's beginning. One with a gap is still one."""
    own, heard = on.folder / "own.wav", on.folder / "heard.wav"
    on.customer.ask("save", "Saved", own=str(own), heard=str(heard))
    beeps = tone_frames(read_wav(heard), WARNING_HERTZ)
    one = round((WARNING_SECONDS + 0.1) * 50)
    return [at / 50 for at in range(1, len(beeps)) if beeps[at] and not any(beeps[max(0, at - one) : at])]
