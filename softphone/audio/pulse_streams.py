"""Streams straight to PulseAudio or PipeWire, in blocks of 10 ms, on one thread each.

PortAudio reaches a sound server through ALSA and its plugin: two threads a stream that wake each other several times for each
block. Here the thread that waits for the server also moves the sound, which takes a third of it. The server converts from and
to the device's rate. Which device is meant is known to `devices`; what becomes of the sound, to the caller.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from softphone.audio.devices import Device, Side, is_gone
from softphone.audio.pulse import ANSWERS_WITHIN
from softphone.domain.errors import SoundError

RATE = 16_000
BLOCK_BYTES = RATE // 100 * 2
SPEAKER_BLOCKS = 3
"""of sound that wait at the server for the loudspeaker"""
NAME = b"Klartone"

_S16LE = 3
_STREAM_RECORD, _STREAM_PLAYBACK = 2, 1
_CONTEXT_READY, _CONTEXT_FAILED = 4, (5, 6)
_STREAM_READY, _STREAM_FAILED = 2, (3, 4)
_NO_AUTOSPAWN = 1
_ADJUST_LATENCY = 0x2000
_DONT_MOVE = 0x0200
_RELATIVE = 0
_NO_WORD = 0xFFFFFFFF


class _Format(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _Buffer(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


@cache
def _library() -> Any:
    """libpulse is there: the server's devices have been listed with it."""
    pulse = ctypes.CDLL("libpulse.so.0")
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    for name, result, *arguments in (
        ("pa_mainloop_new", pointer),
        ("pa_mainloop_free", None, pointer),
        ("pa_mainloop_get_api", pointer, pointer),
        ("pa_mainloop_iterate", ctypes.c_int, pointer, ctypes.c_int, pointer),
        ("pa_mainloop_wakeup", None, pointer),
        ("pa_proplist_new", pointer),
        ("pa_proplist_free", None, pointer),
        ("pa_proplist_sets", ctypes.c_int, pointer, text, text),
        ("pa_context_new", pointer, pointer, text),
        ("pa_context_connect", ctypes.c_int, pointer, text, ctypes.c_int, pointer),
        ("pa_context_disconnect", None, pointer),
        ("pa_context_unref", None, pointer),
        ("pa_context_get_state", ctypes.c_int, pointer),
        ("pa_context_errno", ctypes.c_int, pointer),
        ("pa_strerror", text, ctypes.c_int),
        ("pa_stream_new_with_proplist", pointer, pointer, text, ctypes.POINTER(_Format), pointer, pointer),
        ("pa_stream_connect_record", ctypes.c_int, pointer, text, ctypes.POINTER(_Buffer), ctypes.c_int),
        (
            "pa_stream_connect_playback",
            ctypes.c_int,
            pointer,
            text,
            ctypes.POINTER(_Buffer),
            ctypes.c_int,
            pointer,
            pointer,
        ),
        ("pa_stream_get_state", ctypes.c_int, pointer),
        ("pa_stream_readable_size", size, pointer),
        ("pa_stream_writable_size", size, pointer),
        ("pa_stream_peek", ctypes.c_int, pointer, ctypes.POINTER(pointer), ctypes.POINTER(size)),
        ("pa_stream_drop", ctypes.c_int, pointer),
        ("pa_stream_write", ctypes.c_int, pointer, text, size, pointer, ctypes.c_int64, ctypes.c_int),
        ("pa_stream_disconnect", ctypes.c_int, pointer),
        ("pa_stream_unref", None, pointer),
    ):
        function = getattr(pulse, name)
        function.restype, function.argtypes = result, arguments
    return pulse


