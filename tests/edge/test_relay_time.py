"""What the relay makes of silence: who follows whom, and whether the party is gone. Times are given, no clock runs."""

from __future__ import annotations

import pytest

from softphone.edge.channel import NoSoundYet, PartySoundBack, PartySoundGone, SoundLost
from softphone.edge.relay.events import Counters, PartySilent, RelayEvent
from softphone.edge.relay.presence import ASK_EVERY, GONE_AFTER, LOST_AFTER, RTCP_LATEST, Presence
from softphone.edge.relay.source import FOLLOW_AFTER, Doubt, Source, Verdict

PARTY, SAME_HOST, OTHER = ("192.0.2.1", 4000), ("192.0.2.1", 5000), ("198.51.100.7", 4000)
TICK = 0.02


def talking() -> Source:
    source = Source(Counters())
    source.signal(PARTY)
    source.answer()
    assert source.judge(PARTY, 0.0) is Verdict.PASS
    return source


def verdicts(source: Source, address: tuple[str, int], at: float, packets: int = 10) -> list[Verdict]:
    return [source.judge(address, at + TICK * one) for one in range(packets)]


def test_nobody_is_followed_while_the_source_sends() -> None:
    source = talking()
    for one in range(500):
        source.judge(PARTY, one * TICK)
        assert source.judge(OTHER, one * TICK) is Verdict.DROP
        assert source.judge(SAME_HOST, one * TICK) is Verdict.DROP
    assert source.read_news() == []


def test_the_same_host_is_followed_once_the_source_is_silent() -> None:
    source = talking()
    assert Verdict.PASS not in verdicts(source, SAME_HOST, FOLLOW_AFTER - 0.3)
    assert verdicts(source, SAME_HOST, FOLLOW_AFTER + 0.1)[-1] is Verdict.PASS
    assert source.pinned == SAME_HOST
    assert source.read_news() == []


def test_another_host_is_a_doubt_until_the_source_is_back() -> None:
    source = talking()
    heard = verdicts(source, OTHER, FOLLOW_AFTER + 0.1)
    assert heard[0] is Verdict.DROP, "one datagram from anybody changes nothing"
    assert heard[-1] is Verdict.HEARD_ONLY
    assert source.pinned == PARTY, "what the agent says goes where it went"
    assert source.read_news() == [Doubt.RAISED]
    assert source.judge(PARTY, 3.0) is Verdict.PASS
    assert source.read_news() == [Doubt.SETTLED]
    assert source.judge(OTHER, 3.1) is Verdict.DROP


def test_the_agent_says_that_it_is_the_same_caller() -> None:
    source = talking()
    verdicts(source, OTHER, FOLLOW_AFTER + 0.1)
    source.same_caller(3.0)
    assert source.read_news() == [Doubt.RAISED, Doubt.SETTLED]
    assert source.judge(OTHER, 3.1) is Verdict.PASS
    assert source.judge(SAME_HOST, 3.1) is Verdict.DROP
    source.same_caller(3.2)
    assert source.read_news() == []


def test_after_a_hold_who_sent_before_comes_first() -> None:
    source = talking()
    source.hold(on=True, now=1.0)
    source.hold(on=False, now=60.0)
    assert verdicts(source, OTHER, 60.1) == [Verdict.DROP] * 10
    assert source.judge(PARTY, 61.0) is Verdict.PASS


def test_another_host_signalled_in_a_hold_is_a_doubt_and_the_hold_music_is_none() -> None:
    for new, doubts in ((OTHER, [Doubt.RAISED]), (PARTY, [])):
        source = talking()
        source.hold(on=True, now=1.0)
        source.signal(("203.0.113.9", 9000))
        source.judge(("203.0.113.9", 9000), 1.5)
        source.read_news()
        source.signal(new)
        source.hold(on=False, now=5.0)
        source.judge(new, 5.1)
        assert source.read_news() == doubts


