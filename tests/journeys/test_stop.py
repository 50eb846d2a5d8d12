"""Stop within one frame: after an opt-out, what is kept ends with the frame that was being decoded when the command came.

Measured where something is kept to measure on: a yes on N3, a dispute by the party, the opt-out, kept for the complaint. The
engine is the real one, watched from inside; what was kept is read back from the archive with custody's key.

A busy machine keeps threads waiting, which is no fault of the engine's and is told apart from one. A frame counts from when it
was due: pjmedia catches up with several at once. Between the command and the closed gate the engine has the frames of those
milliseconds besides in which the kernel says that it had no processor.
"""

from __future__ import annotations

import math
import time
from operator import sub
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from softphone.domain.purpose import KeyRole
from softphone.domain.status import HoldPhase
from softphone.wire.to_engine import EndWrapUp, OptOut
from tests.journeys.listening import numbers, spoken
from tests.journeys.stage import Stage, stage
from tests.journeys.watched_engine import STALLED, WATCHED, stall_encoder, watched
from tests.peers.counter import CYCLE, FRAME
from tests.peers.second_phone import talk

pytestmark = [pytest.mark.journey, pytest.mark.calm, pytest.mark.rule("G31"), pytest.mark.rule("G04")]

STALL = 2.0
TICK = 0.02
SCHEDULED = 0.005
"""seconds in which its threads wait for a processor even where nothing else runs"""


@pytest.mark.timeout(240)
def test_the_last_kept_frame_is_at_most_one_after_the_one_being_decoded_eight_times(tmp_path: Path) -> None:
    _prove(tmp_path, calls=8)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_the_last_kept_frame_is_at_most_one_after_the_one_being_decoded_two_hundred_times(tmp_path: Path) -> None:
    _prove(tmp_path, calls=200)


def _prove(folder: Path, calls: int) -> None:
    stalled = calls // 2
    sent: dict[str, float] = {}
    stopped: dict[str, float] = {}
    with stage(folder, lines=("n3",), program=WATCHED, notice_seconds=0.5) as on:
        for number in range(calls):
            call = on.call("n3")
            on.consent(call)
            on.desk.dispute(call, by="party")
            status = on.desk.wait_status(
                lambda one: one.hold is not None and one.hold.phase is HoldPhase.LOCKED, "locked", call
            )
            talk(on.customer, 10 + 7 * number % 40)  # not always at the same place of a second
            if number == stalled:
                stall_encoder(on, STALL)
            sent[call] = time.monotonic()
            on.desk.do(OptOut, call=call, version=status.version, kind=status.opt_out.kind)
            on.desk.wait_event("recorder_stopped", call=call)
            stopped[call] = on.desk.events_at[on.desk.events.index(on.desk.told("recorder_stopped", call=call)[0])]
            if number == stalled:
                assert (folder / "home" / STALLED).read_text() == "begun"  # it stopped while the encoder stood
            on.hang_up(call)
            on.desk.do(EndWrapUp, call=call)
        watching = {call: watched(on, call) for call in sent}
        on.end()
        measured = [_kept_after(on, call, seen) for call, seen in watching.items()]
        assert on.verified()["ok"]
    waited = [math.ceil(max(seen["kept_waiting"] - SCHEDULED, 0.0) / TICK) for seen in watching.values()]
    late = [one.by_counter for one in measured]
    heard = [(watching[call]["opt_outs"][0] - at) * 1000 for call, at in sent.items()]
    done = [(stopped[call] - at) * 1000 for call, at in sent.items()]
    print(
        f"\n{calls} opt-outs: the last kept frame is {min(late)} to {max(late)} frames after the one being decoded, "
        f"and at most {max(map(sub, late, waited))} where the machine let the engine run ({sum(map(bool, waited))} times it "
        f"did not at once, for {max(waited)} frames at most); "
        f"command to engine {np.median(heard):.1f} ms (at most {max(heard):.1f}), "
        f"and to the word that it stopped {np.median(done):.1f} ms (at most {max(done):.1f})"
    )
    assert len(late) == calls
    assert max(map(sub, late, waited)) <= 1
    # By index too; and nothing that came before the command is missing.
    assert max(one.by_index - frames for one, frames in zip(measured, waited, strict=True)) <= 1
    assert min(one.since_heard for one in measured) >= -1


class Kept(NamedTuple):
    """How many frames the last kept frame comes after the one that was due when the command reached the engine: by the counter
    in its sound, and by its index in the container. `since_heard`: after the last that had come by then."""

    by_counter: int
    by_index: int
    since_heard: int


def _kept_after(on: Stage, call: str, seen: dict[str, Any]) -> Kept:
    """Where the jitter buffer jumped between the two, it counts from what was decoded at the last kept index: it measures the
    stop, not the network."""
    (at,) = seen["opt_outs"]
    # By the most punctual one around the command.
    on_time = min(when - index * TICK for index, when, _ in seen["frames"] if abs(when - at) < 1)
    heard = [index for index, when, _ in seen["frames"] if when <= at][-1]
    index, number = [(index, number) for index, _, number in seen["frames"] if on_time + index * TICK <= at][-1]
    assert number is not None
    row = on.row(call)
    assert row is not None
    assert row.opens_for == (KeyRole.CUSTODY,)
    with on.archive() as archive:
        opened = archive.open_recording(row.recording, row.opened_at, role=KeyRole.CUSTODY)
        segment = opened.segments[-1]
        assert segment.complete
        sound = np.concatenate([np.asarray(block) for block in opened.pcm()])
    said = numbers(np.ascontiguousarray(sound[:, 1]))
    last = spoken(said)[1]
    assert last >= len(said) - 2
    kept = said[last]
    assert kept is not None
    end = segment.origin + segment.samples // FRAME - 1
    at_end = {index: number for index, _, number in seen["frames"]}.get(end)
    if at_end is not None and end >= index:
        number = at_end - (end - index)
    by_counter = (kept + (len(said) - 1 - last) - number + CYCLE // 2) % CYCLE - CYCLE // 2
    return Kept(by_counter, end - index, end - heard)
