"""The engine as a process: how it ends, that there is one of it, and what is left when it is killed in a call."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from softphone.domain.archive.recordings import RATE
from softphone.engine.loop import ALONE
from softphone.system.endpoint import read_endpoint
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Answer
from tests.journeys.desk import wait_for_engine
from tests.journeys.fault_words import told_plainly
from tests.journeys.stage import ENGINE, build, stage
from tests.peers.processes import end, until
from tests.peers.second_phone import ROOT, talk

pytestmark = pytest.mark.journey


def test_a_second_engine_says_that_there_is_one_and_a_signal_to_end_seals_the_first_s_recording(
    tmp_path: Path,
) -> None:
    with stage(tmp_path, lines=("n7",)) as on:
        call = on.call("n7")
        before = read_endpoint(on.runtime)
        for more in ([], ["--stdio"]):
            second = subprocess.run(
                [sys.executable, *ENGINE, "--home", str(on.home.root), "engine", *more],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert second.returncode == 1
            assert not second.stdout
            assert "already running" in second.stderr
            assert len(second.stderr.strip().splitlines()) == 1
            told_plainly(second.stderr)
        assert read_endpoint(on.runtime) == before
        on.sealed(call, 1.0)
        told = time.monotonic()
        on.engine.send_signal(signal.SIGTERM)
        ended = on.customer.wait_for("CallEnded")
        assert time.monotonic() - told < 5.0
        assert not ended["by_us"], "the customer was hung up on"
        assert on.engine.wait(15) == 0
        assert read_endpoint(on.runtime) is None
        kept = on.sealed_seconds(call)
    row = on.row(call)
    assert row is not None
    assert row.closed_at is not None
    assert len(on.exported(row.recording)) / RATE >= kept
    assert on.verified()["ok"]


def test_an_engine_with_neither_desk_nor_call_ends_after_a_while_and_not_while_there_is_a_call(
    tmp_path: Path,
) -> None:
    """The while is shorter here than the engine's own, which is what a window that starts again may count on."""
    assert ALONE == 10
    short = 2.0
    program = ("-m", "tests.journeys.process_engine", "--alone", str(short))
    with stage(tmp_path, lines=("n7",), program=program) as on:
        on.call("n7")
        on.desk.close()
        talk(on.customer, 4 * 50)
        assert on.engine.poll() is None, "it ended in the middle of a call"
        on.customer.do("hang_up")
        on.customer.wait_for("CallEnded")
        alone = time.monotonic()
        assert on.engine.wait(15) == 0
        assert short - 0.5 < time.monotonic() - alone < ALONE


def test_two_engines_started_at_once_come_to_one(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    command = [sys.executable, *ENGINE, "--home", str(on.home.root), "engine"]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        until(lambda: any(one.poll() is not None for one in both), 60, "one that ends")
        (loser,) = [one for one in both if one.poll() is not None]
        (winner,) = [one for one in both if one is not loser]
        assert loser.returncode == 1
        assert loser.stderr is not None
        assert "already running" in loser.stderr.read()
        # It may have won and not be ready yet.
        wait_for_engine(on.runtime, winner.pid, lambda: winner.poll() is None)
    finally:
        for one in both:
            end(one)


def test_a_killed_engine_leaves_the_recording_readable_to_its_last_whole_second_and_verified(tmp_path: Path) -> None:
    """And the next one waits for one that is just ending."""
    with stage(tmp_path, lines=("n7",)) as on:
        call = on.call("n7")
        on.sealed(call, 3.0)
        killed = time.monotonic()
        on.engine.kill()
        on.engine.wait()
        assert on.engine.stdin is not None
        on.engine.stdin.close()
        row = on.row(call)
        assert row is not None
        seconds = len(on.exported(row.recording, whole=False)) / RATE
        # The codec looks 2.5 ms ahead, which nobody could flush; all whole seconds before the kill are there.
        assert seconds >= on.sealed_seconds(call) - 0.02
        first = on.desk.wait_event("first_sample", call=call)
        begun_at = on.desk.events_at[on.desk.events.index(first)]
        assert seconds >= int(killed - begun_at) - 0.02
        assert on.verified()["ok"]

        on.customer.do("hang_up")
        on.customer.wait_for("CallEnded")
        on.start_engine()
        on.ready()
        second = on.engine
        second.send_signal(signal.SIGTERM)
        on.start_engine()
        on.ready()
        assert second.wait(15) == 0
        assert second.stdin is not None
        second.stdin.close()
        again = on.call("n7")
        on.sealed(again, 1.0)
        on.hang_up(again)
        on.end()
    assert on.row(again) is not None
    assert on.verified()["ok"]


def test_a_call_that_cannot_be_shown_is_recorded_without_a_desk_and_the_engine_ends_after_it(
    tmp_path: Path,
) -> None:
    program = ("-m", "tests.journeys.process_engine", "--bug", "undrawn")
    with stage(tmp_path, lines=("n1",), program=program, notice_seconds=0.5) as on:
        on.expects("bug RuntimeError", reason="it is planted")
        on.ring("n1")
        ringing = on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING and one.status, "a ringing call")
        on.desk.send(Answer("1", ringing.id))
        on.customer.wait_for("CallEstablished")
        until(lambda: on.desk.gone, 10, "a desk that is let go")
        talk(on.customer, 150)
        assert on.engine.poll() is None, "it ended in the middle of a call"
        on.customer.do("hang_up")
        on.customer.wait_for("CallEnded")
        on.engine.wait(20)
    row = on.row(ringing.id)
    assert row is not None
    assert len(on.exported(row.recording)) / RATE > 1.0
