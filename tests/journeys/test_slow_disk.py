"""What keeps the recorder waiting in a real call: said at once, kept in memory, written whole, and no word of it afterwards. And
frames that it waits for in vain."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.archive.files.reader import MarkKind
from softphone.domain.purpose import KeyRole, Reason
from softphone.domain.status import Headline
from tests.journeys.stage import stage
from tests.journeys.watched_engine import STALLED, WATCHED, stall_encoder
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey

STALL = 5.0


def test_a_recorder_that_waits_is_told_in_the_call_which_is_recorded_whole(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n3",), program=WATCHED, notice_seconds=0.5) as on:
        call = on.call("n3")
        on.consent(call)
        stall_encoder(on, STALL)
        talk(on.customer, 50)
        on.desk.wait(lambda s: [one for one in s.faults if one.code == "fault.archive.slow"], "a word of it")
        assert (tmp_path / "home" / STALLED).read_text() == "begun"
        on.desk.wait_status(lambda status: status.headline is Headline.RECORDING, "recording", call, 0.1)
        on.desk.wait(lambda s: not s.faults, "no word of it any more")
        on.sealed(call, 1)
        on.over(call)
        assert {one.said.code for one in on.desk.faults} == {"fault.archive.slow"}
        on.end()
        assert on.verified()["ok"]


def test_frames_that_no_longer_come_are_missed_and_the_call_is_recorded_again_once_they_do(tmp_path: Path) -> None:
    program = ("-m", "tests.journeys.process_engine", "--frames-fail")
    with stage(tmp_path, lines=("n7",), program=program, notice_seconds=0.5) as on:
        on.expects(reason="frames fail", maybe=["phone fault frames", "recorder_failed"])
        call = on.call("n7")
        on.desk.wait_event("first_sample", call=call)
        failed = on.desk.wait_status(lambda status: status.headline is Headline.FAILED, "failed", call)
        assert failed.reasons[0].reason is Reason.RECORDER_FAILED
        on.desk.wait_status(lambda status: status.headline is Headline.RECORDING, "recording again", call)
        talk(on.customer, 75)
        on.over(call)
        on.end()
        row = on.row(call)
        assert row is not None
        assert on.verified()["ok"]
        with on.archive() as archive:
            opened = archive.open_recording(row.recording, row.opened_at, role=KeyRole.DOCUMENTATION)
            first, second = opened.segments
            # Nobody can say that it is whole, and where it is not is marked.
            assert (first.complete, second.complete) == (False, True)
            assert [mark.kind for mark in opened.marks()] == [MarkKind.BROKE_OFF, MarkKind.PAUSE]
