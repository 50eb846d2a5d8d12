"""The sound of calls as the desk is told of it: what is wrong, for how long, and how loud it is. Devices are made up here; real
ones are in `tests/audio` and in the journeys."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from softphone.audio.bridge import Told
from softphone.audio.cleaning import Cleaner
from softphone.audio.devices import Device, Devices, Side, SoundFault, SoundWorks
from softphone.audio.files import write_wav
from softphone.audio.player import tone
from softphone.domain.effects import Tone
from softphone.domain.errors import SoundError
from softphone.engine import ear
from softphone.engine import sound as module
from softphone.engine.ear import SILENT_DBFS, TONES, End
from softphone.engine.sound import Sound
from softphone.wire.snapshot import Settings

HEADSET = Device("ALSA: headset", "headset", "ALSA", 0, 1, 2, 48_000, True, True)
SPEAKERS = Device("ALSA: speakers", "speakers", "ALSA", 1, 0, 2, 48_000, False, False)


class FakeBridge:
    """A call's devices, of which the test tells. `opened` holds those of all calls."""

    opened: list[FakeBridge]

    def __init__(
        self, microphone: str | None, speaker: str | None, *, tell: Told, cleaner: Cleaner | None = None
    ) -> None:
        self.cleaner = cleaner
        self.played = b""
        self.asked = (microphone, speaker)
        self.tell = tell
        self.works: set[Side] = set()
        self.opened.append(self)

    def open(self) -> None: ...
    def close(self) -> None: ...
    def push(self, data: bytes, /) -> None:
        self.played += data

    def pull(self, n_bytes: int, /) -> bytes:
        return bytes(n_bytes)

    def working(self, side: Side) -> bool:
        return side in self.works

    def opens(self, side: Side) -> None:
        self.works.add(side)
        self.tell(SoundWorks(side, HEADSET.id))

    def loses(self, side: Side) -> None:
        self.works.discard(side)
        self.tell(SoundFault("microphone_lost" if side == "microphone" else "speaker_lost", HEADSET.id))


