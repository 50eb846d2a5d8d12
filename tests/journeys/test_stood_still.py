"""A process that is stopped in a call, and goes on: what was said meanwhile is not there, and that is said and marked."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from softphone.archive.files.reader import MarkKind
from softphone.domain.archive.recordings import RATE
from softphone.domain.purpose import KeyRole
from tests.journeys.stage import stage

pytestmark = [pytest.mark.journey, pytest.mark.rule("G10")]


@pytest.mark.parametrize("still", [1.0, 3.0])
def test_recorded_time_is_held_against_the_clock_and_what_is_missing_is_marked(tmp_path: Path, still: float) -> None:
    with stage(tmp_path, lines=("n1",), notice_seconds=0.5) as on:
        call = on.call("n1")
        on.sealed(call, 1.0)
        on.engine.send_signal(signal.SIGSTOP)
        time.sleep(still)  # nothing of it happens in the engine: there is nothing to wait for
        on.engine.send_signal(signal.SIGCONT)
        told = on.desk.wait_event("stood_still", call=call)
        assert still - 0.1 < float(told.params["seconds"] or 0) < still + 0.6
        on.desk.wait_status(lambda one: "stood_still" in one.notes, "a word to the agent", call)
        on.sealed(call, 1.0)
        on.over(call)
        began, ended = (on.desk.told(name, call=call)[0] for name in ("recorder_started", "recorder_stopped"))
        on.end()
        row = on.row(call)
        assert row is not None
        # It is as long as it took.
        assert began.since_answer is not None
        assert ended.since_answer is not None
        length = len(on.exported(row.recording)) / RATE
        assert length == pytest.approx(ended.since_answer - began.since_answer, abs=0.4)
        with on.archive() as archive:
            opened = archive.open_recording(row.recording, row.opened_at, role=KeyRole.DOCUMENTATION)
            gaps = [mark.samples / RATE for mark in opened.marks() if mark.kind is MarkKind.GAP]
        assert gaps == pytest.approx([told.params["seconds"]], abs=0.1)
        assert on.verified()["ok"]
