"""A network that is held up for a moment and then gives all at once: the sound comes later, and all of it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.audio.files import read_wav
from softphone.engine.sip.settings import PhoneSettings
from tests.journeys.listening import numbers
from tests.peers.counter import counter_sound
from tests.peers.plain_phone import plain_phone
from tests.peers.processes import until
from tests.peers.second_phone import second_phone, talk

FRAMES = 150


@pytest.mark.calm
def test_what_a_network_holds_back_is_heard_all_the_same(tmp_path: Path) -> None:
    with second_phone(jitter=PhoneSettings().jitter_ms) as agent, plain_phone() as phone:
        phone.call("127.0.0.1", agent.udp, "agent")
        agent.wait_for("CallArrived")
        agent.do("answer")
        agent.wait_for("CallEstablished")
        talk(agent, 10)
        # 160 ms in each second.
        phone.held_up = (50, 8)
        phone.say(counter_sound(FRAMES))
        # By its own clock, which may be slower than ours.
        until(lambda: not phone.says, 20, "the last number said")
        talk(agent, 50)
        agent.ask("save", "Saved", own=str(tmp_path / "own.wav"), heard=str(tmp_path / "heard.wav"))
        phone.hang_up()
        agent.wait_for("CallEnded")
    heard = {number for number in numbers(read_wav(tmp_path / "heard.wav")) if number is not None}
    missing = sorted(set(range(FRAMES)) - heard)
    print(f"{len(missing)} of {FRAMES} frames not heard: {missing}")
    assert len(missing) <= 2
