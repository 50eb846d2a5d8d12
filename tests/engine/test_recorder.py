"""The recorder's gate: what is fed after a stop is never sealed, what was fed before is, and between segments nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone.archive.files.reader import MarkKind, OpenedRecording, read_structure
from softphone.archive.files.writing import SegmentWriter
from softphone.domain.changes import Discard, DropWraps
from softphone.domain.effects import HOLD_SECONDS
from softphone.domain.purpose import KeyRole, Reason
from softphone.engine import recorder as module
from tests.archive.scene import DOCUMENTATION, FRAME, TRAINING, Scene, scene, voices
from tests.peers.processes import until


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


class Stall:
    """The encoder stands still until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.go = threading.Event(), threading.Event()
        write = SegmentWriter.write

        def slow(writer: SegmentWriter, index: int, agent: bytes, party: bytes) -> None:
            self.entered.set()
            assert self.go.wait(20)
            write(writer, index, agent, party)

        monkeypatch.setattr(SegmentWriter, "write", slow)


def begun(desk: Scene) -> tuple[str, str]:
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION, TRAINING)
    desk.start(call, recording, 0)
    return call, recording


def opened(desk: Scene, recording: str) -> OpenedRecording:
    keys = {segment: key for (of, segment), key in desk.keys.items() if of == recording}
    return OpenedRecording.open(desk.archive.vault.path(recording), keys)


def sound_of(recording: OpenedRecording) -> NDArray[np.int16]:
    return np.concatenate(list(recording.pcm()))


def test_frames_before_the_start_and_after_the_stop_are_not_stored(desk: Scene) -> None:
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION)
    desk.talk(call, voices(1), first=0)
    desk.start(call, recording, 0)
    desk.talk(call, voices(1), first=50)
    desk.recorder.stop(call, recording, 0)
    desk.talk(call, voices(1), first=100)
    assert desk.recorder.close()

    (segment,) = opened(desk, recording).segments
    assert (segment.origin, segment.samples, segment.complete) == (50, 50 * FRAME, True)


def test_a_stop_holds_with_the_encoder_stalled_for_two_seconds(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stall = Stall(monkeypatch)
    call, recording = begun(desk)
    desk.talk(call, voices(1), first=0)
    assert stall.entered.wait(15)

    desk.recorder.stop(call, recording, 0)
    desk.talk(call, voices(2), first=50)  # two seconds of talk while nothing is encoded
    stall.go.set()
    assert desk.recorder.close()

    (segment,) = opened(desk, recording).segments
    assert (segment.samples, segment.complete) == (50 * FRAME, True)


def test_what_no_file_can_hold_any_more_ends_the_recording_whole_and_is_told_once(desk: Scene) -> None:
    desk.recorder._longest = 75
    call, recording = begun(desk)
    desk.talk(call, voices(3))
    assert desk.failed.wait(20)
    desk.talk(call, voices(1), first=150)
    assert desk.recorder.close()

    (segment,) = opened(desk, recording).segments
    assert (segment.samples, segment.complete) == (75 * FRAME, True)
    assert desk.failures == [Reason.RECORDER_FAILED]
    # It was no storage that failed: when it works, nothing begins anew that no reader takes.
    assert desk.storage == []


def test_a_stop_does_not_wait_for_a_stalled_encoder(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stall = Stall(monkeypatch)
    call, recording = begun(desk)
    desk.talk(call, voices(1))
    assert stall.entered.wait(15)
    stopped = threading.Thread(target=desk.recorder.stop, args=(call, recording, 0))
    stopped.start()
    stopped.join(15)
    assert not stopped.is_alive()
    stall.go.set()


def test_a_narrower_segment_goes_on_without_a_gap_and_nothing_more_is_sealed_under_the_old_key(desk: Scene) -> None:
    call, recording = begun(desk)
    talk = voices(3)
    desk.talk(call, talk[: 50 * FRAME])
    desk.recorder.stop(call, recording, 0, hold_frames=True)
    desk.talk(call, talk[50 * FRAME : 73 * FRAME], first=50)
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"))
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    desk.start(call, recording, 1)
    desk.talk(call, talk[73 * FRAME :], first=73)
    desk.recorder.stop(call, recording, 1)
    assert desk.recorder.close()

    whole = opened(desk, recording)
    assert [(segment.origin, segment.samples) for segment in whole.segments] == [(0, 50 * FRAME), (50, 100 * FRAME)]
    assert whole.marks() == []
    heard = sound_of(whole).astype(float)
    assert len(heard) == 150 * FRAME
    # No frame doubled, lost or out of place: what is heard fits what was said better where it lies than a frame away.
    for at in range(60, 140, 10):
        part = slice(at * FRAME, (at + 1) * FRAME)
        fits = [np.std(heard[part] - talk[(at + by) * FRAME : (at + by + 1) * FRAME]) for by in (-1, 0, 1)]
        assert fits[1] == min(fits)


@pytest.mark.rule("G10")
@pytest.mark.parametrize("told", ["while frames are held", "in the new segment"])
def test_a_loss_over_a_segments_border_is_marked_in_both_and_in_no_pause_before_them(desk: Scene, told: str) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1), first=30)
    desk.recorder.stop(call, recording, 0)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION, TRAINING), desk.segment(recording, 2, DOCUMENTATION))
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=110)
    desk.recorder.stop(call, recording, 1, hold_frames=True)
    desk.talk(call, voices(1)[: 20 * FRAME], first=160)
    if told == "while frames are held":
        desk.recorder.mark_lost(call, 2.0)
    desk.start(call, recording, 2)
    if told == "in the new segment":
        desk.recorder.mark_lost(call, 2.0)
    desk.talk(call, voices(1), first=180)
    desk.recorder.mark_lost(call, 3600.0)  # no more than there is of the call
    desk.recorder.stop(call, recording, 2)
    assert desk.recorder.close()

    marks = [(one.kind, one.at // FRAME, one.samples // FRAME) for one in opened(desk, recording).marks()]
    gap, pause = MarkKind.GAP, MarkKind.PAUSE
    two_seconds = [(gap, 50, 0), (gap, 80, 50), (gap, 130, 20)]
    whole = [(gap, 0, 50), (gap, 80, 50), (gap, 130, 70)]
    assert marks == sorted([*two_seconds[1:], *whole, (pause, 50, 30)], key=lambda one: one[1])


def test_held_frames_are_on_no_disk_and_are_forgotten_when_dropped(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1))
    desk.recorder.stop(call, recording, 0, hold_frames=True)
    desk.drained(recording, 0, 50 * FRAME)
    size = desk.archive.vault.path(recording).stat().st_size
    desk.talk(call, voices(5), first=50)
    assert desk.archive.vault.path(recording).stat().st_size == size

    desk.recorder.drop_frames(recording)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    desk.talk(call, voices(1), first=300)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=350)
    assert desk.recorder.close()

    assert [segment.origin for segment in opened(desk, recording).segments] == [0, 350]


