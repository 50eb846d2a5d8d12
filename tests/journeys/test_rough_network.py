"""A recorded call over a network that loses, delays, doubles and cuts: what is kept is as long as the talk was, and says what
is missing."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from softphone.domain.archive.recordings import RATE, Mark, MarkKind
from softphone.domain.purpose import Headline, Reason
from tests.journeys.lines import NUMBERS
from tests.journeys.listening import numbers
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.counter import CYCLE
from tests.peers.relay import Way, rough_way

pytestmark = pytest.mark.journey

NEAR = 0.3
"""seconds: two jitter buffers, a look four times a second"""


class Kept(NamedTuple):
    seconds: float
    marks: list[Mark]
    told: float
    """the share of the party's frames that say the number after that of the frame before"""


def called(on: Stage, way: Way) -> tuple[str, float]:
    """A recorded call through it, and when its first sample came."""
    on.customer.do("dial", target=f"sip:{NUMBERS['n1']}@{LOOPBACK}:{way.port}")
    call = on.desk.answer(20).id
    on.customer.wait_for("CallEstablished", 20)
    on.desk.wait_event("first_sample", 20, call=call)
    return call, time.monotonic()


def kept(on: Stage, call: str) -> Kept:
    row = on.row(call)
    assert row is not None
    sound = on.exported(row.recording)
    with on.archive() as archive:
        opened = archive.open_recording(row.recording, row.opened_at)
        marks = opened.marks()
        opened.close()
    said = [one for at in range(0, len(sound), RATE) for one in numbers(sound[at : at + RATE, 1])]
    follow = sum(one is not None and two == (one + 1) % CYCLE for one, two in pairwise(said))
    return Kept(len(sound) / RATE, marks, follow / len(said))


def cut(on: Stage, way: Way, call: str, seconds: float, **weather: float) -> float:
    """Nothing passes for so long; how long it was."""
    began = way.be(cut=True)
    if seconds > 6:
        status = on.desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call, 15)
        assert status.reasons[0].reason is Reason.NO_SOUND
    time.sleep(max(0.0, began + seconds - time.monotonic()))  # of a cut there is nothing to wait for
    lasted = way.be(**weather) - began
    on.desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
    on.sealed(call, 1.5)
    return lasted


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    "cuts", [(1.5, 6.5), pytest.param((5, 30, 90), marks=[pytest.mark.torture, pytest.mark.timeout(900)])]
)
def test_what_a_bad_network_cuts_is_marked_with_its_true_length(cuts: tuple[float, ...], tmp_path: Path) -> None:
    weather = {"loss": 0.02, "jitter": 0.02, "late": 0.01, "double": 0.02}
    with stage(tmp_path, lines=("n1",)) as on, rough_way(on.sip_port, on.customer.udp) as way:
        way.be(**weather)
        call, began = called(on, way)
        on.sealed(call, 1.0)
        lost = [cut(on, way, call, seconds, **weather) for seconds in cuts]
        way.be()
        on.customer.do("hang_up")
        on.desk.wait_event("ended", call=call)
        took = time.monotonic() - began
        on.over(call)
        on.end()
        back = [int(one.params["gap_seconds"] or 0) for one in on.desk.told("audit.party_sound_back", call=call)]
        noticed = [seconds for seconds in lost if seconds > 6]  # at five it may be noticed, or be over
        assert back[-len(noticed) :] == [pytest.approx(seconds, abs=1.5) for seconds in noticed], "whole seconds"
        found = kept(on, call)
        assert found.seconds == pytest.approx(took, abs=2 * NEAR)
        # A long cut is a gap until it is noticed, and a pause from there on, one right behind the other.
        gaps = [one for one in found.marks if one.kind is MarkKind.GAP]
        pauses = [one for one in found.marks if one.kind is MarkKind.PAUSE]
        missing = [
            (gap.samples + sum(one.samples for one in pauses if 0 <= one.at - gap.at - gap.samples < NEAR * RATE))
            / RATE
            for gap in gaps
        ]
        assert missing == [pytest.approx(seconds, abs=NEAR) for seconds in lost]
        assert on.verified()["ok"]


@pytest.mark.torture
@pytest.mark.timeout(300)
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.2])
def test_a_network_that_loses_and_shuffles_packets_costs_neither_the_call_nor_its_length(
    loss: float, tmp_path: Path
) -> None:
    with stage(tmp_path, lines=("n1",)) as on, rough_way(on.sip_port, on.customer.udp) as way:
        way.be(loss=loss, jitter=0.06, late=0.05, double=0.05)
        call, began = called(on, way)
        on.sealed(call, 60.0)
        way.be()
        on.customer.do("hang_up")
        on.desk.wait_event("ended", call=call)
        took = time.monotonic() - began
        on.over(call)
        on.end()
        assert not on.desk.told("audit.party_sound_gone", call=call)
        found = kept(on, call)
        assert found.seconds == pytest.approx(took, abs=2 * NEAR)
        # A busy machine lets the process stand still: that is a gap of its own, and told.
        still = [float(one.params["seconds"] or 0) for one in on.desk.told("stood_still", call=call)]
        gaps = [one.samples / RATE for one in found.marks if one.kind is MarkKind.GAP]
        assert len(gaps) == len(found.marks)
        assert all(any(gap == pytest.approx(one, abs=0.04) for one in still) for gap in gaps), (gaps, still)
        print(f"{loss:.0%} lost: {found.told:.0%} of the frames follow on the one before")
        assert 0.8 - 2 * loss < found.told < 1 - loss / 2, "lost ones are heard as lost, and no others are"
        assert on.verified()["ok"]
