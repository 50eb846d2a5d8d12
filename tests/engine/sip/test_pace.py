"""A call's frames against the clock: what was late is not lost, and what was lost is said once, at its length."""

from __future__ import annotations

import random

import pytest

from softphone.engine.sip.media.stall_detector import TICK, StallDetector
from tests.peers.second_phone import SecondPhone, connect, part, talk


def _lost(moments: list[float]) -> list[int]:
    pace = StallDetector()
    return [lost for at in moments if (lost := pace.lost(at))]


def test_ticks_that_are_late_and_are_caught_up_with_are_not_lost() -> None:
    chance = random.Random(7)
    even = [one * TICK + chance.random() * 0.3 * (one % 97 == 0) for one in range(50_000)]
    # Half a second late, all of them at once, and on time again.
    burst = [max(one * TICK, 10.45 + (one - 500) * 0.001) if one >= 500 else one * TICK for one in range(2_000)]
    assert _lost(sorted(even)) == _lost(burst) == []


@pytest.mark.parametrize("still", [0.8, 2.0, 20.0, 3 * 3600.0])
def test_a_process_that_stood_still_has_lost_what_it_never_catches_up_with(still: float) -> None:
    first = [one * TICK for one in range(500)]
    # Two come at once, then it goes on as before; and once more.
    again = first[-1] + still
    then = [again, again + 0.001, *(again + one * TICK for one in range(1, 500))]
    twice = [*first, *then, *(then[-1] + still + one * TICK for one in range(500))]
    assert [lost * TICK for lost in _lost(twice)] == pytest.approx([still, still], abs=0.05)


def test_two_clocks_that_do_not_quite_agree_lose_nothing_in_an_hour() -> None:
    assert _lost([one * TICK * 1.0003 for one in range(180_000)]) == []


def test_a_call_that_is_held_for_long_has_not_stood_still(agent: SecondPhone, customer: SecondPhone) -> None:
    connect(customer, agent)
    for who, told in ((agent, "by_us"), (customer, "by_them")):
        who.do("hold")
        agent.wait_for("HoldChanged", **{told: True})
        talk(agent, 75)
        who.do("resume")
        agent.wait_for("HoldChanged", **{told: False})
        talk(agent, 25)
    part(customer, agent)
    assert not agent.told("StoodStill")