def test_held_frames_are_never_sealed_for_another_recording(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1))
    desk.recorder.stop(call, recording, 0, hold_frames=True)
    desk.talk(call, voices(1), first=50)
    other = f"{call}-2"
    from softphone.domain.changes import OpenRecording
    from tests.archive.scene import AT

    desk.commit(OpenRecording(other, call, AT), desk.segment(other, 0, DOCUMENTATION))
    desk.start(call, other, 0)
    desk.talk(call, voices(1), first=100)
    assert desk.recorder.close()

    assert [segment.origin for segment in opened(desk, other).segments] == [100]
    assert opened(desk, recording).length == 50 * FRAME


def test_more_talk_than_may_be_held_is_forgotten_and_reported(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1))
    desk.recorder.stop(call, recording, 0, hold_frames=True)
    silence = np.zeros((FRAME, 2), np.int16)
    for number in range(int(HOLD_SECONDS * 50) + 1):
        desk.talk(call, silence, first=50 + number)
    assert desk.failures == [Reason.RECORDER_FAILED]


def test_a_wider_segment_takes_over_between_two_frames(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1))
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    desk.recorder.stop(call, recording, 0)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=50)
    assert desk.recorder.close()
    assert opened(desk, recording).marks() == []
    assert opened(desk, recording).length == 100 * FRAME