class Desk:
    """`here`: what is plugged in; each look is counted by how it looked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.here: tuple[Device, ...] = (HEADSET,)
        self.inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.ends: list[End] = []
        self.notices: list[Callable[[bytes], None] | None] = []
        self.bridges = FakeBridge.opened = []
        monkeypatch.setattr(module, "LiveBridge", FakeBridge)
        monkeypatch.setattr(module, "list_devices", self._list)
        monkeypatch.setattr(module, "LOOK_AGAIN", 0.02)
        self.hears: list[bool] = []
        self.sound = Sound(self._set_end, self.inbox.put, lambda: None, self.hears.append)

    def _set_end(self, end: End, notices: Callable[[bytes], None] | None = None, /) -> None:
        self.ends.append(end)
        self.notices.append(notices)

    def _list(self, *, refresh: bool = False) -> Devices:
        assert refresh
        faults = [] if any(one.inputs for one in self.here) else [SoundFault("no_microphone")]
        return Devices(self.here, (*faults, *(() if self.here else (SoundFault("no_speaker"),))))

    def turn(self) -> None:
        """The next word from a thread."""
        self.inbox.get(timeout=15)()

    def turns(self) -> None:
        """All that has been said already."""
        while not self.inbox.empty():
            self.inbox.get()()

    def call(self) -> FakeBridge:
        self.sound.talking(on=True)
        return self.bridges[-1]

    def until(self, fault: str | None) -> None:
        while self.fault != fault:
            self.turn()

    @property
    def fault(self) -> str | None:
        said = self.sound.state.fault
        return said.code.removeprefix("error.") if said else None


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(monkeypatch)
    desk.sound.use("", "")
    desk.turn()
    return desk


def test_a_side_that_works_again_takes_back_its_own_fault_and_leaves_the_others(desk: Desk) -> None:
    bridge = desk.call()
    for side in module.BOTH:
        bridge.opens(side)
    for side in module.BOTH:
        bridge.loses(side)
    desk.turns()
    assert (desk.fault, desk.sound.state.microphone, desk.sound.state.speaker) == ("microphone_lost", None, None)
    assert desk.sound.state.fault is not None
    assert desk.sound.state.fault.params["device"] == HEADSET.name, "as people know it, not its id"
    bridge.opens("microphone")
    desk.until("speaker_lost")
    desk.turns()
    assert (desk.fault, desk.sound.state.microphone) == ("speaker_lost", HEADSET.id)
    bridge.opens("speaker")
    desk.until(None)
    assert desk.sound.state.speaker == HEADSET.id


@pytest.mark.rule("L5")
def test_an_agent_whose_speaker_is_lost_in_the_call_hears_nothing_until_one_works(desk: Desk) -> None:
    bridge = desk.call()
    for side in module.BOTH:
        bridge.opens(side)
    bridge.loses("microphone")
    desk.turns()
    assert False not in desk.hears, "the party cannot hear the agent, who hears the party"
    bridge.loses("speaker")
    desk.turns()
    assert desk.hears[-1] is False
    bridge.opens("microphone")
    desk.turns()
    assert desk.hears[-1] is False
    # Another is chosen, and does not open either.
    desk.sound.use("", SPEAKERS.id)
    desk.bridges[-1].tell(SoundFault("speaker_failed", SPEAKERS.id))
    desk.turns()
    assert desk.hears[-1] is False
    desk.bridges[-1].opens("speaker")
    desk.turns()
    assert desk.hears[-1] is True


def test_a_call_without_a_speaker_from_its_beginning_goes_on_and_a_lost_one_is_not_the_next_calls(desk: Desk) -> None:
    bridge = desk.call()
    for fault in (SoundFault("no_speaker"), SoundFault("sound_missing")):
        bridge.tell(fault)
    desk.turns()
    assert False not in desk.hears
    bridge.opens("speaker")
    bridge.loses("speaker")
    desk.turns()
    assert desk.hears[-1] is False
    desk.sound.talking(on=False)
    assert desk.hears[-1] is True
    desk.call().tell(SoundFault("no_speaker"))
    desk.turns()
    assert desk.hears[-1] is True


def test_the_next_call_begins_without_the_fault_of_the_one_before(desk: Desk) -> None:
    bridge = desk.call()
    bridge.opens("speaker")
    bridge.loses("microphone")
    desk.until("microphone_lost")
    desk.here = (SPEAKERS,)
    desk.sound.talking(on=False)
    desk.until("no_microphone")
    desk.here = (HEADSET,)
    again = desk.call()
    # Late words of devices that are closed.
    bridge.loses("speaker")
    desk.turns()
    assert desk.fault is None
    for side in module.BOTH:
        again.opens(side)
    desk.turns()
    assert (desk.fault, desk.sound.state.microphone) == (None, HEADSET.id)


def test_what_is_plugged_in_while_nobody_talks_is_found_by_itself_and_stands_in_the_list(desk: Desk) -> None:
    desk.here = ()
    desk.sound.use("", "")
    desk.until("no_microphone")
    desk.here = (SPEAKERS,)
    while desk.sound.state.speaker is None:
        desk.turn()
    assert desk.fault == "no_microphone"
    desk.here = (SPEAKERS, HEADSET)
    desk.until(None)
    assert [one.id for one in desk.sound.state.devices] == [SPEAKERS.id, HEADSET.id]
    # Nothing is missing: nothing is looked for.
    with pytest.raises(queue.Empty):
        desk.inbox.get(timeout=0.2)


def test_the_settings_look_anew_when_they_are_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Meter:
        level = -20.0

        def __init__(self, device: str) -> None: ...
        def open(self) -> None:
            raise SoundError("microphone_failed", device=HEADSET.id, reason="busy")

        def close(self) -> None: ...

    monkeypatch.setattr(module, "LevelMeter", Meter)
    desk.here = (HEADSET, SPEAKERS)
    desk.sound.watch(on=True)
    desk.turn()
    assert [one.id for one in desk.sound.state.devices] == [HEADSET.id, SPEAKERS.id]
    desk.until("microphone_failed")
    desk.sound.watch(on=False)
    # It was the meter's, and stands no longer than until somebody speaks.
    desk.call().opens("microphone")
    desk.turns()
    assert desk.fault is None


def test_a_test_tone_that_fails_is_told_until_one_is_heard_and_says_nothing_of_a_call(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = True

    class Tester:
        def __init__(self, device: str) -> None: ...
        def play(self) -> None:
            if silent:
                raise SoundError("speaker_failed", device=HEADSET.id, reason="busy")

        def wait(self, seconds: float) -> None: ...
        def stop(self) -> None: ...

    monkeypatch.setattr(module, "TestTone", Tester)
    desk.sound.test_tone()
    desk.turn()
    assert desk.fault == "speaker_failed"
    silent = False
    desk.sound.test_tone()
    desk.until(None)
    silent = True
    desk.call().opens("speaker")
    desk.turn()
    desk.sound.test_tone()
    for _ in range(2):
        desk.turn()
    assert desk.fault is None


def test_a_sound_system_that_is_missing_is_the_fault_of_the_sides_that_want_it(desk: Desk, tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    write_wav(voice, bytes(32_000))
    desk.sound.use(f"file:{voice}", "")
    desk.turn()
    bridge = desk.call()
    assert bridge.asked == (None, "")
    bridge.tell(SoundFault("sound_missing", detail="no library"))
    desk.turn()
    assert (desk.fault, desk.sound.state.microphone) == ("sound_missing", f"file:{voice}")


def test_a_file_that_is_no_sound_is_refused_and_leaves_silence(desk: Desk, tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    voice.write_text("no sound")
    with pytest.raises(SoundError):
        desk.sound.check(f"file:{voice}")
    assert desk.sound.state.microphone == HEADSET.id
    with pytest.raises(SoundError):
        desk.sound.use(f"file:{voice}", "none")
    desk.sound.talking(on=True)
    assert desk.bridges == []
    assert desk.ends[-1].pull(640) == bytes(640)


def test_the_speakers_meter_shows_what_is_heard_while_it_is_watched(desk: Desk, tmp_path: Path) -> None:
    sound, ends = desk.sound, desk.ends
    voice = tmp_path / "voice.wav"
    write_wav(voice, bytes(32_000))
    sound.use(f"file:{voice}", "none")
    sound.talking(on=True)
    heard = tone(440, 0.5, level_db=-30)[8_000:8_640]
    ends[-1].push(heard)
    assert sound.levels() == (SILENT_DBFS, SILENT_DBFS)
    sound.watch(on=True)
    ends[-1].push(heard)
    assert sound.levels()[1] == pytest.approx(-30, abs=1.5)
    # The agent's own tone is heard by the agent, so that it counts.
    sound.tone(Tone.WARNING)
    for at in range(0, len(TONES[Tone.WARNING]) // 2, 640):
        ends[-1].push(bytes(640))
        assert at >= 0
    assert sound.levels()[1] > -30
    ends[-1].push(bytes(640))
    sound.talking(on=False)
    assert sound.levels()[1] == SILENT_DBFS
    sound.close()


def test_a_call_that_waits_is_heard_softly_in_the_ear_again_and_again_and_no_longer_than_it_waits() -> None:
    heard: list[bytes] = []

    class Ear:
        def pull(self, n_bytes: int, /) -> bytes:
            return bytes(n_bytes)

        def push(self, data: bytes, /) -> None:
            heard.append(data)

    pair = ear.Ear(Ear(), Ear(), watched=False)
    pair.repeat(ear.WAITING)
    for _ in range(450):  # 9 s
        pair.push(bytes(640))
    sounds = [any(one) for one in heard]
    assert sum(sounds[:200]) == pytest.approx(20, abs=2)
    assert sum(sounds) == pytest.approx(60, abs=4)
    assert max(abs(one) for data in heard for one in memoryview(data).cast("h")) < 3000
    pair.repeat(b"")
    heard.clear()
    for _ in range(200):
        pair.push(bytes(640))
    assert not any(any(one) for one in heard)


def test_a_notice_is_heard_on_its_own_loudspeaker_and_beside_the_speech_where_that_one_does_not_work(
    desk: Desk,
) -> None:
    desk.call()
    assert desk.notices[-1] is None, "where speech is heard"
    desk.sound.talking(on=False)
    desk.sound.adjust(Settings(notice_device=SPEAKERS.id, speaker_volume=50))
    desk.sound.talking(on=True)
    speech, apart = desk.bridges[-2:]
    assert apart.asked == (None, SPEAKERS.id)
    play, frame = desk.notices[-1], np.full(320, 4_000, "<i2").tobytes()
    assert play is not None
    play(frame)
    desk.ends[-1].push(bytes(640))
    assert (speech.played, apart.played) == (frame, b"")
    apart.works.add("speaker")
    play(frame)
    desk.ends[-1].push(bytes(640))
    assert speech.played == frame + bytes(640)
    assert np.frombuffer(apart.played, "<i2").tolist() == [2_000] * 320
