"""A call that could not be recorded, on a full disk, and an engine that ends before there is room: somebody hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.domain.purpose import Reason
from softphone.domain.status import Headline
from tests.journeys.hanging_engine import HANGING
from tests.journeys.stage import ENGINE, stage
from tests.peers.processes import until

pytestmark = [pytest.mark.journey, pytest.mark.rule("G02")]


def test_a_call_that_went_unrecorded_on_a_full_disk_is_told_of_by_the_next_start_and_in_the_log(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1-obligation",), program=HANGING, notice_seconds=0.5) as on:
        on.expects("a call is not recorded: storage_failed", reason="the disk is full", maybe=["storage fails: "])
        call = on.call("n1-obligation")
        on.sealed(call, 1.0)
        assert on.engine.stdin is not None
        on.engine.stdin.write(b"full\n")
        on.engine.stdin.flush()
        failed = on.desk.wait_status(lambda one: one.headline is Headline.FAILED, "failed", call)
        assert failed.reasons[0].reason is Reason.STORAGE_FAILED
        log, note = on.home.folders.log / "engine.log", on.home.folders.data / "unrecorded"
        until(lambda: "a call is not recorded: storage_failed" in log.read_text("utf-8"), 15, "a line in the log")
        until(lambda: call.encode() in note.read_bytes(), 15, "a note of it")
        on.hang_up(call)
        # Not one word of it can be written.
        on.engine.kill()
        on.engine.wait()
        on.engine.stdin.close()

        on.program = ENGINE
        on.start_engine()
        on.ready()
        (said,) = on.desk.wait(
            lambda now: [one for one in now.faults if one.code.startswith("fault.unrecorded")], "a word"
        )
        assert (said.code, said.params["count"]) == ("fault.unrecorded.disk", 1)
        until(lambda: not note.read_bytes().strip(), 10, "that it is told")
        told = [line for line in on.klartone("log").splitlines() if "blev ikke optaget" in line or "was not" in line]
        assert len(told) == 1
        on.end()
        assert on.verified()["ok"]
