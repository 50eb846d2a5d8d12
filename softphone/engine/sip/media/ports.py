"""The sound of calls inside pjmedia: for each call a port of its own, and one for the agent's ear and microphone.

pjmedia's one clock calls every port once per 20 ms tick, on pjmedia's own thread: first all that give sound, then all that get
it. The device's port was made first, so it is called first. It takes the microphone's frame, and each call's leg says that
frame or silence, then hears its party. So the two sides of a frame are paired by tick, never by time, and within one port: no
other call's frame is at hand there. Nothing here waits, keeps audio, or knows SIP. `bridge` has who hears whom.
"""

# ruff: noqa: N802 - callbacks bear PJSIP's own names

from __future__ import annotations

from collections.abc import Callable

import pjsua2 as pj

from softphone.calls.turns import seconds
from softphone.engine.sip.media import FRAME_BYTES, SILENCE, Frames, SoundEnd
from softphone.engine.sip.media.clock_thread import ClockThread
from softphone.engine.sip.media.frame_bytes import Reader, Writer
from softphone.engine.sip.media.notice import Notice
from softphone.engine.sip.media.stall_detector import TICK, StallDetector
from softphone.engine.sip.media.tones import CallTone, RingingTone
from softphone.engine.sip.raw_events import CallbackFailed, FrameFailed, NoticeEnded, Post, ProcessStalled
from softphone.engine.sip.settings import CLOCK_RATE, FRAME_MS

RESTS = 3
"""ticks that a port stays unused between two calls: none of the earlier call's frames is on its way any more"""


class CallSound:
    """One call's switches, read by its leg at each tick. Set on the engine's thread.

    `talking`: the microphone may reach the party. `telling`: frames are passed on. `held`: both sides of a frame are
    silence. `notice`: what the party hears instead of the microphone. `listener` gets the party's frames as they come.
    """

    __slots__ = (
        "_frames",
        "_index",
        "_keys",
        "_pace",
        "_post",
        "_spoken",
        "call",
        "failed",
        "held",
        "listener",
        "muted",
        "notice",
        "talking",
        "telling",
    )

    def __init__(self, call: str, frames: Frames | None, post: Post) -> None:
        self.call = call
        self.talking = False
        self.telling = False
        self.muted = False
        self.held = False
        self.failed = False
        self.notice: Notice | None = None
        self.listener: Callable[[bytes], None] | None = None
        self._keys = b""
        self._frames = frames
        self._post = post
        self._pace = StallDetector()
        self._index = 0
        self._spoken = SILENCE

    def say(self, microphone: bytes) -> bytes:
        """What this tick gives the party. The agent's part of it is kept for the tick's pair; a notice is no part of that."""
        notice = self.notice
        if notice is None and self._keys and self.talking and not self.held:
            # The party hears tones instead of the microphone, and no recording has them.
            self._spoken = SILENCE
            given, self._keys = self._keys[:FRAME_BYTES], self._keys[FRAME_BYTES:]
            return exact(given)
        if notice is None:
            self._spoken = microphone if self.talking and not self.muted and not self.held else SILENCE
            return self._spoken
        given = notice.next_frame()
        if given is None and not notice.over:
            notice.over = True
            self._post(NoticeEnded(notice.call, notice.serial))
        return given or SILENCE

    def send(self, tones: bytes) -> bool:
        """Keys as sound, after those that are still being sent; False while nobody would hear them."""
        if self.held or not self.talking or self.notice is not None:
            return False
        self._keys += tones
        return True

    def hear(self, party: bytes | None) -> None:
        agent, self._spoken = self._spoken, SILENCE
        if self.listener is not None and party is not None and self.telling and not self.held:
            self.listener(party)
        if not self.telling or self._frames is None:
            return
        if lost := self._pace.lost(seconds()):
            # The index goes on by the clock, so that the recording knows how long a gap is.
            self._index += lost
            self._post(ProcessStalled(self.call, lost * TICK))
        index, self._index = self._index, self._index + 1
        if self.held or not self.talking:
            agent = SILENCE
        if self.held or party is None:
            party = SILENCE
        self._frames(self.call, index, agent, party)

    def fail(self, error: Exception) -> None:
        if not self.failed:
            self.failed = True
            self._post(FrameFailed(self.call, type(error).__name__))


