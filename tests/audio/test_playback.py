"""A sound pulled block by block: from any moment, at once, bounded, and silent as soon as it is told to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone.audio.devices import Device as Headset
from softphone.audio.devices import Devices, SoundFault
from softphone.audio.playback import READY, Heard, Loudspeaker, Playback, speaker
from softphone.audio.streams import Ask
from softphone.domain.errors import SoundError

RATE = 16_000
LENGTH = 60 * RATE


class Device:
    """Asks when it is told to."""

    def __init__(self) -> None:
        self.ask: Ask | None = None
        self.fault: SoundError | None = None
        self.active = True
        self.silent_for = 0.0
        self.begins = True
        """at once; else it has not asked yet"""

    @property
    def has_begun(self) -> bool:
        return self.begins

    @property
    def called_at(self) -> float:
        return time.monotonic() - self.silent_for

    def __call__(self, ask: Ask) -> Loudspeaker:
        if self.fault:
            raise self.fault
        self.ask = ask
        return self

    def close(self) -> None:
        self.ask = None

    def pull(self, seconds: float) -> NDArray[np.int16]:
        given = [self.ask(320) if self.ask else bytes(320) for _ in range(round(seconds * 100))]
        return np.frombuffer(b"".join(given), np.int16)


class Tape:
    """Each sample is its place in 10 ms, the same in both voices: what is heard tells from where it is."""

    def __init__(
        self, sound: Callable[[NDArray[np.int64]], NDArray[np.int64]] = lambda place: 300 + place // 160
    ) -> None:
        self._sound = sound
        self.pulled = 0

    def __call__(self, at: int) -> Iterator[NDArray[np.int16]]:
        while at < LENGTH:
            block = self._sound(np.arange(at, min(at + RATE, LENGTH))).astype(np.int16)
            self.pulled += len(block)
            yield np.stack([block, block], axis=1)
            at += len(block)


def place(heard: NDArray[np.int16]) -> float:
    """The second of the tape from which the first sample is."""
    return (int(heard[0]) - 300) / 100


def filled(playback: Playback) -> None:
    while playback.fill():
        pass


def test_it_plays_from_wherever_it_is_told_and_the_next_block_is_from_there() -> None:
    device = Device()
    playback = Playback(Tape(), LENGTH, device)
    playback.play()
    filled(playback)
    assert place(device.pull(0.1)) == 0
    playback.seek(30 * RATE)
    assert playback.position == 30 * RATE
    assert not device.pull(0.01).any()  # nothing of the place before is heard any more
    filled(playback)
    assert place(device.pull(0.1)) == 30
    assert playback.position == 30 * RATE + RATE // 10


def test_no_more_lies_ready_than_half_a_second_and_a_piece() -> None:
    tape, device = Tape(), Device()
    playback = Playback(tape, LENGTH, device)
    playback.play()
    filled(playback)
    assert tape.pulled <= READY + 2 * RATE
    filled(playback)
    assert tape.pulled <= READY + 2 * RATE


def test_it_comes_to_its_end_closes_the_device_and_begins_anew() -> None:
    device = Device()
    playback = Playback(Tape(), LENGTH, device)
    playback.seek(LENGTH - RATE // 2)
    playback.play()
    for _ in range(40):
        filled(playback)
        device.pull(0.05)
    assert not playback.playing
    assert device.ask is None
    assert playback.position == LENGTH
    playback.play()
    filled(playback)
    assert place(device.pull(0.1)) == 0


def test_paused_it_stays_where_it_is_and_goes_on_from_there() -> None:
    device = Device()
    playback = Playback(Tape(), LENGTH, device)
    playback.play()
    filled(playback)
    device.pull(0.3)
    playback.pause()
    assert device.ask is None
    assert not playback.fill()
    assert playback.position == round(0.3 * RATE)
    playback.play()
    filled(playback)
    assert place(device.pull(0.1)) == pytest.approx(0.3, abs=0.011)


def test_faster_it_gets_on_as_much_faster() -> None:
    device = Device()
    playback = Playback(Tape(lambda place: (8_000 * np.sin(place / 12)).astype(np.int64)), LENGTH, device)
    playback.set_speed(2.0)
    playback.play()
    for _ in range(20):
        filled(playback)
        device.pull(0.1)
    assert playback.position == pytest.approx(4 * RATE, rel=0.05)


@pytest.mark.parametrize("speed", [1.0, 1.5, 2.0])
def test_what_has_been_played_is_counted_once_and_whole_at_the_end(speed: float) -> None:
    device, heard = Device(), Heard(LENGTH)
    playback = Playback(Tape(), LENGTH, device, heard=heard)
    playback.set_speed(speed)
    for first, last in ((10, 12), (11, 13), (59, 60)):
        playback.seek(first * RATE)
        playback.play()
        while playback.playing and (playback.position < last * RATE or last == 60):
            filled(playback)
            device.pull(0.01)
    assert abs(heard.samples / RATE - 4) <= 0.1
    playback.seek(0)
    playback.play()
    while playback.playing:
        filled(playback)
        device.pull(0.2)
    assert heard.samples == LENGTH


def test_a_long_silence_is_skipped_but_for_its_beginning() -> None:
    def sound(place: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where((place < RATE) | (place >= 41 * RATE), 5_000, 0)

    device = Device()
    playback = Playback(Tape(sound), LENGTH, device)
    playback.set_skips_silence(on=True)
    playback.play()
    heard: list[NDArray[np.int16]] = []
    for _ in range(40):
        filled(playback)
        heard.append(device.pull(0.05))
    loud = np.concatenate(heard) > 0
    assert np.flatnonzero(~loud)[0] == RATE
    assert np.count_nonzero(~loud) == pytest.approx(0.3 * RATE, rel=0.1)
    assert playback.position > 41 * RATE


def test_hushed_it_gives_silence_at_once_and_closed_it_keeps_nothing() -> None:
    device = Device()
    playback = Playback(Tape(), LENGTH, device)
    playback.play()
    filled(playback)
    assert device.pull(0.1).any()
    playback.hush()
    assert not device.pull(0.1).any()
    assert not playback.fill()
    playback.close()
    assert device.ask is None


def test_without_a_device_it_says_so_and_does_not_play() -> None:
    device = Device()
    device.fault = SoundError("no_speaker", device="", detail="")
    playback = Playback(Tape(), LENGTH, device)
    with pytest.raises(SoundError):
        playback.play()
    assert not playback.playing
    assert not playback.fill()


@pytest.mark.parametrize("gone", [{"active": False}, {"silent_for": 1.5}], ids=["ended", "asks no more"])
def test_a_device_that_goes_while_it_plays_ends_it_there_and_tells(gone: dict[str, float]) -> None:
    device = Device()
    playback = Playback(Tape(), LENGTH, device)
    playback.play()
    filled(playback)
    device.pull(0.3)
    vars(device).update(gone)
    with pytest.raises(SoundError, match="speaker_lost"):
        filled(playback)
    assert (playback.playing, device.ask) == (False, None)
    # And with another it goes on from there.
    device.active, device.silent_for = True, 0.0
    playback.play()
    filled(playback)
    assert place(device.pull(0.1)) == pytest.approx(0.3, abs=0.011)


def test_a_device_that_is_slow_to_begin_has_not_gone_and_one_that_never_does_has() -> None:
    device = Device()
    device.begins, device.silent_for = False, 4.0
    playback = Playback(Tape(), LENGTH, device)
    playback.play()
    filled(playback)
    assert playback.playing
    device.begins, device.silent_for = True, 0.0
    assert place(device.pull(0.1)) == pytest.approx(0.0, abs=0.011)
    playback.pause()
    device.begins, device.silent_for = False, 10.5
    playback.play()
    with pytest.raises(SoundError, match="speaker_lost"):
        filled(playback)


def test_a_headset_that_was_plugged_in_a_moment_ago_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    headset, opened = Headset("ALSA: headset", "headset", "ALSA", 3, 0, 2, 48_000, False, True), list[Headset]()
    looks = {False: Devices((), (SoundFault("no_speaker"),)), True: Devices((headset,), ())}
    monkeypatch.setattr("softphone.audio.playback.list_devices", lambda refresh=False: looks[refresh])

    def open_it(found: Headset, _ask: Ask) -> None:
        opened.append(found)

    monkeypatch.setattr("softphone.audio.playback.open_speaker", open_it)
    speaker()(lambda n: bytes(n))
    assert opened == [headset]
    with pytest.raises(SoundError, match="no_such_speaker"):
        speaker("ALSA: another")(lambda n: bytes(n))


def test_a_source_that_fails_ends_it_and_tells() -> None:
    def broken(at: int) -> Iterator[NDArray[np.int16]]:
        yield np.zeros((at + 160, 2), np.int16)
        raise OSError("gone")

    device = Device()
    playback = Playback(broken, LENGTH, device)
    playback.play()
    with pytest.raises(OSError, match="gone"):
        filled(playback)
    assert not playback.playing
    assert device.ask is None