@pytest.fixture
def told() -> list[RelayEvent]:
    return []


@pytest.fixture
def presence(told: list[RelayEvent]) -> Presence:
    one = Presence("a", told.append)
    one.answered()
    return one


def looked(presence: Presence, begins: float, ends: float) -> None:
    at = begins
    while at < ends:
        presence.look(at)
        at += 0.25


def test_no_sound_from_the_start_until_the_first_packet(presence: Presence, told: list[RelayEvent]) -> None:
    looked(presence, 0, 60)
    assert told == [NoSoundYet("a")]
    presence.rtp(60, 60, comfort_noise=False)
    assert told == [NoSoundYet("a"), PartySoundBack("a")]


def test_neither_rtp_nor_rtcp_is_gone_and_it_comes_back(presence: Presence, told: list[RelayEvent]) -> None:
    presence.rtp(1, 1, comfort_noise=False)
    looked(presence, 1, 1 + GONE_AFTER - 0.3)
    del told[:]
    presence.look(1 + GONE_AFTER)
    presence.look(1 + GONE_AFTER + 1)
    presence.rtp(20, 20, comfort_noise=False)
    assert told == [PartySoundGone("a", GONE_AFTER), PartySoundBack("a")]


def test_with_rtcp_it_is_asked_until_that_ends_too(presence: Presence, told: list[RelayEvent]) -> None:
    presence.rtp(1, 1, comfort_noise=False)
    presence.rtcp(4)
    del told[:]
    looked(presence, 1, 4 + RTCP_LATEST - 0.3)
    assert told == [PartySilent("a")]
    presence.party_answers(7, alive=True)
    presence.rtcp(9)
    looked(presence, 9, 9 + RTCP_LATEST - 0.3)
    assert told == [PartySilent("a")]
    presence.look(9 + RTCP_LATEST)
    assert told == [PartySilent("a"), PartySoundGone("a", RTCP_LATEST)]


def test_after_comfort_noise_only_its_own_answer_tells(presence: Presence, told: list[RelayEvent]) -> None:
    presence.rtp(1, 1, comfort_noise=True)
    del told[:]
    looked(presence, 1, 30)
    presence.party_answers(30, alive=True)
    looked(presence, 30, 30 + ASK_EVERY - 25)
    assert told == [PartySilent("a")]
    looked(presence, 36, 70)
    assert told == [PartySilent("a")] * 2
    presence.party_answers(70, alive=False)
    assert told[2:] == [PartySoundGone("a", 40)]


def test_a_hold_is_no_silence(presence: Presence, told: list[RelayEvent]) -> None:
    presence.rtp(1, 1, comfort_noise=False)
    presence.hold(on=True, now=1.5)
    del told[:]
    looked(presence, 2, 300)
    presence.hold(on=False, now=300)
    looked(presence, 300, 304)
    assert told == []
    presence.look(305)
    assert told == [PartySoundGone("a", 5)]


def test_packets_lost_for_half_a_second_are_told_and_silence_that_skips_none_is_not(
    presence: Presence, told: list[RelayEvent]
) -> None:
    presence.rtp(1, 65_530, comfort_noise=False)
    del told[:]
    presence.rtp(1 + LOST_AFTER, 19, comfort_noise=False)  # the numbers begin anew in between
    assert told == [SoundLost("a", LOST_AFTER)]
    del told[:]
    presence.rtp(4, 20, comfort_noise=False)
    presence.rtp(4.3, 35, comfort_noise=False)
    presence.rtp(4.31, 24, comfort_noise=False)  # overtaken on the way
    presence.rtp(4.9, 36, comfort_noise=False)
    presence.hold(on=True, now=5)
    presence.rtp(6, 120, comfort_noise=False)
    presence.hold(on=False, now=7)
    presence.rtp(7.1, 180, comfort_noise=True)
    presence.rtp(8.1, 230, comfort_noise=False)
    assert told == []
