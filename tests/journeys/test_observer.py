"""Who attaches as an observer looks on, and can do nothing: not even end the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.wire.from_engine import Refused
from softphone.wire.to_engine import Dial, LockEarlier, Quit, WatchLevels
from tests.journeys.desk import Desk
from tests.journeys.stage import LOOPBACK, stage

pytestmark = pytest.mark.journey


def test_an_observer_is_told_everything_and_refused_every_command(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",)) as on, Desk.attached(on.runtime, "observer") as eye:
        answers = [
            eye.ask(Dial, account="agent", target=f"sip:somebody@{LOOPBACK}"),
            eye.ask(LockEarlier, call="none"),
            eye.ask(WatchLevels, on=True),
            eye.ask(Quit),
        ]
        for answer in answers:
            assert isinstance(answer, Refused)
            assert answer.said.code == "refused.observer"
        call = on.call("n7")
        eye.wait_event("answered", call=call)
        assert not eye.told("dialled")
        on.hang_up(call)
        on.end()
