"""Put through in mid-call: who comes to the phone has heard nothing of the notice. Another path for the sound is nobody else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from softphone.domain.status import Headline
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.plain_phone import PlainPhone, plain_phone
from tests.peers.processes import until

pytestmark = [pytest.mark.journey, pytest.mark.rule("G05")]

NOTICE = 2.0


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    folder: Path = tmp_path_factory.mktemp("stage")
    with stage(folder, lines=("n1",), notice_seconds=NOTICE) as one:
        yield one
        one.end()


@contextmanager
def _called(on: Stage) -> Generator[tuple[PlainPhone, str]]:
    """A plain phone has called, and is answered."""
    with plain_phone() as phone:
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = on.desk.answer().id
        try:
            yield phone, call
        finally:
            phone.hang_up()
            on.desk.wait_event("ended", call=call)


def test_a_sound_that_takes_another_path_as_the_call_begins_begins_no_notice_anew(on: Stage) -> None:
    with _called(on) as (phone, call):
        for moved in (1, 2):
            until(lambda moved=moved: phone.count("SIP/2.0 200") == moved, 15, "an answer")
            phone.move()
        on.desk.wait_event("notice_ended", call=call)
        assert phone.count("SIP/2.0 200") == 3
        assert len(on.desk.told("notice_started", call=call)) == 1
        assert not on.desk.told("identity_changed", call=call)


def test_who_is_put_through_in_the_notice_hears_it_from_its_beginning(on: Stage) -> None:
    with _called(on) as (phone, call):
        first = on.desk.wait_event("notice_started", call=call)
        on.desk.wait_event("notice_essentials", call=call)
        phone.put_through("+4530405060")
        on.desk.wait_event("identity_changed", call=call)
        ended = on.desk.wait_event("notice_ended", call=call)
        started = on.desk.told("notice_started", call=call)
        assert len(started) == 2
        assert started[0] == first
        assert started[1].since_answer is not None
        assert ended.since_answer is not None
        assert ended.since_answer - started[1].since_answer > NOTICE


def test_who_is_put_through_later_is_a_newcomer(on: Stage) -> None:
    with _called(on) as (phone, call):
        on.desk.wait_event("notice_ended", call=call)
        phone.offer(headers={"P-Asserted-Identity": "<sip:+4530405060@exchange.example>"})
        on.desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert not on.desk.told("notice_started", call=call)[1:]