def test_a_queue_that_only_grows_is_a_fault_and_what_is_in_it_is_written_before_the_segment_breaks_off(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_SECONDS", 2)
    stall = Stall(monkeypatch)
    call, recording = begun(desk)
    talk = voices(4)
    desk.talk(call, talk)
    assert desk.failed.wait(15)
    assert desk.failures == [Reason.RECORDER_FAILED]
    stall.go.set()
    desk.recorder.stop(call, recording, 0)
    assert desk.recorder.close()
    assert desk.failures == [Reason.RECORDER_FAILED]

    kept = opened(desk, recording)
    (segment,) = kept.segments
    # The encoder is flushed only where a segment ends whole.
    assert (segment.samples, segment.complete) == (100 * FRAME - kept.header.delay, False)
    assert [mark.kind for mark in kept.marks()] == [MarkKind.BROKE_OFF]
    heard = sound_of(kept).astype(float)
    assert np.std(heard[FRAME:] - talk[FRAME : len(heard)]) < np.std(talk) / 4


def test_what_waits_of_one_call_leaves_another_its_room(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_SECONDS", 2)
    stall = Stall(monkeypatch)
    calls = [begun(desk) for _ in range(4)]
    for call, _ in calls:
        desk.talk(call, voices(2))
    assert desk.failures == []
    desk.talk(calls[0][0], voices(0.02), first=100)
    assert desk.failures == [Reason.RECORDER_FAILED]
    stall.go.set()
    for call, recording in calls:
        desk.recorder.stop(call, recording, 0)
    assert desk.recorder.close()
    ends = [opened(desk, recording).segments[0].complete for _, recording in calls]
    assert ends == [False, True, True, True]


def test_a_disk_that_keeps_a_call_waiting_is_told_once_and_once_more_when_nothing_waits(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    desk.archive.vault.on_slow = told.append
    stall = Stall(monkeypatch)
    call, recording = begun(desk)
    desk.talk(call, voices(1.9))
    assert told == []
    desk.talk(call, voices(5), first=95)
    assert told == [True]
    stall.go.set()
    until(lambda: told == [True, False], 20, "the encoder's catching up")
    desk.talk(call, voices(1), first=345)
    desk.recorder.stop(call, recording, 0)
    assert desk.recorder.close()
    assert told == [True, False]
    assert opened(desk, recording).length == 395 * FRAME


@pytest.mark.parametrize("failure", ["queue", "held", "encoder"])
@pytest.mark.expected_log(maybe="bug ValueError", reason="the encoder is given what is no frame")
def test_after_each_failure_of_the_recorders_own_the_storage_is_tried_so_that_a_segment_may_begin_again(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)
    monkeypatch.setattr(module, "QUEUE_SECONDS", 1)
    monkeypatch.setattr(module, "HOLD_SECONDS", 1)
    with monkeypatch.context() as patch:
        stall = Stall(patch) if failure == "queue" else None
        call, recording = begun(desk)
        if failure == "held":
            desk.recorder.stop(call, recording, 0, hold_frames=True)
        if failure == "encoder":
            desk.recorder.feed(call, 0, b"short", bytes(640))
        desk.talk(call, voices(2))
        assert desk.failed.wait(15)
        if stall:
            stall.go.set()
    assert desk.failures == [Reason.RECORDER_FAILED]
    until(lambda: desk.storage == [False, True], 15, "the storage tried")
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=200)
    desk.recorder.stop(call, recording, 1)
    assert desk.recorder.close()
    assert opened(desk, recording).segments[-1].samples == 50 * FRAME


@pytest.mark.expected_log("bug SystemExit", reason="it is planted")
def test_the_thread_outlives_whatever_happens_on_it_and_says_so(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def die(*_: object) -> None:
            raise SystemExit

        patch.setattr(SegmentWriter, "write", die)
        call, _ = begun(desk)
        desk.talk(call, voices(0.1))
        assert desk.failed.wait(15)
        assert desk.failures == [Reason.RECORDER_FAILED]
    recording = desk.recorded(1, DOCUMENTATION)
    assert opened(desk, recording).length == 50 * FRAME


def test_a_segment_that_was_never_fed_leaves_no_chunk(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.recorder.stop(call, recording, 0)
    assert desk.recorder.close()
    assert read_structure(desk.archive.vault.path(recording)).chunks == ()
    assert desk.first_samples == []


def test_the_first_sample_is_told_once_for_each_segment(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(2))
    desk.recorder.stop(call, recording, 0, hold_frames=True)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    desk.start(call, recording, 1)
    desk.talk(call, voices(2), first=100)
    assert desk.recorder.close()
    assert desk.first_samples == [(recording, 0), (recording, 1)]


def test_silence_is_stored_where_a_side_gave_nothing(desk: Scene) -> None:
    call, recording = begun(desk)
    sound = voices(1)
    for number in range(50):
        frame = sound[number * FRAME : (number + 1) * FRAME]
        desk.recorder.feed(call, number, b"", frame[:, 1].tobytes())
    assert desk.recorder.close()
    heard = sound_of(opened(desk, recording))
    assert not heard[:, 0].any()
    assert np.std(heard[:, 1]) > 2_000


def test_two_calls_are_recorded_side_by_side(desk: Scene) -> None:
    one, other = begun(desk), begun(desk)
    for second in range(3):
        for call, _ in (one, other):
            desk.talk(call, voices(1), first=second * 50)
    desk.recorder.stop(*one, 0)
    desk.talk(other[0], voices(1), first=150)
    assert desk.recorder.close()
    assert opened(desk, one[1]).length == 150 * FRAME
    assert opened(desk, other[1]).length == 200 * FRAME


def test_a_recording_discarded_under_way_is_no_fault(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1))
    desk.commit(Discard(recording, "private"))
    desk.talk(call, voices(2), first=50)
    assert desk.recorder.close()
    assert not desk.archive.vault.path(recording).exists()
    assert desk.failures == []


@pytest.mark.expected_log("bug ValueError", reason="it is no frame")
def test_a_frame_that_is_no_frame_is_a_fault_and_no_crash(desk: Scene) -> None:
    call, _ = begun(desk)
    desk.recorder.feed(call, 0, b"short", bytes(640))
    assert desk.failed.wait(15)
    assert desk.failures == [Reason.RECORDER_FAILED]


class Watched:
    """A recorder whose clock goes as it is told, and what it has told."""

    def __init__(self, desk: Scene) -> None:
        self.now = 0.0
        self.failed: list[str] = []
        self.faults: list[str] = []
        desk.archive.vault.on_fault = self.faults.append
        callbacks = module.RecorderCallbacks(lambda _recording, _segment: None, self._failed)
        self.recorder = module.Recorder(desk.archive.vault, callbacks, clock=lambda: self.now)
        self.recorder._look()

    def _failed(self, call: str, _recording: str, reason: Reason) -> None:
        assert reason is Reason.RECORDER_FAILED
        self.failed.append(call)

    def feed(self, call: str, indices: range) -> None:
        for index in indices:
            self.recorder.feed(call, index, bytes(2 * FRAME), bytes(2 * FRAME))

    def passes(self, seconds: float) -> None:
        """With a look now and then, as the recorder's thread has them."""
        for _ in range(round(seconds * 5)):
            self.now += 0.2
            self.recorder._look()


def watched(desk: Scene) -> tuple[Watched, str, str]:
    """It, a call that it records, of which a second has been fed, and its recording."""
    call, recording = begun(desk)
    desk.recorder.stop(call, recording, 0)
    it = Watched(desk)
    it.recorder.start(call, recording, 0, desk.keys[recording, 0])
    it.feed(call, range(50))
    return it, call, recording


def test_a_call_whose_frames_stop_is_told_and_goes_on_in_a_new_segment_once_they_come(
    desk: Scene,
) -> None:
    it, call, recording = watched(desk)
    it.passes(module.MISSED_SECONDS - 0.2)
    assert it.failed == []
    it.passes(0.6)
    assert (it.failed, it.faults) == ([call], [])
    it.feed(call, range(100, 102))
    assert it.faults == [Reason.RECORDER_FAILED.value]
    desk.commit(desk.segment(recording, 1, DOCUMENTATION, TRAINING))
    it.recorder.start(call, recording, 1, desk.keys[recording, 1])
    it.feed(call, range(102, 110))
    it.recorder.stop(call, recording, 1)
    assert it.recorder.close()
    first, second = opened(desk, recording).segments
    assert (49 * FRAME < first.samples <= 50 * FRAME, first.complete) == (True, False)
    assert (second.samples, second.complete) == (8 * FRAME, True)


def test_a_machine_that_stood_still_misses_no_frames(desk: Scene) -> None:
    it, call, recording = watched(desk)
    it.now += 5
    it.recorder._look()
    it.feed(call, range(50, 60))
    it.passes(1)
    it.recorder.stop(call, recording, 0)
    assert it.recorder.close()
    (segment,) = opened(desk, recording).segments
    assert (it.failed, segment.samples, segment.complete) == ([], 60 * FRAME, True)


def test_so_long_an_absence_that_it_is_no_gap_breaks_the_segment_off_and_the_next_knows_its_length(desk: Scene) -> None:
    call, recording = begun(desk)
    desk.talk(call, voices(1), first=0)
    later = 50 + 10 * 60 * 50
    desk.talk(call, voices(1), first=later)
    assert desk.failures == [Reason.RECORDER_FAILED]
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=later + 50)
    assert desk.recorder.close()
    first, second = opened(desk, recording).segments
    assert ((first.complete, second.complete), second.origin) == ((False, True), later + 50)


@pytest.mark.parametrize("ends", ["stop", "close"])
def test_a_segment_at_whose_end_frames_are_missing_is_not_whole(desk: Scene, ends: str) -> None:
    it, call, recording = watched(desk)
    it.now += 2
    if ends == "stop":
        it.recorder.stop(call, recording, 0)
    assert it.recorder.close()
    (segment,) = opened(desk, recording).segments
    assert (49 * FRAME < segment.samples <= 50 * FRAME, segment.complete) == (True, False)
