"""The notice on a real call: after answer and ACK, heard whole, by both, with the microphone closed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from softphone.audio.files import write_wav
from softphone.audio.player import tone
from softphone.calls import turns
from softphone.engine.sip.media.notice import Notice
from tests.engine.sip.hearing import counters, ear, loudness, pairs, tone_frames
from tests.peers.counter import gaps
from tests.peers.second_phone import SecondPhone, connect, part, talk

HERTZ = 300  # below the counter's lowest tone


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    path = tmp_path / "notice.wav"
    write_wav(path, tone(HERTZ, 1.0, level_db=-12))
    return path


@pytest.mark.calm
@pytest.mark.rule("G05")
def test_party_and_agent_hear_the_notice_whole_and_the_party_hears_nothing_of_the_agent(
    agent: SecondPhone, customer: SecondPhone, notice: Path, tmp_path: Path
) -> None:
    customer.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
    ours = agent.wait_for("CallArrived")["call"]
    agent.do("microphone", on=False)
    agent.do("answer")
    established = agent.wait_for("CallEstablished")
    theirs = customer.wait_for("CallEstablished")["call"]
    agent.do("notice", call=ours, wav=str(notice))
    agent.do("microphone", on=True)
    started = agent.wait_for("NoticeStarted")
    played = agent.wait_for("NoticePlayed")
    talk(agent, 20)
    own, heard = pairs(agent, tmp_path, ours), pairs(customer, tmp_path, theirs)
    agents_ear = ear(agent, tmp_path)
    part(customer, agent)

    assert started["at"] - established["t"] >= 0.38
    assert 1.2 <= played["t"] - started["at"] < 1.5

    told = tone_frames(heard.heard, HERTZ)
    first, last = told.index(True), len(told) - 1 - told[::-1].index(True)
    assert 49 <= last - first + 1 <= 52
    assert all(told[first + 1 : last])
    before = loudness(heard.heard)[: first - 1]
    assert len(before) >= 18
    assert max(before) < 30
    after = loudness(heard.heard)[last + 2 : last + 8]
    assert max(after) < 30  # the margin: the microphone opens only when the notice counts as heard
    assert gaps(counters(heard.heard)) == []
    assert counters(heard.heard)[-1] is not None

    assert sum(tone_frames(agents_ear, HERTZ)) >= 40
    assert not any(tone_frames(own.own, HERTZ))
    assert not any(tone_frames(own.heard, HERTZ))
    # While the notice plays, the agent's channel is silent and the party's goes on without a gap.
    silent = [level == 0.0 for level in loudness(own.own)]
    assert sum(silent) >= 80
    assert gaps(counters(own.heard)) == []


@pytest.mark.parametrize(("waited", "silent", "left"), [(0.012, 0.4, 0.388), (9.0, 0.4, 0.38), (0.012, 0.005, 0.005)])
def test_the_silence_before_the_first_word_begins_with_the_notice_not_with_the_next_tick(
    waited: float, silent: float, left: float
) -> None:
    notice = Notice("call", 1, 0.0)
    notice.pcm = bytes(round(silent * 16_000) * 2) + tone(HERTZ, 1.0, level_db=-12)
    notice.began = turns.seconds() - waited
    given = b"".join(iter(notice.next_frame, None))
    first = next(at for at, value in enumerate(given) if value) // 2 / 16_000
    assert first == pytest.approx(left, abs=0.002)
    assert given.rstrip(b"\0").endswith(notice.pcm.strip(b"\0"))


@pytest.mark.parametrize("how", ["stop_notice", "hold", "hang_up"])
def test_a_notice_that_is_cut_short_never_counts_as_played(
    agent: SecondPhone, customer: SecondPhone, notice: Path, how: str
) -> None:
    connect(customer, agent)
    agent.do("notice", wav=str(notice), lead_in=0)
    agent.wait_for("NoticeStarted")
    agent.do(how)
    cut = agent.wait_for("NoticeCut")
    assert cut["reason"] == {"stop_notice": "stopped", "hold": "held", "hang_up": "ended"}[how]
    if how == "hang_up":
        agent.wait_for("CallEnded")
        customer.wait_for("CallEnded")
    else:
        agent.do("notice", wav=str(notice), lead_in=0)
        if how == "hold":
            assert agent.wait_for("Refused")["code"] == "notice_not_possible"
        else:
            agent.wait_for("NoticePlayed", call=cut["call"])
        part(customer, agent)
    played = [e for e in agent.told("NoticePlayed") if e["call"] == cut["call"]]
    assert len(played) == (1 if how == "stop_notice" else 0)


def test_a_party_who_holds_or_hangs_up_cuts_the_notice(agent: SecondPhone, customer: SecondPhone, notice: Path) -> None:
    connect(customer, agent)
    agent.do("notice", wav=str(notice))
    agent.wait_for("NoticeStarted")
    customer.do("hold")
    assert agent.wait_for("NoticeCut")["reason"] == "held"
    customer.wait_for("HoldChanged")
    customer.do("resume")
    agent.wait_for("HoldChanged", by_them=False)
    customer.wait_for("HoldChanged")
    agent.do("notice", wav=str(notice))
    agent.wait_for("NoticeStarted")
    customer.do("hang_up")
    assert agent.wait_for("NoticeCut")["reason"] == "ended"
    agent.wait_for("CallEnded")
    customer.wait_for("CallEnded")


def test_a_file_that_is_no_sound_or_not_what_was_decided_is_not_heard_and_the_call_goes_on(
    agent: SecondPhone, customer: SecondPhone, notice: Path, tmp_path: Path
) -> None:
    connect(customer, agent)
    empty, noise, short = (tmp_path / name for name in ("empty.wav", "noise.wav", "short.wav"))
    empty.write_bytes(b"")
    noise.write_bytes(bytes(range(256)) * 40)
    write_wav(short, bytes(64))
    for path, seconds in ((empty, None), (noise, None), (short, None), (tmp_path / "missing.wav", None), (notice, 9.0)):
        agent.do("notice", wav=str(path), seconds=seconds)
        assert agent.wait_for("NoticeCut")["reason"] == "file"
    talk(customer, 10)
    part(customer, agent)


@pytest.mark.rule("G05")
def test_a_disk_that_does_not_give_the_notice_cuts_it_in_time(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    hangs = tmp_path / "hangs.wav"
    os.mkfifo(hangs)
    connect(customer, agent)
    agent.do("notice", wav=str(hangs))
    assert agent.wait_for("NoticeCut", 5)["reason"] == "late"
    talk(customer, 10)
    part(customer, agent)
    # Whoever waits for it is let go.
    hangs.open("wb").close()


def _stopped_about_its_end(agent: SecondPhone, customer: SecondPhone, tmp_path: Path, times: int) -> None:
    """A player of its own for each notice was once asked for a frame as it went: 2 crashes in 609 stops."""
    short, chance = tmp_path / "short.wav", random.Random(times)
    write_wav(short, tone(HERTZ, 0.2, level_db=-12))
    connect(customer, agent)
    for _ in range(times):
        agent.do("notice", wav=str(short), lead_in=0)
        agent.wait_for("NoticeStarted")
        time.sleep(0.2 + chance.uniform(-0.05, 0.05))  # the moment is what is tried
        agent.do("stop_notice")
    talk(agent, 20)
    talk(customer, 20)
    part(customer, agent)


def test_a_notice_that_is_stopped_about_its_end_costs_no_phone(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    _stopped_about_its_end(agent, customer, tmp_path, 15)


@pytest.mark.torture
@pytest.mark.timeout(1200)
def test_a_notice_that_is_stopped_about_its_end_two_thousand_times_costs_no_phone(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    _stopped_about_its_end(agent, customer, tmp_path, 2000)
