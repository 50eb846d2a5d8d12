"""Several calls at one phone: each with its own frames, one of them the agent's, none taken up without a press."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from softphone.audio.files import write_wav
from softphone.audio.player import tone
from softphone.engine.sip.media.bridge import CallSide, wanted
from tests.engine.sip.hearing import ear, loudness, pairs, tone_frames
from tests.peers.second_phone import SecondPhone, second_phone, talk

ROOT = Path(__file__).resolve().parents[3]
LOW, HIGH, AGENT = 500, 900, 1500
"""Hz: what each party and the agent say all along"""


@contextmanager
def three(folder: Path) -> Generator[tuple[SecondPhone, SecondPhone, SecondPhone]]:
    """The agent, and two parties who answer by themselves; each says a tone of its own."""
    with ExitStack() as ends:
        phones = [ends.enter_context(second_phone(auto_answer=automatic)) for automatic in (False, True, True)]
        for phone, hertz in zip(phones, (AGENT, LOW, HIGH), strict=True):
            wav = folder / f"{hertz}.wav"
            write_wav(wav, tone(hertz, 1.0, level_db=-12))
            phone.do("say", wav=str(wav), loop=True)
        yield phones[0], phones[1], phones[2]


def call(agent: SecondPhone, party: SecondPhone) -> str:
    agent.do("dial", target=f"sip:party@127.0.0.1:{party.udp}")
    party.wait_for("CallEstablished")
    return str(agent.wait_for("CallEstablished")["call"])


def share(pcm: bytes, hertz: int, last: int = 30) -> float:
    """Of the last frames, how many are mostly that tone."""
    found = tone_frames(pcm, hertz)[-last:]
    return sum(found) / len(found)


def silent(pcm: bytes, last: int = 30) -> bool:
    return max(loudness(pcm)[-last:]) == 0.0


def test_two_calls_each_hear_their_own_party_and_only_the_active_one_is_heard(tmp_path: Path) -> None:
    with three(tmp_path) as (agent, one, other):
        first = call(agent, one)
        talk(agent, 30)
        second = call(agent, other)
        assert [told["by_us"] for told in agent.told("HoldChanged") if told["call"] == first] == [True]
        for active, held, hertz in ((second, first, HIGH), (first, second, LOW)):
            if active == first:
                agent.do("resume", call=first)
                agent.wait_for("HoldChanged", call=first, by_us=False)
            talk(agent, 150)
            at_work, waiting = pairs(agent, tmp_path, active), pairs(agent, tmp_path, held)
            assert share(at_work.heard, hertz) > 0.9
            assert share(at_work.own, AGENT) > 0.9
            assert silent(waiting.heard)
            assert silent(waiting.own)
            assert share(ear(agent, tmp_path), hertz) > 0.9
        # Nobody has ever heard the other's voice in a call's own frames.
        assert not any(tone_frames(pairs(agent, tmp_path, first).heard, HIGH))
        assert not any(tone_frames(pairs(agent, tmp_path, second).heard, LOW))
        # The active one ends: the other waits on, and the agent hears nobody.
        one.do("hang_up")
        agent.wait_for("CallEnded", call=first)
        talk(agent, 40)
        assert silent(pairs(agent, tmp_path, second).heard)
        assert max(loudness(ear(agent, tmp_path))[-10:]) < 30
        agent.do("resume", call=second)
        agent.wait_for("HoldChanged", call=second, by_us=False)
        talk(agent, 60)
        assert share(pairs(agent, tmp_path, second).heard, HIGH) > 0.9
        # The agent's next call takes a leg that an earlier one had: it begins with its own party alone.
        third = call(agent, one)
        talk(agent, 150)
        frames = pairs(agent, tmp_path, third)
        assert not any(tone_frames(frames.heard, HIGH))
        assert share(frames.heard, LOW) > 0.9


@pytest.mark.rule("G05")
@pytest.mark.rule("L5")
def test_in_a_conference_each_hears_the_others_and_each_call_has_its_own_party_and_the_agent(tmp_path: Path) -> None:
    notice = tmp_path / "notice.wav"
    write_wav(notice, tone(2200, 1.0, level_db=-12))
    with three(tmp_path) as (agent, one, other):
        first, second = call(agent, one), call(agent, other)
        agent.do("join", call=first, other=second)
        agent.wait_for("HoldChanged", call=first, by_us=False)
        talk(agent, 250)
        for ours, hertz, strange in ((first, LOW, HIGH), (second, HIGH, LOW)):
            frames = pairs(agent, tmp_path, ours)
            assert share(frames.heard, hertz) > 0.9
            assert share(frames.own, AGENT) > 0.9
            assert not any(tone_frames(frames.heard, strange))
        for party in (one, other):
            heard = loudness(pairs(party, tmp_path).heard)[-20:]
            # Two tones of one loudness: about 3 dB more than one.
            assert min(heard) > 1.2 * min(loudness(tone(AGENT, 0.4, level_db=-12)))
        # A notice of one call is heard by whoever is in it.
        agent.do("notice", call=first, wav=str(notice), lead_in=0)
        agent.wait_for("NoticePlayed")
        assert sum(tone_frames(pairs(one, tmp_path).heard, 2200)) < 5, "the third goes on talking over it"
        assert not any(tone_frames(pairs(agent, tmp_path, first).own, 2200))
        # Whoever leaves takes no more part.
        other.do("hang_up")
        agent.wait_for("CallEnded", call=second)
        talk(agent, 60)
        assert share(pairs(one, tmp_path).heard, AGENT) > 0.9


def test_whatever_the_calls_do_a_leg_hears_its_own_stream_alone_and_a_held_call_nobody() -> None:
    flags = [*itertools.product((False, True), repeat=7)]
    for mine, theirs in itertools.product(flags, flags[::5]):
        sides = [CallSide("a", *mine), CallSide("b", *theirs)]
        wires = wanted(sides)
        for side in sides:
            into = {source for source, sink in wires if sink == ("leg", side.call)}
            assert into <= {("stream", side.call)}
            if side.held_by_us or not side.attended:
                out = {source for source, sink in wires if sink == ("stream", side.call)}
                assert out <= {("leg", side.call)}
                assert not any(source == ("stream", side.call) and sink != ("leg", side.call) for source, sink in wires)


PORTS = """
import json
import pjsua2 as pj
from softphone.engine.sip.call import Leg
from softphone.engine.sip.call_audio import CallAudio
from softphone.engine.sip.media.frame_bytes import frame_copiers
from softphone.engine.sip.media.ports import CallPorts, CallSound
from softphone.engine.sip.timers import Timers
endpoint, config = pj.Endpoint(), pj.EpConfig()
endpoint.libCreate()
config.logConfig.level = config.logConfig.consoleLevel = 0
endpoint.libInit(config)
post = lambda _: None
ports = CallPorts(None, frame_copiers(), post)
first, second, third = (CallSound(name, None, post) for name in "abc")
ports.take(first)
used = ports.leg_of("a")
ports.leave(first)
ports.take(second)
anew = ports.leg_of("b") is not used
for _ in range(3):
    used.onFrameReceived(pj.MediaFrame())
ports.take(third)
legs = {one.call: Leg(one.call, "", None, incoming=True, sound=one, established=True) for one in (second, third)}
audio = CallAudio(legs, ports, Timers(), post, post)
audio.attend("b")
held = [second.held, third.held]
print(json.dumps({"anew": anew, "rested": ports.leg_of("c") is used, "held": held}), flush=True)
import os
os._exit(0)
"""


def test_a_leg_rests_between_two_calls_and_one_that_the_agent_has_left_is_silent_before_its_wires_are() -> None:
    """A wire changes a tick later, and an earlier call's frame may be on its way as long."""
    told = subprocess.run([sys.executable, "-c", PORTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(told.splitlines()[-1]) == {"anew": True, "rested": True, "held": [False, True]}
