"""A working day in a quarter of an hour: hundreds of calls of every kind on one engine, which ends as light as it was."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from softphone.domain.purpose import Headline, Purpose
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Activate, Consult, Decline, Dial, EndWrapUp, HoldCall, Join, Transfer
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.weight import WEIGHED, Weight, bytes_a_call, lightest, weighed

pytestmark = [pytest.mark.journey, pytest.mark.torture, pytest.mark.timeout(3600)]

CALLS = 400
WARM = 220
"""calls: facts and rows of the newest two hundred are kept on purpose, some kB each"""
LOOKS = 3
"""hours, of those behind `WARM` and of the last: a call leaves what the lightest of these differ by"""
A_CALL = 3_000
"""bytes that a call may leave in use"""


class Day(NamedTuple):
    on: Stage
    other: SecondPhone
    """a colleague, or a second caller; it answers by itself"""

    def recorded(self, line: str = "n1") -> str:
        call = self.on.call(line)
        self.on.desk.wait_event("first_sample", 20, call=call)
        return call

    def recording(self, call: str) -> None:
        self.on.desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)

    def paused(self, call: str) -> None:
        self.on.desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)

    def ended(self, call: str) -> None:
        """And its wrap-up, too."""
        self.on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        self.on.desk.do(EndWrapUp, call=call)
        self.on.desk.wait_event("audit.wrap_up_ended", call=call)

    def act(self, call: str, action: str) -> None:
        self.on.desk.wait_status(lambda one: action in one.actions, action, call, 20)
        self.on.desk.act(call, action)


# --- kinds of calls: each says how many the engine had ------------------------------------------------


def incoming(day: Day) -> int:
    day.on.over(day.recorded())
    return 1


def consent_by_key(day: Day) -> int:
    call = day.on.call("n3")
    day.on.consent(call)
    day.on.over(call)
    return 1


def opted_out(day: Day) -> int:
    call = day.recorded("n7")
    day.on.desk.opt_out(call)
    day.on.desk.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "documentation alone", call)
    day.on.over(call)
    return 1


def disputed(day: Day) -> int:
    call = day.recorded()
    day.on.desk.dispute(call)
    day.on.over(call)
    return 1


def held(day: Day) -> int:
    call = day.recorded()
    for on in (True, False):
        day.on.desk.do(HoldCall, call=call, on=on)
        (day.paused if on else day.recording)(call)
    day.on.over(call)
    return 1


def outgoing(day: Day) -> int:
    target = f"sip:customer@{LOOPBACK}:{day.on.customer.udp}"
    call = day.on.desk.do(Dial, account="agent", target=target, line="n1").result["call"]
    day.on.customer.wait_for("CallArrived")
    day.on.customer.do("answer")
    for action in ("person_answered", "notice_read"):
        day.act(call, action)
    day.on.desk.wait_event("first_sample", 20, call=call)
    day.on.over(call)
    return 1


def transferred(day: Day) -> int:
    call = day.recorded()
    day.on.desk.do(Transfer, call=call, target=f"sip:204@{LOOPBACK}:{day.other.udp}")
    asked = day.on.customer.wait_for("ReferAsked")
    day.on.customer.do("tell_referrer", call=asked["call"], code=200)
    day.ended(call)
    return 1


def conference(day: Day) -> int:
    call = day.recorded()
    colleague = day.on.desk.do(Consult, call=call, target=f"sip:204@{LOOPBACK}:{day.other.udp}").result["call"]
    day.on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a consultation", colleague)
    day.on.desk.do(Join, call=colleague)
    day.act(call, "notice_read")
    day.recording(call)
    day.other.do("hang_up")
    day.on.desk.wait_call(lambda one: not one.conference, "two again", call)
    day.on.over(call)
    return 2


def two_at_once(day: Day) -> int:
    first = day.recorded()
    day.other.do("dial", target=f"sip:{NUMBERS['n1']}@{LOOPBACK}:{day.on.sip_port}")
    second = day.on.desk.answer().id
    day.paused(first)
    day.on.desk.wait_event("first_sample", 20, call=second)
    day.other.do("hang_up")
    day.ended(second)
    day.on.desk.do(Activate, call=first)
    day.recording(first)
    day.on.over(first)
    return 2


def missed(day: Day) -> int:
    day.on.ring("n1")
    call = day.on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "it rings").id
    day.on.customer.do("hang_up")

    def listed(now: Snapshot) -> bool:
        return any(one.id == call and one.outcome == "missed" for one in now.history)

    day.on.desk.wait(listed, "missed")
    return 1


def declined(day: Day) -> int:
    day.on.ring("n1")
    call = day.on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "it rings")
    day.on.desk.do(Decline, call=call.id)
    day.on.customer.wait_for("CallEnded")
    return 1


HOUR: tuple[Callable[[Day], int], ...] = (
    *(incoming, consent_by_key, held, incoming, outgoing, opted_out, missed, incoming, two_at_once, consent_by_key),
    *(incoming, disputed, outgoing, held, transferred, incoming, opted_out, conference, consent_by_key, declined),
)


def test_a_working_day_of_all_kinds_of_calls_leaves_the_engine_as_light_as_it_was(tmp_path: Path) -> None:
    with (
        stage(tmp_path, lines=("n1", "n3", "n7"), notice_seconds=0.5, edge=True, program=WEIGHED) as on,
        second_phone(auto_answer=True) as other,
    ):
        # Whoever waits for a recording notices one that is missing; a call that ends before is none.
        on.expects(
            maybe=["a call is not recorded: storage_failed"], reason="the archive's answer comes late on a busy machine"
        )
        day, kinds, calls, began = Day(on, other), Counter[str](), 0, time.monotonic()
        turn, weights = 0.0, list[Weight]()
        while calls < CALLS:
            for kind in HOUR:
                calls += kind(day)
                kinds[kind.__name__] += 1
                for phone in (on.customer, other):
                    phone.do("forget")
            if calls >= WARM:
                # Always after the same calls. To be weighed takes a turn of the loop's.
                turn = turn or on.desk.wait(lambda now: now, "a state").longest_turn
                weights.append(weighed(on.engine.pid, calls))
        took = time.monotonic() - began
        first, last = lightest(weights[:LOOKS]), lightest(weights[-LOOKS:])
        print(
            f"\n{calls} calls in {took / 60:.1f} min: {dict(kinds)}\n"
            f"from the call {first.calls} to the call {last.calls}: {bytes_a_call(first, last):.0f} bytes a call in use, "
            f"{(last.own - first.own) / (last.calls - first.calls):.0f} with what the allocators keep: "
            f"{last.own / 2**20:.0f} MiB; {last.descriptors} descriptors (before {first.descriptors}), "
            f"{last.threads} threads (before {first.threads}); the loop's longest turn {turn * 1000:.0f} ms"
        )
        on.end()
        assert on.verified()["ok"]
        assert bytes_a_call(first, last) < A_CALL
        assert last.descriptors <= first.descriptors
        assert last.threads <= first.threads
