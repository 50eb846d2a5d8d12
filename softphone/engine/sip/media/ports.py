"""A call's sound inside pjmedia: the port that is microphone and speaker, and the tap beside it.

pjmedia's one clock calls both ports once per 20 ms tick, the microphone's before the tap's, on pjmedia's own thread. So the
two sides of a frame are paired by tick, never by time. Nothing here waits, keeps audio, or knows SIP. The phone wires which
port hears which.
"""

# ruff: noqa: N802 - callbacks bear PJSIP's own names

from __future__ import annotations

import pjsua2 as pj

from softphone.calls.turns import seconds
from softphone.engine.sip.media import FRAME_BYTES, SILENCE, Frames, SoundEnd
from softphone.engine.sip.media.frame_bytes import Reader, Writer
from softphone.engine.sip.media.notice import Notice
from softphone.engine.sip.media.stall_detector import TICK, StallDetector
from softphone.engine.sip.media.tones import CallTone, RingingTone
from softphone.engine.sip.raw_events import CallbackFailed, FrameFailed, NoticeEnded, Post, ProcessStalled
from softphone.engine.sip.settings import CLOCK_RATE, FRAME_MS


class CallSound:
    """One call's switches, read by the ports at each tick. Set on the engine's thread.

    `talking`: the microphone may reach the party. `telling`: frames are passed on. `held`: both sides of a frame are
    silence.
    """

    __slots__ = (
        "_frames",
        "_index",
        "_pace",
        "_post",
        "_spoken",
        "call",
        "failed",
        "held",
        "muted",
        "talking",
        "telling",
    )

    def __init__(self, call: str, frames: Frames | None, post: Post | None = None) -> None:
        self.call = call
        self.talking = False
        self.telling = False
        self.muted = False
        self.held = False
        self.failed = False
        self._frames = frames
        self._post = post
        self._pace = StallDetector()
        self._index = 0
        self._spoken: bytes | None = None

    def speak(self, heard: bytes) -> bytes:
        """The part of the microphone's frame that the party may hear; kept for this tick's pair."""
        said = heard if self.talking and not self.muted and not self.held else SILENCE
        self._spoken = said
        return said

    def was_pulled(self) -> bool:
        return self._spoken is not None

    def tell(self, party: bytes | None) -> None:
        agent, self._spoken = self._spoken, None
        if not self.telling or self._frames is None:
            return
        if lost := self._pace.lost(seconds()):
            # The index goes on by the clock, so that the recording knows how long a gap is.
            self._index += lost
            if self._post is not None:
                self._post(ProcessStalled(self.call, lost * TICK))
        index, self._index = self._index, self._index + 1
        if self.held or agent is None or not self.talking:
            agent = SILENCE
        if self.held or party is None:
            party = SILENCE
        self._frames(self.call, index, agent, party)


class _Port(pj.AudioMediaPort):
    def __init__(self, name: str, sounds: CallPorts, post: Post) -> None:
        super().__init__()
        self.post = post
        self._sounds = sounds
        fmt = pj.MediaFormatAudio()
        fmt.init(pj.PJMEDIA_FORMAT_PCM, CLOCK_RATE, 1, FRAME_MS * 1000, 16)
        self.createPort(name, fmt)

    def pull(self, sound: CallSound) -> bytes:
        try:
            return exact(self._sounds.end.pull(FRAME_BYTES))
        except Exception as error:  # noqa: BLE001 - a microphone's fault must not cost a frame
            self._fail(sound, error)
            return SILENCE

    def _fail(self, sound: CallSound, error: Exception) -> None:
        if not sound.failed:
            sound.failed = True
            self.post(FrameFailed(sound.call, type(error).__name__))


class _DevicePort(_Port):
    """Microphone and speaker: asked for the agent's frame, given what the agent hears."""

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        sound = self._sounds.current
        try:
            said = SILENCE if sound is None else sound.speak(self.pull(sound))
            self._sounds.write(frame.buf, said)
            frame.size = FRAME_BYTES
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            self.post(CallbackFailed("onFrameRequested", type(error).__name__))

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        sound = self._sounds.current
        if sound is None or frame.type != pj.PJMEDIA_FRAME_TYPE_AUDIO or not frame.size:
            return
        try:
            self._sounds.end.push(self._sounds.read(frame.buf, frame.size))
        except Exception as error:  # noqa: BLE001
            self._fail(sound, error)


class _TapPort(_Port):
    """Hears the party alone, neither the notice nor the agent, and closes the tick's pair."""

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        sound = self._sounds.current
        if sound is None:
            return
        try:
            party = None
            if frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO and frame.size == FRAME_BYTES:
                party = self._sounds.read(frame.buf, FRAME_BYTES)
            if not sound.was_pulled():
                # Keep the microphone's queue at its level while nobody listens to it.
                self.pull(sound)
            sound.tell(party)
        except Exception as error:  # noqa: BLE001
            self._fail(sound, error)


class _NoticePort(_Port):
    """Plays a notice from memory. One port for all notices: a player of its own could be asked for a frame while it goes."""

    playing: Notice | None = None

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        notice = self.playing
        try:
            given = notice.next_frame() if notice is not None else None
            if notice is not None and given is None and not notice.over:
                notice.over = True
                self.post(NoticeEnded(notice.call, notice.serial))
            self._sounds.write(frame.buf, given or SILENCE)
            frame.size = FRAME_BYTES
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            self.post(CallbackFailed("onFrameRequested", type(error).__name__))


class CallPorts:
    """The ports that a call uses, made once and used again: making and dropping a port for each call would race with
    pjmedia's clock."""

    def __init__(self, end: SoundEnd, copiers: tuple[Reader, Writer], post: Post) -> None:
        self.end = end
        self.read, self.write = copiers
        self.current: CallSound | None = None
        self.device = _DevicePort("device", self, post)
        self.tap = _TapPort("tap", self, post)
        self.notice = _NoticePort("notice", self, post)
        self.tone = CallTone()
        self.ringing = RingingTone()

    def take(self, sound: CallSound) -> None:
        self.current = sound

    def leave(self, sound: CallSound) -> None:
        if self.current is sound:
            self.current = None

    def drop(self) -> None:
        self.current = None
        del self.device, self.tap, self.notice, self.tone, self.ringing


def exact(data: bytes) -> bytes:
    """One frame, cut or filled with silence, whatever the sound end gave."""
    if len(data) == FRAME_BYTES:
        return data
    return data[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