class PulseStream:
    """One stream and its thread. `called_at` and `has_begun`: as of `streams.Stream`.

    `move(bytes)` gets the microphone's sound; for a speaker, `move(n_bytes)` gives that many. On this stream's thread.
    """

    def __init__(self, side: Side, device: Device, move: Callable[[Any], Any]) -> None:
        """Raises SoundError `microphone_failed` or `speaker_failed`, `no_such_microphone` or `no_such_speaker` if it has
        gone."""
        if is_gone(device):
            raise SoundError(f"no_such_{side}", device=device.id)
        self.device = device
        self.called_at = time.monotonic()
        self.has_begun = False
        self._side, self._move = side, move
        self._pulse = _library()
        self._loop = self._pulse.pa_mainloop_new()
        self._lock = threading.Lock()
        self._closing = self._works = False
        self._why = "no answer"
        self._decided = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse {side}", daemon=True)
        self._thread.start()
        if not self._decided.wait(ANSWERS_WITHIN) or not self._works:
            self.close(0.0)
            raise SoundError(f"{side}_failed", device=device.id, detail=self._why)

    @property
    def active(self) -> bool:
        return self._works and not self._closing

    def close(self, seconds: float = 1.0) -> None:
        """A server that hangs does not keep its thread."""
        with self._lock:
            self._closing = True
            if self._loop is not None:
                self._pulse.pa_mainloop_wakeup(self._loop)
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    # --- the stream's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        pulse, loop = self._pulse, self._loop
        named = pulse.pa_proplist_new()
        pulse.pa_proplist_sets(named, b"media.role", b"phone")
        context = pulse.pa_context_new(pulse.pa_mainloop_get_api(loop), NAME)
        stream = None
        try:
            if pulse.pa_context_connect(context, None, _NO_AUTOSPAWN, None) >= 0 and self._until(
                lambda: pulse.pa_context_get_state(context), _CONTEXT_READY, _CONTEXT_FAILED
            ):
                form = _Format(_S16LE, RATE, 1)
                stream = pulse.pa_stream_new_with_proplist(context, self._side.encode(), form, None, named)
                if self._connect(stream) >= 0 and self._until(
                    lambda: pulse.pa_stream_get_state(stream), _STREAM_READY, _STREAM_FAILED
                ):
                    self._works = True
                    self._decided.set()
                    self._pass_on(stream)
            if not self._works:
                self._why = pulse.pa_strerror(pulse.pa_context_errno(context)).decode("utf-8", "replace")
        finally:
            self._works = False
            with self._lock:
                self._loop = None
            if stream is not None:
                pulse.pa_stream_disconnect(stream)
                pulse.pa_stream_unref(stream)
            pulse.pa_context_disconnect(context)
            pulse.pa_context_unref(context)
            pulse.pa_proplist_free(named)
            pulse.pa_mainloop_free(loop)
            self._decided.set()

    def _connect(self, stream: Any) -> int:
        # Without a name it is the one that the system has chosen, and moves with the choice. One that the agent has chosen
        # ends with its device: the server would lead it to another, where others hear, or are heard.
        device = self.device.pulse.encode() or None
        flags = _ADJUST_LATENCY | (_DONT_MOVE if device else 0)
        if self._side == "microphone":
            wanted = _Buffer(_NO_WORD, _NO_WORD, _NO_WORD, _NO_WORD, BLOCK_BYTES)
            return int(self._pulse.pa_stream_connect_record(stream, device, wanted, flags))
        wanted = _Buffer(_NO_WORD, SPEAKER_BLOCKS * BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, _NO_WORD)
        return int(self._pulse.pa_stream_connect_playback(stream, device, wanted, flags, None, None))

    def _until(self, state: Callable[[], int], good: int, bad: tuple[int, int]) -> bool:
        while self._turn():
            now = state()
            if now == good:
                return True
            if now in bad:
                return False
        return False

    def _turn(self) -> bool:
        """Wait until something has come, and let the library read it."""
        return self._pulse.pa_mainloop_iterate(self._loop, 1, None) >= 0 and not self._closing

    def _pass_on(self, stream: Any) -> None:
        pulse = self._pulse
        move = self._take if self._side == "microphone" else self._fill
        self.called_at = time.monotonic()
        move(stream)
        while self._turn() and pulse.pa_stream_get_state(stream) == _STREAM_READY:
            move(stream)

    def _take(self, stream: Any) -> None:
        pulse, start, size = self._pulse, ctypes.c_void_p(), ctypes.c_size_t()
        while 0 < pulse.pa_stream_readable_size(stream) < _NO_WORD:
            if pulse.pa_stream_peek(stream, start, size) < 0 or not size.value:
                return
            # A hole has a size and no sound.
            pcm = ctypes.string_at(start.value, size.value) if start.value else bytes(size.value)
            pulse.pa_stream_drop(stream)
            self.called_at, self.has_begun = time.monotonic(), True
            self._move(pcm)

    def _fill(self, stream: Any) -> None:
        wanted = self._pulse.pa_stream_writable_size(stream)
        if BLOCK_BYTES <= wanted < _NO_WORD:
            self.called_at, self.has_begun = time.monotonic(), True
            pcm = self._move(wanted & ~1)
            self._pulse.pa_stream_write(stream, pcm, len(pcm), None, 0, _RELATIVE)
