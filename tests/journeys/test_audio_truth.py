"""Audio truth: what is sealed is what was said, all of it, on its own side, and nothing from before the notice's last sound.

The customer's phone says a frame counter all along, and notes by index what it sent and what its own decoder gave it; so does
the agent's side. G.722 between the two: it carries the counter's band and is what two such phones agree on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.files.reader import read_structure
from softphone.audio.files import read_wav
from softphone.domain.purpose import Headline, KeyRole
from softphone.wire.to_engine import Mute
from tests.journeys.listening import (
    Sound,
    ending,
    find,
    follow,
    level,
    longest_gap,
    numbers,
    samples,
    spoken,
    unwrapped,
)
from tests.journeys.stage import AGENT_FIRST, Stage, stage
from tests.journeys.watched_engine import WATCHED, watched
from tests.peers.counter import CYCLE, FRAME, RATE, gaps
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey

CODEC = "G722/16000/1"
SECOND = 50


@pytest.mark.calm  # it knows a machine that was too late, and tries again
@pytest.mark.timeout(400)
@pytest.mark.rule("G05")
def test_nothing_from_before_the_notices_last_sound_and_then_every_frame_of_both_sides_for_10_s(
    tmp_path: Path,
) -> None:
    _prove(tmp_path, seconds=10)


@pytest.mark.alone
@pytest.mark.torture
@pytest.mark.timeout(2400)
@pytest.mark.rule("G05")
def test_nothing_from_before_the_notices_last_sound_and_then_every_frame_of_both_sides_for_ten_minutes(
    tmp_path: Path,
) -> None:
    _prove(tmp_path, seconds=600)


LATE = 0.03
"""seconds by which a thread that only waits may wake too late. A phone's clock is a thread like it: later than the jitter
buffer is deep, and packets come too late whoever sends them"""
TRIES = 3


@dataclass(frozen=True)
class _Recorded:
    """`agent`, `party`: the counters in the export; `decoded`: those that the engine's decoder gave, frame for frame."""

    agent: list[int | None]
    party: list[int | None]
    decoded: list[int | None]
    sound: Sound
    sent: list[int | None]
    notice_ended: int
    """the frame, at the customer, with which the notice's last sound was heard"""
    late: float
    """seconds; how far behind this machine was at worst"""


def _prove(folder: Path, seconds: int) -> None:
    for attempt in range(TRIES):
        told = _record(folder / str(attempt), seconds)
        _nothing_too_early(told)
        _nothing_lost_after_the_decoder(told)
        lost = gaps(told.party)
        print(
            f"{len(told.party)} frames, {len(lost)} jumps; this machine's threads were at most {told.late * 1000:.0f} ms late"
        )
        if not lost:
            break
        # Packets that came too late because this machine had no time are no fault of ours: once more. With time enough, they are.
        assert told.late > LATE, lost
    else:
        pytest.fail("this machine was too busy for a telephone call, each time")
    _every_frame_on_its_side(told, seconds)


