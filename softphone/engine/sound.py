"""The engine's choice of sound: which microphone and speaker a call uses, and what is wrong where there is none.

Devices are opened when a call begins and closed after it. `file:<path>` is a microphone that says a WAV file, `none` is
silence: for demonstrations, and for machines without sound. PortAudio itself is in `softphone.audio`.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from softphone.audio.bridge import LiveBridge
from softphone.audio.devices import Devices, Side, SoundFault, SoundRestored, list_devices
from softphone.audio.files import FileSound, Silence, read_wav
from softphone.audio.player import LevelMeter, Player, TestTone, level_dbfs, tone
from softphone.domain.effects import Tone
from softphone.domain.errors import KlartoneError
from softphone.engine.store import Post
from softphone.wire import Said, SoundDevice, SoundState

FILE = "file:"
NONE = "none"
SILENT_DBFS = -100.0
TEST_TONE_DBFS = -20.0


class End(Protocol):
    def pull(self, n_bytes: int, /) -> bytes: ...
    def push(self, data: bytes, /) -> None: ...


TONES: dict[Tone, bytes] = {
    Tone.STARTED: tone(880, 0.12, level_db=-26),
    Tone.STOPPED: tone(440, 0.12, level_db=-26),
    Tone.WARNING: tone(660, 0.25, level_db=-22),
}
"""what the agent alone hears; quiet enough to talk over"""


RING = (tone(425, 0.9, level_db=-20) + bytes(2 * 16_000 * 2)) * 20
"""a minute of ringing, one second in three"""


class _Pair:
    """One end's microphone and another's speaker, into which a short tone may be mixed for the agent. `level`: how loud the
    speaker is, in dBFS, while it is `watched`."""

    def __init__(self, microphone: End, speaker: End, *, watched: bool) -> None:
        self.pull = microphone.pull
        self.watched = watched
        self.level = SILENT_DBFS
        self._speaker = speaker
        self._tone = b""

    def sound(self, pcm: bytes) -> None:
        self._tone = pcm

    def push(self, data: bytes, /) -> None:
        """On pjmedia's thread."""
        taken = self._tone[: len(data)]
        if taken:
            self._tone = self._tone[len(taken) :]
            data = _mixed(data, taken)
        if self.watched:
            self.level = level_dbfs(data)
        self._speaker.push(data)


def _mixed(speech: bytes, over: bytes) -> bytes:
    """Two sounds of 16-bit samples as one of the first's length."""
    both, more = array("h", speech), array("h", over)
    for at, value in enumerate(more):
        both[at] = max(-32768, min(32767, both[at] + value))
    return both.tobytes()


