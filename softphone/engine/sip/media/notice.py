"""A notice on its way to the party: its sound in memory, read from its file beside the polling thread, played once by a
port.

It counts as heard once its last sample has been asked for and a margin has passed: the last packet is sent and decoded a
little later. The phone decides when it may start.
"""

from __future__ import annotations

import hashlib
import io
import queue
import threading
import wave
from collections import OrderedDict
from pathlib import Path

from softphone.calls.turns import seconds
from softphone.domain.notice import NoticeFile
from softphone.engine.sip.media import FRAME_BYTES
from softphone.engine.sip.raw_events import NoticeRead, Post
from softphone.engine.sip.settings import CLOCK_RATE, FRAME_MS

HEARD_MARGIN = 0.2
LEAD_IN = 0.4
READ_WITHIN = 2.0
"""seconds that the disk may take to give a notice's sound"""
_KEPT = 8
"""sounds that stay in memory for the next call"""
_OFF = 0.05
"""seconds by which a file may differ from the length that was decided"""


class Notice:
    """One playing of one file. `pcm` once it has been read, `began` is the moment of its first sample, `over` from its end;
    not before `ready_at`."""

    __slots__ = ("_at", "began", "call", "over", "pcm", "ready_at", "serial")

    def __init__(self, call: str, serial: int, ready_at: float) -> None:
        self.call = call
        self.serial = serial
        self.ready_at = ready_at
        self.pcm = b""
        self.began: float | None = None
        self.over = False
        self._at = 0

    def next_frame(self) -> bytes | None:
        """On pjmedia's thread, once a tick; None once all of it has been given."""
        if self.began is not None and not self._at:
            self._at = self._passed(seconds() - self.began)
        frame = self.pcm[self._at : self._at + FRAME_BYTES]
        self._at += len(frame)
        return frame.ljust(FRAME_BYTES, b"\0") if frame else None

    def _passed(self, waited: float) -> int:
        """Bytes of the silence before its first word that have passed while it waited for this tick: the party heard as
        much. Never more than a tick, and never a sound."""
        passed = round(max(0.0, min(waited, FRAME_MS / 1000)) * CLOCK_RATE) * 2
        return passed if not any(self.pcm[:passed]) else 0


class NoticeFiles:
    """Reads sounds on a thread of its own: a disk that hangs keeps no call waiting. Each answer comes as `NoticeRead`."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._wanted: queue.SimpleQueue[tuple[Notice, NoticeFile] | None] = queue.SimpleQueue()
        self._kept: OrderedDict[NoticeFile, bytes] = OrderedDict()
        self._thread: threading.Thread | None = None

    def read(self, notice: Notice, file: NoticeFile) -> None:
        kept = self._kept.get(file)
        if kept is not None:
            self._post(NoticeRead(notice.call, notice.serial, kept))
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
            self._thread.start()
        self._wanted.put((notice, file))

    def close(self) -> None:
        self._wanted.put(None)

    def _run(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            notice, file = wanted
            pcm = read_notice(file)
            if pcm and file.digest:
                self._kept[file] = pcm
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._post(NoticeRead(notice.call, notice.serial, pcm))


def read_notice(file: NoticeFile) -> bytes:
    """Its samples at the phone's own rate. Empty if it is not a 16-bit mono WAV file, or not the decided one."""
    try:
        raw = Path(file.path).read_bytes()
        if file.digest and hashlib.sha256(raw).hexdigest() != file.digest:
            return b""
        with wave.open(io.BytesIO(raw), "rb") as sound:
            shape, rate = (sound.getsampwidth(), sound.getnchannels()), sound.getframerate()
            frames = sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error):
        return b""
    length = len(frames) / 2 / rate
    decided = length if file.seconds is None else file.seconds
    if shape != (2, 1) or not 8_000 <= rate <= 48_000 or length < 0.1 or abs(length - decided) > _OFF:
        return b""
    if rate == CLOCK_RATE:
        return frames
    from softphone.audio.filters import resampled  # numpy: a phone registers without it

    return resampled(frames, rate, CLOCK_RATE)
