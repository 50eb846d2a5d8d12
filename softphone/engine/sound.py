"""The engine's choice of sound: which microphone and speaker a call uses, and what is wrong if there is none.

Devices are opened when a call begins and closed after it. `file:<path>` is a microphone that plays a WAV file, `none` is
silence: for demonstrations, and for machines without sound. `softphone.audio` has PortAudio.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from softphone.audio.bridge import LiveBridge
from softphone.audio.cleaning import Cleaner
from softphone.audio.devices import Devices, Side, SoundFault, SoundWorks, list_devices
from softphone.audio.dtmf import keys_as_sound
from softphone.audio.files import FileSound, Silence, read_wav
from softphone.audio.names import device_name
from softphone.audio.own_call import OwnCall, Step
from softphone.audio.player import LevelMeter, TestTone
from softphone.audio.ringing import Ring, Ringer, louder
from softphone.calls.turns import Post
from softphone.domain.effects import Tone
from softphone.domain.errors import KlartoneError
from softphone.domain.notice import NoticeFile
from softphone.engine.ear import SILENT_DBFS, TONES, WAITING, Ear, End, SetEnd
from softphone.engine.sip.media.notice import read_notice
from softphone.wire.snapshot import CodedText, Settings, SoundDevice, SoundState

FILE = "file:"
NONE = "none"
TEST_TONE_DBFS = -20.0
LOOK_AGAIN = 5.0
"""seconds between two looks, outside calls, for a device that is missing"""
BOTH: tuple[Side, Side] = ("microphone", "speaker")


class Sound:
    """`set_end` gives the phone its sound; `state` is what the desk shows. `hears` gets whether the agent hears the party:
    not from the loss of a speaker that worked in this call until one works again. All on the loop's thread."""

    def __init__(
        self,
        set_end: SetEnd,
        post: Post,
        changed: Callable[[], None],
        hears: Callable[[bool], None],
    ) -> None:
        self._set_end = set_end
        self._post = post
        self._changed = changed
        self._hears = hears
        self._heard = False
        """a speaker has worked in this call"""
        self._wanted: dict[Side, str] = dict.fromkeys(BOTH, "")
        self._bridge: LiveBridge | None = None
        self._file: FileSound | None = None
        self._said = b""
        self._meter: LevelMeter | None = None
        self._pair: Ear | None = None
        self._own_call: OwnCall | None = None
        self._step: Step = ""
        self._volumes = (100, 100)
        self._clean = (False, False)
        self._notice_device = ""
        self._apart: LiveBridge | None = None
        self._ring = Ring()
        self._ringer = Ringer(lambda: replace(self._ring, instead=self._wanted["speaker"]))
        self._waiting = False
        self._watching = False
        self._meter_free = threading.Lock()
        self._tester_free = threading.Lock()
        self._testing = False
        self._talking = False
        self._closed = False
        self._devices: tuple[SoundDevice, ...] = ()
        self._names: dict[str, str] = {}
        self._in_use: dict[Side, str | None] = dict.fromkeys(BOTH)
        self._faults: dict[Side, CodedText] = {}
        self._next_look: threading.Timer | None = None

    @property
    def state(self) -> SoundState:
        """If both sides have a fault, the microphone's: the other party does not notice the speaker's."""
        fault = self._faults.get("microphone") or self._faults.get("speaker")
        return SoundState(self._devices, self._in_use["microphone"], self._in_use["speaker"], fault, self._step)

    def check(self, microphone: str) -> bytes | None:
        """The sound of a microphone that is a file; None for any other. Raises SoundError if the file is not a sound. It
        waits for the disk, on any thread."""
        return read_wav(Path(microphone.removeprefix(FILE))) if microphone.startswith(FILE) else None

    def use(self, microphone: str, speaker: str, said: bytes | None = None) -> None:
        """From now on, in a call too. `said`: the result of `check`; without it that is asked here. Raises SoundError as it
        does, and there is silence then."""
        self._wanted = {"microphone": microphone, "speaker": speaker}
        self._file = None
        try:
            said = said or self.check(microphone)
            if said is not None:
                self._said = said
                self._file = FileSound(self._said, loop=True)
        finally:
            if self._talking:
                self._close()
                self._open()
            self._begin_look()

    def adjust(self, settings: Settings) -> None:
        """How loud all of it is, and the ring: from the next frame on, and from the next ring."""
        self._volumes = (settings.microphone_volume, settings.speaker_volume)
        self._clean = (settings.echo, settings.noise)
        self._notice_device = settings.notice_device
        self._ring = Ring(settings.ring_device, settings.ring_sound, settings.ring_volume)
        if self._pair:
            self._pair.volumes = self._volumes

    def talking(self, on: bool) -> None:
        """A call begins, or the last one is over."""
        if on != self._talking:
            self._talking = on
            self._heard = False
            self._hears(True)
            if on:
                self.end_test_call()
                self._open()
            else:
                self._close()

    def microphone_opened(self) -> None:
        """A file plays from its beginning each time the party begins to hear it."""
        if self._file:
            self._file.say(self._said, loop=True)

    def ring(self, on: bool) -> None:
        """A call comes in, or no longer rings."""
        if on:
            self.end_test_call()
        self._ringer.ring(on)

    def call_waiting(self, on: bool) -> None:
        """Another call waits while the agent talks, and is heard in the agent's ear alone."""
        if on != self._waiting:
            self._waiting = on
            if self._pair:
                self._pair.repeat(WAITING if on else b"")

    def keys(self, keys: str) -> None:
        """The agent hears the keys that go out."""
        if self._pair:
            self._pair.sound(keys_as_sound(keys, level_db=-34))

    def tone(self, which: Tone) -> None:
        """A short tone in the agent's ear: recording began, stopped, or is about to go on."""
        if self._pair:
            self._pair.sound(TONES[which])

    def watch(self, on: bool) -> None:
        """For the settings: what there is now, and the level meter."""
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
            if not self._watching:
                return
            self._look()
            if self._live("microphone"):
                meter = LevelMeter(self._wanted["microphone"])
                try:
                    meter.open()
                except KlartoneError as error:
                    fault = CodedText(error.code, error.params)
                    self._post(lambda: self._cannot("microphone", fault))
                else:
                    self._meter = meter

    def levels(self) -> tuple[float, float]:
        """Of microphone and speaker, in dBFS."""
        meter, pair = self._meter, self._pair
        speaker = max(TEST_TONE_DBFS if self._testing else SILENT_DBFS, pair.level if pair else SILENT_DBFS)
        return (meter.level if meter else SILENT_DBFS, speaker)

    def test_tone(self) -> None:
        """A second of a tone on the chosen speaker."""
        if self._wanted["speaker"] != NONE:
            threading.Thread(target=self._test, name="test tone", daemon=True).start()

    def _test(self) -> None:
        """Waits until it is over, so that its stream is closed and none of its callbacks is left."""
        with self._tester_free:
            tester = TestTone(self._wanted["speaker"])
            try:
                tester.play()
                self._testing = True
                tester.wait(5)
            except KlartoneError as error:
                fault = CodedText(error.code, error.params)
                self._post(lambda: self._cannot("speaker", fault))
            else:
                tester.stop()
                self._look()
            finally:
                self._testing = False

    def test_call(self, notice: NoticeFile | None) -> bool:
        """To oneself. One at a time, none beside a call, and none where a file or silence is the microphone."""
        if self._own_call is not None or self._talking or not all(self._live(side) for side in BOTH):
            return False
        own = self._own_call = OwnCall(
            self._wanted["microphone"],
            self._wanted["speaker"],
            volumes=self._volumes,
            cleaner=Cleaner(echo=False, noise=self._clean[1]),
            stepped=lambda step: self._post(lambda: self._stepped(own, step)),
        )
        threading.Thread(target=self._run_own, args=(own, notice), name="test call", daemon=True).start()
        return True

    def end_test_call(self) -> None:
        if self._own_call is not None:
            self._own_call.stop()

    def _run_own(self, own: OwnCall, notice: NoticeFile | None) -> None:
        """The disk and the devices take their time."""
        try:
            own.run(read_notice(notice) if notice else b"")
        except KlartoneError as error:
            side: Side = "microphone" if "microphone" in error.code else "speaker"
            fault = CodedText(error.code, error.params)
            self._post(lambda: self._cannot(side, fault))

    def _stepped(self, own: OwnCall, step: Step) -> None:
        if own is self._own_call:
            self._step = step
            if not step:
                self._own_call = None
            self._changed()

    def _cannot(self, side: Side, fault: CodedText) -> None:
        """It stands until the next look. In a call a side may be used by the call alone, and work."""
        if self._bridge is None or not self._bridge.working(side):
            self._faults[side] = fault
            self._changed()

    def close(self) -> None:
        self._closed = True
        self.end_test_call()
        self.ring(on=False)
        self.talking(on=False)
        self.watch(on=False)
        self._put_off_look()

    # --- a call's sound --------------------------------------------------------------------------

    def _live(self, side: Side) -> bool:
        """Whether it is a device of this machine."""
        return not self._wanted[side].startswith((FILE, NONE))

    def _open(self) -> None:
        """Each call's devices report anew what is wrong."""
        self._put_off_look()
        self._faults.clear()
        wanted = {side: self._wanted[side] if self._live(side) else None for side in BOTH}
        if any(device is not None for device in wanted.values()):

            def told(event: SoundFault | SoundWorks) -> None:
                self._post(lambda: self._told(bridge, event))

            bridge = LiveBridge(
                wanted["microphone"],
                wanted["speaker"],
                tell=told,
                cleaner=Cleaner(echo=self._clean[0], noise=self._clean[1]),
            )
            self._bridge = bridge
            bridge.open()
        speaker: End = self._bridge or Silence()
        live = self._bridge if wanted["microphone"] is not None else None
        self._pair = Ear(self._file or live or Silence(), speaker, watched=self._watching, volumes=self._volumes)
        if self._waiting:
            self._pair.repeat(WAITING)
        self._set_end(self._pair, self._notices(self._pair))
        self._changed()

    def _notices(self, pair: Ear) -> Callable[[bytes], None] | None:
        """What plays notices to the agent on a loudspeaker of its own; where that one does not work, beside the speech."""
        if not self._notice_device or self._notice_device == self._wanted["speaker"]:
            return None
        apart = self._apart = LiveBridge(None, self._notice_device, tell=lambda _: None)
        apart.open()

        def play(frame: bytes) -> None:
            if apart.working("speaker"):
                apart.push(louder(frame, pair.volumes[1]))
            else:
                pair.beside(frame)

        return play

    def _close(self) -> None:
        self._pair = None
        self._set_end(Silence())
        bridges = [one for one in (self._bridge, self._apart) if one is not None]
        self._bridge = self._apart = None
        if bridges:

            def close() -> None:
                for one in bridges:
                    one.close()
                self._look()

            threading.Thread(target=close, name="close sound", daemon=True).start()

    def _told(self, bridge: LiveBridge, event: SoundFault | SoundWorks) -> None:
        """Late reports of an earlier call's devices say nothing of now."""
        if bridge is not self._bridge:
            return
        if isinstance(event, SoundWorks):
            self._faults.pop(event.side, None)
            self._in_use[event.side] = event.device
            if event.side == "speaker":
                self._heard = True
                self._hears(True)
            self._begin_look()
        else:
            for side in BOTH:
                if self._live(side) and (side in event.code or event.code == "sound_missing"):
                    self._miss(side, event)
            if self._heard and "speaker" in self._faults:
                self._hears(False)
        self._changed()

    def _miss(self, side: Side, fault: SoundFault) -> None:
        self._in_use[side] = None
        self._faults[side] = CodedText(
            f"error.{fault.code}", {"device": self._called(fault.device), "detail": fault.detail}
        )

    def _called(self, device: str) -> str:
        """As people know it, while it is there and once it was."""
        return self._names.get(device) or device_name(device)

    # --- what there is ---------------------------------------------------------------------------

    def _begin_look(self) -> None:
        threading.Thread(target=self._look, name="sound devices", daemon=True).start()

    def _put_off_look(self) -> None:
        if self._next_look:
            self._next_look.cancel()
            self._next_look = None

    def _look(self) -> None:
        """On a thread of its own."""
        if not self._closed:
            found = list_devices(refresh=True)
            self._post(lambda: self._seen(found))

    def _seen(self, found: Devices) -> None:
        """In a call its devices themselves report whether they work."""
        before = self.state
        self._names |= {one.id: one.name for one in found.all}
        self._devices = tuple(
            SoundDevice(one.id, one.name, microphone=one.inputs > 0, speaker=one.outputs > 0) for one in found.all
        )
        if self._bridge is None:
            self._put_off_look()
            for side, wanted in self._wanted.items():
                self._faults.pop(side, None)
                device = found.find(side, wanted) if self._live(side) else None
                if isinstance(device, SoundFault):
                    self._miss(side, device)
                    self._look_later(device)
                else:
                    self._in_use[side] = device.id if device else wanted
        if self.state != before:
            self._changed()

    def _look_later(self, fault: SoundFault) -> None:
        """A device may be plugged in; a sound system does not come by itself."""
        if self._next_look is None and not self._closed and fault.code != "sound_missing":
            self._next_look = threading.Timer(LOOK_AGAIN, self._look)
            self._next_look.daemon = True
            self._next_look.start()
