"""Nothing that waits runs on the engine's loop: seen by what it does meanwhile, in which order."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from softphone.domain.purpose import Purpose, Reason
from softphone.domain.status import Headline, PurposePhase
from softphone.wire.codec import encode
from softphone.wire.to_engine import Mute, SaveSettings
from tests.journeys.hanging_engine import HANGING
from tests.journeys.stage import Stage, stage
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey

LONG = 2.0
"""seconds: a turn takes some milliseconds, and this machine may take its time too; what waits for a disk or a flood takes ten"""


def _say(on: Stage, words: str) -> None:
    assert on.engine.stdin is not None
    on.engine.stdin.write(f"{words}\n".encode())
    on.engine.stdin.flush()


@pytest.mark.rule("G31")
def test_a_disk_that_hangs_as_the_notice_ends_has_failed_and_nobody_waits_for_it(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",), program=HANGING) as on:
        on.expects("a call is not recorded: storage_failed", reason="the disk hangs")
        call = on.call("n7")
        on.desk.wait_event("notice_started", call=call)
        _say(on, "hang")
        failed = on.desk.wait_status(lambda one: one.headline is Headline.FAILED, "failed", call)
        assert failed.reasons[0].reason is Reason.STORAGE_FAILED
        # All of it while the disk hangs: presses, the sound of the call, and settings that cannot be stored yet.
        settings = on.desk.wait(lambda now: now.settings, "settings")
        on.desk.send(SaveSettings("late", settings))
        on.desk.do(Mute, call=call, on=True)
        on.desk.opt_out(call)
        declined = on.desk.wait_status(
            lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ENDED, "no training", call
        )
        assert declined.headline is Headline.FAILED
        talk(on.customer, 25)
        assert "late" not in on.desk.answered
        assert not on.desk.told("audit.purpose_ended", call=call)
        _say(on, "go on")
        on.desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
        on.desk.wait_until(lambda: "late" in on.desk.answered, "stored settings")
        on.sealed(call, 1.0)
        on.over(call)
        assert on.desk.wait(lambda now: now, "a state").longest_turn < LONG
        on.end()
    assert on.verified()["ok"]


def test_a_client_that_never_stops_talking_keeps_nobody_waiting(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",)) as on:
        flood, over = on.attach(), threading.Event()
        crowd = b"".join(encode(Mute(f"flood-{number}", "no-such-call", True)) for number in range(1000))

        def pour() -> None:
            with contextlib.suppress(OSError):
                while not over.is_set():
                    flood.pour(crowd)

        threading.Thread(target=pour, daemon=True).start()
        on.desk.wait_until(lambda: len(flood.answered) > 100, "a flood")
        call = on.call("n7")
        on.sealed(call, 1.0)
        on.desk.opt_out(call)
        on.over(call)
        assert on.desk.wait(lambda now: now, "a state").longest_turn < LONG
        # It still talks: it was not for its end that the others waited.
        before = len(flood.answered)
        on.desk.wait_until(lambda: len(flood.answered) > before, "more of the flood")
        over.set()
        flood.close()
        on.end()
    assert on.verified()["ok"]