class _Port(pj.AudioMediaPort):
    def __init__(self, name: str, ports: CallPorts, post: Post) -> None:
        super().__init__()
        self.post = post
        self._ports = ports
        fmt = pj.MediaFormatAudio()
        fmt.init(pj.PJMEDIA_FORMAT_PCM, CLOCK_RATE, 1, FRAME_MS * 1000, 16)
        self.createPort(name, fmt)


class _DevicePort(_Port):
    """The agent's microphone and ear. It gives pjmedia no sound: the legs take the microphone's frame from here."""

    microphone = SILENCE
    """of this tick, from before the first leg asks until after the last"""

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
        frame.size = 0
        try:
            # Also when no leg wants it: the microphone's queue stays at its level.
            self.microphone = exact(self._ports.end.pull(FRAME_BYTES))
        except Exception as error:  # noqa: BLE001 - a microphone's fault must not cost a frame
            self._ports.fail(error)

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        self.microphone = SILENCE
        try:
            self._ports.tick()
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            self._ports.fail(error)
        if frame.type != pj.PJMEDIA_FRAME_TYPE_AUDIO or not frame.size:
            return
        try:
            self._ports.end.push(self._ports.read(frame.buf, frame.size))
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            self._ports.fail(error)


class LegPort(_Port):
    """The agent's side of one call, and its tap. Wired with that call's stream alone, it hears the party alone: neither the
    notice, nor the agent, nor any other call."""

    sound: CallSound | None = None
    rested = RESTS

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        sound = self.sound
        try:
            told = sound is not None and sound.notice is not None
            said = SILENCE if sound is None else sound.say(self._ports.device.microphone)
            if told and self._ports.notices is not None:
                self._ports.notices(said)
            self._ports.write(frame.buf, said)
            frame.size = FRAME_BYTES
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            self.post(CallbackFailed("onFrameRequested", type(error).__name__))

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        sound = self.sound
        if sound is None:
            self.rested += 1
            return
        try:
            party = None
            if frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO and frame.size == FRAME_BYTES:
                party = self._ports.read(frame.buf, FRAME_BYTES)
            sound.hear(party)
        except Exception as error:  # noqa: BLE001
            sound.fail(error)


class CallPorts:
    """The ports of all calls, made when first needed and used again: dropping a port for each call would race with pjmedia's
    clock."""

    def __init__(self, end: SoundEnd, copiers: tuple[Reader, Writer], post: Post) -> None:
        self.end = end
        self.notices: Callable[[bytes], None] | None = None
        """gets what the agent hears of a notice, instead of `end`"""
        self.read, self.write = copiers
        self._post = post
        self._legs: list[LegPort] = []
        self._clock = ClockThread()
        # From here on the clock calls.
        self.device = _DevicePort("device", self, post)
        self.tone = CallTone()
        self.ringing = RingingTone()

    def tick(self) -> None:
        """Once a tick, on the clock's thread."""
        self._clock.keep(any(one.sound is not None for one in self._legs))

    def take(self, sound: CallSound) -> None:
        """A leg for this call alone, until `leave`."""
        leg = next((one for one in self._legs if one.sound is None and one.rested >= RESTS), None)
        if leg is None:
            leg = LegPort(f"leg {len(self._legs)}", self, self._post)
            self._legs.append(leg)
        leg.sound = sound

    def leave(self, sound: CallSound) -> None:
        if (leg := self._leg(sound)) is not None:
            leg.rested = 0
            leg.sound = None

    def leg_of(self, call: str) -> LegPort | None:
        return next((one for one in self._legs if one.sound is not None and one.sound.call == call), None)

    def fail(self, error: Exception) -> None:
        """A microphone or a speaker that fails, fails every call."""
        for one in [*self._legs]:
            if (sound := one.sound) is not None:
                sound.fail(error)

    def drop(self) -> None:
        for one in self._legs:
            one.sound = None
        del self._legs, self.device, self.tone, self.ringing

    def _leg(self, sound: CallSound) -> LegPort | None:
        return next((one for one in self._legs if one.sound is sound), None)


def exact(data: bytes) -> bytes:
    """One frame, cut or filled with silence, whatever the sound end gave."""
    if len(data) == FRAME_BYTES:
        return data
    return data[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
