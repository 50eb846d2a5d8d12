"""The live sound of a call: pjmedia's clock on one side, a microphone and a speaker on the other.

A thread of its own opens, watches and closes the devices, because PortAudio may take its time; the
phone's `pull` and `push` never wait for it. A side without a device is silence, and the call goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from softphone.audio.cleaning import Cleaner
from softphone.audio.devices import (
    Device,
    FaultCode,
    Side,
    SoundFault,
    SoundWorks,
    is_gone,
    list_devices,
)
from softphone.audio.fifo import ElasticFifo
from softphone.audio.streams import LOST_AFTER, Stream, open_microphone, open_speaker
from softphone.domain.errors import SoundError

MICROPHONE_MS = 60
SPEAKER_MS = 40
WATCH_EVERY = 0.2
RETRY_EVERY = 3.0
UNTOLD_FOR = 1.0
"""seconds that a device may be away, because of a plug that is moved or a busy machine, before anybody hears of it"""
ASK_EVERY = 1.0
"""seconds between two questions whether a device that was chosen is still there"""

Told = Callable[[SoundFault | SoundWorks], None]


class LiveBridge:
    """`tell` gets each side once it is open, its first fault, and each loss of a second and more, on a thread of the bridge's.
    Device ids are those of `devices.py`; a side that is None is left alone.

    ::

        bridge = LiveBridge(tell=inbox.put)
        bridge.open()          # returns at once
        phone.set_sound(bridge)
    """

    def __init__(
        self, microphone: str | None = "", speaker: str | None = "", *, tell: Told, cleaner: Cleaner | None = None
    ) -> None:
        self._wanted: dict[Side, str] = {}
        if microphone is not None:
            self._wanted["microphone"] = microphone
        if speaker is not None:
            self._wanted["speaker"] = speaker
        self._tell = tell
        self._streams: dict[Side, Stream] = {}
        self._retry_at: dict[Side, float] = {}
        self._ask_at: dict[Side, float] = {}
        self._late: set[Side] = set()
        """whose blocks were late at the last look"""
        self._untold: dict[Side, SoundFault] = {}
        """losses, for a moment"""
        self._in = ElasticFifo(MICROPHONE_MS)
        self._out = ElasticFifo(SPEAKER_MS)
        self._cleaner = cleaner or Cleaner(echo=False, noise=False)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def pull(self, n_bytes: int, /) -> bytes:
        return self._in.get(n_bytes)

    def push(self, data: bytes, /) -> None:
        if "speaker" in self._streams:
            self._out.put(data)

    def open(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="sound", daemon=True)
            self._thread.start()

    def close(self, seconds: float = 1.0) -> None:
        """A device that hangs is left to its daemon thread after `seconds`."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def working(self, side: Side) -> bool:
        return side in self._streams

    @property
    def underruns(self) -> tuple[int, int]:
        """Of microphone and speaker, since the bridge was made."""
        return self._in.underruns, self._out.underruns

    def _watch(self) -> None:
        for side in self._wanted:
            if fault := self._open(side):
                self._tell(fault)
        while not self._closing.wait(WATCH_EVERY):
            for side in self._wanted:
                self._look_after(side)
        for stream in list(self._streams.values()):
            stream.close()
        self._streams.clear()

    def _look_after(self, side: Side) -> None:
        now = time.monotonic()
        stream = self._streams.get(side)
        if stream is not None:
            late = self._is_late(side, stream, now)
            if stream.active and not late and not self._gone(side, stream, now):
                return
            del self._streams[side]
            code: FaultCode = "microphone_lost" if side == "microphone" else "speaker_lost"
            lost = SoundFault(code, stream.device.id)
            (self._in if side == "microphone" else self._out).clear()
            if late:
                # It has been away for a second. A sound server that stands still lets nobody open a device either.
                self._tell(lost)
                self._retry_at[side] = now + RETRY_EVERY
            else:
                self._untold[side], self._retry_at[side] = lost, now
                teller = threading.Timer(UNTOLD_FOR, self._tell_lost, (side, lost))
                teller.daemon = True
                teller.start()
            # A sound server that stands still does not even close: the other side's loss must be told meanwhile.
            threading.Thread(target=stream.close, name="close sound", daemon=True).start()
        elif now >= self._retry_at[side]:
            self._open(side)

    def _tell_lost(self, side: Side, fault: SoundFault) -> None:
        if not self._closing.is_set() and self._untold.get(side) is fault and self._untold.pop(side, None) is fault:
            self._tell(fault)

    def _is_late(self, side: Side, stream: Stream, now: float) -> bool:
        """At two looks in a row: at one alone this process itself may have stood still."""
        before = side in self._late
        self._late.discard(side)
        if now - stream.called_at >= LOST_AFTER:
            self._late.add(side)
        return before and side in self._late

    def _gone(self, side: Side, stream: Stream, now: float) -> bool:
        if now < self._ask_at.get(side, 0.0):
            return False
        self._ask_at[side] = now + ASK_EVERY
        return is_gone(stream.device)

    def _open(self, side: Side) -> SoundFault | None:
        self._retry_at[side] = time.monotonic() + (WATCH_EVERY if side in self._untold else RETRY_EVERY)
        # Newly plugged-in devices are found as long as the other side is not open.
        device = list_devices(refresh=True).find(side, self._wanted[side])
        if isinstance(device, SoundFault):
            return device
        try:
            self._streams[side] = self._opened(side, device)
        except SoundError as error:
            code: FaultCode = "microphone_failed" if side == "microphone" else "speaker_failed"
            return SoundFault(code, device.id, str(error.params.get("detail", "")))
        fault = self._untold.pop(side, None)
        if fault is None or fault.device != device.id:
            self._tell(SoundWorks(side, device.id))
        return None

    def _opened(self, side: Side, device: Device) -> Stream:
        if side == "microphone":
            self._in.clear()
            return open_microphone(device, lambda pcm: self._in.put(self._cleaner.clean(pcm)))
        self._out.clear()
        return open_speaker(device, self._play)

    def _play(self, n_bytes: int) -> bytes:
        pcm = self._out.get(n_bytes)
        self._cleaner.heard(pcm)
        return pcm