class Sound:
    """`set_end` gives the phone its sound; `state` is what the desk shows. All on the loop's thread."""

    def __init__(self, set_end: Callable[[End], None], post: Post, changed: Callable[[], None]) -> None:
        self._set_end = set_end
        self._post = post
        self._changed = changed
        self._microphone = ""
        self._speaker = ""
        self._bridge: LiveBridge | None = None
        self._file: FileSound | None = None
        self._said = b""
        self._meter: LevelMeter | None = None
        self._pair: _Pair | None = None
        self._ringing = False
        self._ringer: Player | None = None
        self._ringer_free = threading.Lock()
        self._watching = False
        self._meter_free = threading.Lock()
        self._tester_free = threading.Lock()
        self._testing = False
        self._talking = False
        self.state = SoundState()

    def use(self, microphone: str, speaker: str) -> None:
        """From now on, in a call too."""
        self._microphone, self._speaker = microphone, speaker
        self._file = None
        if microphone.startswith(FILE):
            self._said = read_wav(Path(microphone.removeprefix(FILE)))
            self._file = FileSound(self._said, loop=True)
        if self._talking:
            self._close()
            self._open()
        threading.Thread(target=self._look, name="sound devices", daemon=True).start()

    def talking(self, on: bool) -> None:
        """A call begins, or the last one is over."""
        if on != self._talking:
            self._talking = on
            if on:
                self._open()
            else:
                self._close()

    def microphone_opened(self) -> None:
        """A file says its piece from the beginning each time the party begins to hear it."""
        if self._file:
            self._file.say(self._said, loop=True)

    def ring(self, on: bool) -> None:
        """A call comes in, or rings no longer. Opening a loudspeaker takes its time: on a thread."""
        if on != self._ringing:
            self._ringing = on
            if not self._speaker.startswith(NONE):
                threading.Thread(target=self._ring, name="ring", daemon=True).start()

    def _ring(self) -> None:
        with self._ringer_free, suppress(KlartoneError):
            if self._ringer:
                self._ringer.stop()
            if self._ringing:
                self._ringer = Player(self._speaker)
                self._ringer.play(RING)

    def tone(self, which: Tone) -> None:
        """A short tone in the agent's ear: recording began, stopped, or is about to go on."""
        if self._pair:
            self._pair.sound(TONES[which])

    def watch(self, on: bool) -> None:
        """For the level meter of the settings."""
        if on != self._watching:
            self._watching = on
            if self._pair:
                self._pair.watched = on
            threading.Thread(target=self._watch, name="level", daemon=True).start()

    def _watch(self) -> None:
        """A device takes its time to open: never on the loop."""
        with self._meter_free:
            if self._meter:
                self._meter.close()
                self._meter = None
            if self._watching and not self._microphone.startswith((FILE, NONE)):
                meter = LevelMeter(self._microphone)
                try:
                    meter.open()
                except KlartoneError as error:
                    fault = Said(error.code, error.params)
                    self._post(lambda: self._cannot(fault))
                else:
                    self._meter = meter

    def levels(self) -> tuple[float, float]:
        """Of microphone and speaker, in dBFS."""
        meter, pair = self._meter, self._pair
        speaker = max(TEST_TONE_DBFS if self._testing else SILENT_DBFS, pair.level if pair else SILENT_DBFS)
        return (meter.level if meter else SILENT_DBFS, speaker)

    def test_tone(self) -> None:
        """A second of a tone on the speaker that was chosen."""
        if self._speaker != NONE:
            threading.Thread(target=self._test, name="test tone", daemon=True).start()

    def _test(self) -> None:
        """Waits until it is over, so that its stream is closed and nothing of it is left to be called."""
        with self._tester_free:
            tester = TestTone(self._speaker)
            try:
                tester.play()
            except KlartoneError as error:
                fault = Said(error.code, error.params)
                self._post(lambda: self._cannot(fault))
            else:
                self._testing = True
                tester.wait(5)
                self._testing = False
                tester.stop()

    def _cannot(self, fault: Said) -> None:
        self.state = replace(self.state, fault=fault)
        self._changed()

    def close(self) -> None:
        self.ring(on=False)
        self.talking(on=False)
        self.watch(on=False)

    # --- inside ----------------------------------------------------------------------------------

    def _open(self) -> None:
        live = {self._microphone, self._speaker} - {NONE} and not (self._file and self._speaker == NONE)
        if live:
            self._bridge = LiveBridge(self._microphone, self._speaker, tell=self._told)
            self._bridge.open()
        speaker: End = self._bridge or Silence()
        microphone: End = self._file or (self._bridge if self._bridge and self._microphone != NONE else Silence())
        self._pair = _Pair(microphone, speaker, watched=self._watching)
        self._set_end(self._pair)

    def _close(self) -> None:
        self._pair = None
        self._set_end(Silence())
        if self._bridge:
            bridge, self._bridge = self._bridge, None
            threading.Thread(target=bridge.close, name="close sound", daemon=True).start()

    def _told(self, event: SoundFault | SoundRestored) -> None:
        """On the bridge's thread."""
        self._post(self._look_again if isinstance(event, SoundRestored) else lambda: self._fault(event))

    def _look_again(self) -> None:
        threading.Thread(target=self._look, name="sound devices", daemon=True).start()

    def _fault(self, fault: SoundFault) -> None:
        ours = "microphone" if "microphone" in fault.code else "speaker"
        if fault.code != "sound_missing" and getattr(self, f"_{ours}").startswith((FILE, NONE)):
            return
        state = self.state
        lost_microphone = ours == "microphone" or fault.code == "sound_missing"
        self.state = SoundState(
            state.devices,
            None if lost_microphone else state.microphone,
            state.speaker if ours == "microphone" and fault.code != "sound_missing" else None,
            Said(f"error.{fault.code}", {"device": fault.device, "detail": fault.detail}),
        )
        self._changed()

    def _look(self) -> None:
        try:
            found = list_devices()
        except KlartoneError as error:
            said = Said(error.code, error.params)
            self._post(lambda: self._seen(Devices((), ()), said))
        else:
            self._post(lambda: self._seen(found, None))

    def _seen(self, found: Devices, said: Said | None) -> None:
        devices = tuple(
            SoundDevice(one.id, one.name, microphone=one.inputs > 0, speaker=one.outputs > 0) for one in found.all
        )
        in_use: dict[str, str | None] = {}
        wanted_by_side: dict[Side, str] = {"microphone": self._microphone, "speaker": self._speaker}
        for side, wanted in wanted_by_side.items():
            if wanted.startswith((FILE, NONE)):
                in_use[side] = wanted
                continue
            device = found.find(side, wanted)
            in_use[side] = None if isinstance(device, SoundFault) else device.id
            if isinstance(device, SoundFault) and said is None:
                said = Said(f"error.{device.code}", {"device": device.device, "detail": device.detail})
        self.state = SoundState(devices, in_use["microphone"], in_use["speaker"], said)
        self._changed()