def _record(folder: Path, seconds: int) -> _Recorded:
    folder.mkdir()
    with stage(folder, lines=("n1",), spoken=True, codec=CODEC, record_aware=True, program=WATCHED) as on:
        call = on.call("n1")
        with _lateness() as late:
            on.desk.wait_event("first_sample", 60, call=call)
            # Told that it is recorded, by an offer of ours in mid-call (UPDATE, RFC 7866).
            assert on.customer.wait_for("PeerRecording")["state"] == "on"
            on.sealed(call, seconds / 2)
            # And an offer of theirs, half way: a re-INVITE.
            on.customer.do("prefer", wanted=True, reinvite=True)
            on.sealed(call, seconds / 2 + 1)
        status = on.desk.call(call).status
        assert status is not None
        assert status.headline is Headline.RECORDING
        own, heard = _sent_and_heard(on)
        on.over(call)
        seen = watched(on, call)
        on.end()
        row = on.row(call)
        assert row is not None
        with on.archive() as archive:
            structure = read_structure(archive.vault.path(row.recording))
            opened = archive.open_recording(row.recording, row.opened_at, role=KeyRole.DOCUMENTATION)
            assert structure.damages == ()
            assert opened.marks() == []
            (segment,) = opened.segments
            assert segment.complete
        sound = on.exported(row.recording)
        assert on.verified()["ok"]
        decoded = {index: number for index, _, number in seen["frames"]}
        kept = range(segment.origin, segment.origin + len(sound) // FRAME)
        return _Recorded(
            agent=numbers(np.ascontiguousarray(sound[:, 0])),
            party=numbers(np.ascontiguousarray(sound[:, 1])),
            decoded=[decoded[index] for index in kept],
            sound=sound,
            sent=unwrapped(numbers(own)),
            notice_ended=_notice_heard(on, heard) // FRAME,
            late=max(late),
        )


def _nothing_too_early(told: _Recorded) -> None:
    """What the customer's phone was sending when its decoder gave it the notice's last sample came before all that is kept."""
    first = _sent_at(told.sent, told.party)
    print(
        f"the first kept frame was sent {(first - told.notice_ended) * 20} ms after the notice's last sound was heard"
    )
    assert first > told.notice_ended


def _nothing_lost_after_the_decoder(told: _Recorded) -> None:
    """On a busy machine too: each frame that was decoded is in the export, once, in its place."""
    assert len(told.agent) == len(told.party) == len(told.decoded)
    # The last frame may be the one with which the call ended, and the encoder's own.
    assert gaps(told.agent[:-1]) == []
    both = [(kept, given) for kept, given in zip(told.party, told.decoded, strict=True) if None not in (kept, given)]
    # A frame that the decoder had to make up, where packets came too late, says no one number.
    assert sum(kept != given for kept, given in both) <= 2 * len(gaps(told.decoded))
    assert len(both) > 0.97 * len(told.party)


def _every_frame_on_its_side(told: _Recorded, seconds: int) -> None:
    agent, party = told.agent, told.party
    assert len(agent) >= seconds * SECOND
    assert spoken(party)[1] - spoken(party)[0] + 1 >= seconds * SECOND
    assert spoken(agent)[1] - spoken(agent)[0] + 1 >= seconds * SECOND
    # The two sides stay where they are to each other: within one frame from the first second to the last.
    both = [(a, p) for a, p in zip(agent, party, strict=True) if a is not None and p is not None]
    apart = [(a - p - (both[0][0] - both[0][1]) + CYCLE // 2) % CYCLE - CYCLE // 2 for a, p in both]
    assert max(apart) - min(apart) <= 1
    # And each is its own: the agent's counter began elsewhere when she could be heard, which was when recording began.
    begins = next(number for number in agent if number is not None)
    assert (begins - AGENT_FIRST) % CYCLE < 3 * SECOND
    assert longest_gap(np.ascontiguousarray(told.sound[:, 1])) == 0.0


@contextmanager
def _lateness() -> Generator[list[float]]:
    """How late a thread of this machine wakes that only waits, time after time."""
    late, over = [0.0], threading.Event()

    def wait() -> None:
        while not over.is_set():
            due = time.monotonic() + 0.01
            over.wait(0.01)
            late.append(time.monotonic() - due)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield late
    finally:
        over.set()
        thread.join()


@pytest.mark.rule("G05")
@pytest.mark.parametrize("codec", [CODEC, "PCMA/8000/1"])
def test_each_voice_is_on_its_own_channel_only(tmp_path: Path, codec: str) -> None:
    with stage(tmp_path, lines=("n1",), codec=codec) as on:
        call = on.call("n1")
        on.desk.wait_event("first_sample", call=call)
        talk(on.customer, SECOND)
        on.desk.do(Mute, call=call, on=True)
        talk(on.customer, 2 * SECOND)
        on.desk.do(Mute, call=call, on=False)
        talk(on.customer, SECOND)
        on.customer.do("say")
        talk(on.customer, 2 * SECOND)
        on.sealed(call, 1)
        on.hang_up(call)
        on.end()
        row = on.row(call)
        assert row is not None
        sound = on.exported(row.recording)
    agent, party = np.ascontiguousarray(sound[:, 0]), np.ascontiguousarray(sound[:, 1])
    agent_says, party_says = [n is not None for n in numbers(agent)], [n is not None for n in numbers(party)]
    alone = {
        "party": [p and not a for a, p in zip(agent_says, party_says, strict=True)],
        "agent": [a and not p for a, p in zip(agent_says, party_says, strict=True)],
    }
    for who, silent, loud in (("party", agent, party), ("agent", party, agent)):
        frames = _inside(alone[who])
        assert len(frames) > SECOND
        speaks, leaks = (
            level(np.concatenate([s[f * FRAME : (f + 1) * FRAME] for f in frames])) for s in (loud, silent)
        )
        print(f"{codec}: {who} alone {speaks:.1f} dBFS, on the other's channel {leaks:.1f} dBFS")
        assert speaks > -25
        assert leaks < speaks - 45


def _inside(said: list[bool]) -> list[int]:
    """The longest run, less 100 ms at each end where codecs still ring."""
    runs: list[list[int]] = [[]]
    for index, yes in enumerate(said):
        if yes:
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    return max(runs, key=len)[5:-5]


def _sent_and_heard(on: Stage) -> tuple[bytes, bytes]:
    own, heard = on.folder / "own.wav", on.folder / "heard.wav"
    on.customer.ask("save", "Saved", own=str(own), heard=str(heard))
    return read_wav(own), read_wav(heard)


def _notice_heard(on: Stage, heard: bytes) -> int:
    """The sample of what the customer heard with which the notice ended."""
    notices = [path for path in (on.home.folders.cache / "notices").glob("*.wav") if "-question" not in path.name]
    sounds = [samples(read_wav(path)) for path in notices]
    chosen = max(sounds, key=lambda one: find(one, samples(heard))[1])
    seconds = follow(chosen, samples(heard))
    alike = sorted(alike for _, alike in seconds)
    print(f"notice heard: {len(seconds)} s, alike {alike[0]:.2f} at worst, {alike[len(alike) // 2]:.2f} in the middle")
    assert alike[len(alike) // 2] > 0.9
    return ending(chosen, samples(heard))


def _sent_at(sent: list[int | None], party: list[int | None]) -> int:
    """The index of the first kept frame among those that the customer's phone sent.

    The counter wraps every 20 s, the export does not. Its last frame is one of the last that were sent, and the first lies as
    far before it as the export is long.
    """
    first, last = spoken(party)
    ends = [index for index, number in enumerate(sent) if number is not None and number % CYCLE == party[last]]
    # Saved before hang-up: the export may end a little later than what was noted.
    behind = 0
    while not ends or len(sent) - ends[-1] > 2 * SECOND:
        behind += 1
        number = party[last - behind]
        ends = [index for index, one in enumerate(sent) if one is not None and one % CYCLE == number]
    return ends[-1] - (last - behind - first)


assert RATE == FRAME * SECOND
